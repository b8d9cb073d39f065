"""Sums to opinions: each facet as a Beta distribution, and the composite of a direction. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from services.insights.domain import beta
from services.insights.domain.model import SIDE_CELLS, SIDES, Model
from services.insights.domain.weights import Tally

# Sums of floats differ in the last bits with the order of arrival; what is decided must not.
TIE = 1e-9


class Standing(NamedTuple):
    """What the sums of one side say: each facet as a Beta, and the composite of their means."""

    facets: list[beta.Parameters]
    scores: list[float]
    score: float
    weakest: int | None


def standing_of(counted: Tally, model: Model, side: int) -> Standing:
    """The standing of one side. Worked out once for a tally."""
    known = counted.judged.get(side)
    if known is not None and known[0] is model:
        found: Standing = known[1]
        return found
    facets = facet_opinions(counted, model, side)
    scores = [alpha / (alpha + beta_) for alpha, beta_ in facets]
    found = Standing(facets, scores, *composite(scores, facets, model))
    counted.judged[side] = model, found
    return found


def opinions(counted: Tally, model: Model) -> list[beta.Parameters]:
    """The Betas behind a judgement: for each side its six facets, then their composite."""
    found: list[beta.Parameters] = []
    for side in range(len(SIDES)):
        standing = standing_of(counted, model, side)
        found += standing.facets
        found.append(_composite_opinion(standing, model))
    return found


def composites(counted: Tally, model: Model) -> list[beta.Parameters]:
    """The Beta of each side's composite alone."""
    return [
        _composite_opinion(standing_of(counted, model, side), model) for side in range(len(SIDES))
    ]


def facet_opinions(counted: Tally, model: Model, side: int) -> list[beta.Parameters]:
    """The six facets of one side as Beta distributions: evidence on top of the prior."""
    for_prior = model.base_rate * model.prior_strength
    against_prior = model.prior_strength - for_prior
    base = side * SIDE_CELLS
    sums = counted.sums[base : base + SIDE_CELLS]
    return [(r + for_prior, s + against_prior) for r, s in zip(sums[::2], sums[1::2], strict=True)]


def _composite_opinion(standing: Standing, model: Model) -> beta.Parameters:
    """What is believed about the T of the true facets, as a Beta.

    Facets move together, so their errors do, too: they correlate by `facet_correlation`. The
    weakest of six is lower than the lowest of six expectations: `weakest_margin` standard
    deviations off the score. Both are calibrated, docs/decisions/0015.
    """
    facets, _, score, weakest = standing
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
    return beta.cdf(model.low_below, *_composite_opinion(standing_of(counted, model, side), model))


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
    return standing_of(counted, model, side).score


def evidence_of(counted: Tally, side: int) -> float:
    """How much evidence there is about one side: all its r and s."""
    return sum(counted.sums[side * SIDE_CELLS : (side + 1) * SIDE_CELLS])
