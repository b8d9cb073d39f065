"""Sums to opinions: each facet as a Beta distribution, and the composite of a direction. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from services.insights.domain import beta
from services.insights.domain.model import FACETS, SIDE_CELLS, SIDES, Model
from services.insights.domain.weights import Tally

# Sums of floats differ in the last bits with the order of arrival; what is decided must not.
TIE = 1e-9


def opinions(counted: Tally, model: Model) -> list[beta.Parameters]:
    """The Betas behind a judgement: for each side its six facets, then their composite."""
    found: list[beta.Parameters] = []
    for side in range(len(SIDES)):
        facets = facet_opinions(counted, model, side)
        found += facets
        found.append(_composite_opinion(facets, model))
    return found


def composites(counted: Tally, model: Model) -> list[beta.Parameters]:
    """The Beta of each side's composite alone."""
    return [
        _composite_opinion(facet_opinions(counted, model, side), model)
        for side in range(len(SIDES))
    ]


def facet_opinions(counted: Tally, model: Model, side: int) -> list[beta.Parameters]:
    """The six facets of one side as Beta distributions: evidence on top of the prior."""
    for_prior = model.base_rate * model.prior_strength
    against_prior = model.prior_strength - for_prior
    sums, base = counted.sums, side * SIDE_CELLS
    return [
        (sums[base + 2 * facet] + for_prior, sums[base + 2 * facet + 1] + against_prior)
        for facet in range(len(FACETS))
    ]


def _composite_opinion(facets: Sequence[beta.Parameters], model: Model) -> beta.Parameters:
    """What is believed about the T of the true facets, as a Beta.

    Facets move together, so their errors do, too: they correlate by `facet_correlation`. The
    weakest of six is lower than the lowest of six expectations: `weakest_margin` standard
    deviations off the score. Both are calibrated, docs/decisions/0015.
    """
    score, weakest = composite([a / (a + b) for a, b in facets], facets, model)
    apart = together = 0.0
    for facet, (alpha, beta_) in enumerate(facets):
        share = (1.0 - model.weakest_share * (weakest is not None)) / len(facets)
        share += model.weakest_share * (facet == weakest)
        total = alpha + beta_
        variance = share * share * alpha * beta_ / (total * total * (total + 1.0))
        apart += variance
        together += sqrt(variance)
    common = model.facet_correlation
    variance = (1.0 - common) * apart + common * together * together
    mean = score - model.weakest_margin * sqrt(variance)
    strength = mean * (1.0 - mean) / variance - 1.0
    return mean * strength, (1.0 - mean) * strength


def probability_low(counted: Tally, model: Model, side: int) -> float:
    """P(T < `model.low_below`): how likely it is that one side's true composite is low."""
    return beta.cdf(
        model.low_below, *_composite_opinion(facet_opinions(counted, model, side), model)
    )


def composite(
    scores: Sequence[float], facets: Sequence[beta.Parameters], model: Model
) -> tuple[float, int | None]:
    """The direction's score, and the live facet that pulls it down, if any facet is live."""
    mean = sum(scores) / len(scores)
    live = [
        facet
        for facet, (alpha, beta_) in enumerate(facets)
        if model.prior_strength / (alpha + beta_) < model.live_below - TIE
    ]
    if not live:
        return mean, None
    weakest = min(live, key=lambda facet: (round(scores[facet] / TIE), facet))
    share = model.weakest_share
    return (1.0 - share) * mean + share * scores[weakest], weakest


def score_of(counted: Tally, model: Model, side: int) -> float:
    """The composite of one side."""
    return standing_of(counted, model, side)[0]


def standing_of(counted: Tally, model: Model, side: int) -> tuple[float, int | None]:
    """The composite of one side, and the live facet that pulls it down."""
    facets = facet_opinions(counted, model, side)
    return composite([alpha / (alpha + beta_) for alpha, beta_ in facets], facets, model)


def evidence_of(counted: Tally, side: int) -> float:
    """How much evidence there is about one side: all its r and s."""
    return sum(counted.sums[side * SIDE_CELLS : (side + 1) * SIDE_CELLS])
