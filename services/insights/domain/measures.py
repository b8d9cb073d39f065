"""What is measured of a pair and of a cell: trust and the four benefits, rounded. Pure.

Sums are whole numbers of billionths, so neither the order of pairs nor the size of a page can move
a rounded number. Every share is of ALL pairs of a cell: a smaller denominator would tell how many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.insights.domain.bands import Band, bands_of
from services.insights.domain.evidence import ANSWERS, Evidence, Kind
from services.insights.domain.model import FACETS, SIDES, Model
from services.insights.domain.opinion import composite, facet_opinions
from services.insights.domain.weights import Scope, in_order, tally, weigh
from shared.events.insights import Benefit

BILLION = 10**9
# Shares and means are told in twentieths, counts in fives.
STEPS = 20
COUNT_STEP = 5
BANDS: tuple[Band, ...] = ("too_early", "steady", "watch", "strained")
BENEFITS: tuple[Benefit, ...] = ("clarity", "growth", "problem_solving", "network")
SETBACKS = frozenset(
    (
        Kind.COMMITMENT_MISSED_WARNED,
        Kind.COMMITMENT_MISSED_TOLD,
        Kind.COMMITMENT_MISSED,
        Kind.SESSION_NO_SHOW,
    )
)
_GOAL = frozenset((Kind.GOAL_SET, Kind.GOAL_PROGRESSED))
_YES: dict[int, str] = {yes: item for item, (yes, _) in ANSWERS.items()}
_NO: dict[int, str] = {no: item for item, (_, no) in ANSWERS.items()}


class Span(NamedTuple):
    """From after the first instant to the second: an epoch, or of an ended pair what it was in."""

    start_us: int
    end_us: int


class PairMeasure(NamedTuple):
    """One pair at the end of a span. Numbers are billionths; never released as it is."""

    health: int
    band: Band
    facets: tuple[int, ...]
    benefits: frozenset[Benefit]


@dataclass(slots=True)
class Sums:
    """Many pairs, added up. Adding in any order or grouping gives the same."""

    pairs: int = 0
    health: int = 0
    facets: list[int] = field(default_factory=lambda: [0] * len(FACETS))
    bands: Counter[Band] = field(default_factory=Counter)
    benefits: Counter[Benefit] = field(default_factory=Counter)

    def add(self, one: PairMeasure) -> None:
        """Count one more pair in."""
        self.pairs += 1
        self.health += one.health
        self.facets = [a + b for a, b in zip(self.facets, one.facets, strict=True)]
        self.bands[one.band] += 1
        self.benefits.update(one.benefits)

    def __add__(self, other: Sums) -> Sums:
        facets = [a + b for a, b in zip(self.facets, other.facets, strict=True)]
        return Sums(
            self.pairs + other.pairs,
            self.health + other.health,
            facets,
            self.bands + other.bands,
            self.benefits + other.benefits,
        )

    def veiled(self) -> Sums:
        """These sums of one cohort, saying of no pair what would hold for certain of each.

        If all pairs grew, in all of them somebody had said no in private; if all are strained, so
        is each. All is then told as all but one. Done to cohorts, before they are added, so that
        no sum of cells can tell it either.
        """
        bands, benefits = self.bands.copy(), self.benefits.copy()
        if self.pairs and bands["strained"] == self.pairs:
            bands["strained"] -= 1
            bands["watch"] += 1
        if self.pairs and benefits["growth"] == self.pairs:
            benefits["growth"] -= 1
        return Sums(self.pairs, self.health, self.facets, bands, benefits)


class Values(NamedTuple):
    """What is released of a cell beside its counts: each within 0..1, in twentieths."""

    health: float
    bands: dict[Band, float]
    facets: dict[str, float]
    benefits: dict[Benefit, float]


def measure(evidence: Iterable[Evidence], model: Model, span: Span) -> PairMeasure:
    """One pair as `trust.fold` judges it at the end of a span, and its benefits within the span."""
    known = in_order(evidence, span.end_us)
    counted = tally(weigh(known, model, span.end_us), model, span.end_us)
    scores, totals = [], [0.0] * len(FACETS)
    for side in range(len(SIDES)):
        facets = facet_opinions(counted, model, side)
        each = [alpha / (alpha + beta) for alpha, beta in facets]
        scores.append(composite(each, facets, model)[0])
        totals = [a + b for a, b in zip(totals, each, strict=True)]
    lower = scores.index(min(scores))
    return PairMeasure(
        health=_billionths(scores[lower]),
        band=bands_of(counted, model, known, Scope.EVERYTHING)[lower],
        facets=tuple(_billionths(total / len(SIDES)) for total in totals),
        benefits=benefits_of(known, span),
    )


def benefits_of(ordered: Sequence[Evidence], span: Span) -> frozenset[Benefit]:
    """The benefits that a pair had within a span; `ordered` is its evidence in time order.

    clarity: a goal was set or moved. growth: an answer about something that was a no the time
    before was a yes. problem_solving: a miss or an absence was put right. network: one side
    introduced the other to somebody.
    """
    found: set[Benefit] = set()
    said: dict[tuple[str, int], bool] = {}
    missed: set[tuple[int, int]] = set()
    for item in ordered:
        if item.at_us > span.end_us:
            break
        within = item.at_us > span.start_us
        answer = _YES.get(item.kind) or _NO.get(item.kind)
        if answer is not None:
            yes, about = item.kind in _YES, (answer, item.about)
            if within and yes and said.get(about) is False:
                found.add("growth")
            said[about] = yes
        elif item.kind in SETBACKS:
            missed.add((item.about, item.ref))
        elif not within:
            continue
        elif item.kind in _GOAL:
            found.add("clarity")
        elif item.kind == Kind.REPAIR_DELIVERED and (item.about, item.ref) in missed:
            found.add("problem_solving")
        elif item.kind == Kind.INTRODUCTION_MADE:
            found.add("network")
    return frozenset(found)


def values_of(sums: Sums) -> Values:
    """What may be told of the sums of a cell, which must hold pairs."""
    total = sums.pairs * BILLION
    return Values(
        health=rounded(sums.health, total),
        bands={band: rounded(sums.bands[band], sums.pairs) for band in BANDS},
        facets={
            facet.name: rounded(number, total)
            for facet, number in zip(FACETS, sums.facets, strict=True)
        },
        benefits={each: rounded(sums.benefits[each], sums.pairs) for each in BENEFITS},
    )


def rounded(part: int, whole: int) -> float:
    """part / whole to the nearest twentieth, halves up; exact, because both are whole numbers."""
    return round((2 * STEPS * part + whole) // (2 * whole) / STEPS, 2)


def counted_down(number: int) -> int:
    """A count, rounded down to fives."""
    return number - number % COUNT_STEP


def _billionths(score: float) -> int:
    return round(score * BILLION)
