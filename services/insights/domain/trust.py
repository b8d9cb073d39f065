"""Evidence to trust: THE fold. The score is a pure function of (evidence, model, instant).

No order, clock, randomness or I/O. `state` is its fast twin and must equal it to 1e-9.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.insights.domain import beta
from services.insights.domain.bands import Band, bands_of
from services.insights.domain.evidence import Evidence
from services.insights.domain.model import FACETS, SIDE_CELLS, SIDES, Facet, Model
from services.insights.domain.opinion import evidence_of, opinions, standing_of
from services.insights.domain.weights import Scope, Tally, tally, weigh


class FacetTrust(NamedTuple):
    """One facet of one direction: evidence, expectation and 90 % interval."""

    r: float
    s: float
    score: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class DirectionTrust:
    """How far the other side can trust this one. `known` is False while it is too early."""

    score: float
    low: float
    high: float
    band: Band
    evidence: float
    weakest: Facet | None
    facets: tuple[FacetTrust, ...]

    @property
    def known(self) -> bool:
        return self.band != "too_early"


@dataclass(frozen=True, slots=True)
class PairTrust:
    """Both directions of a pair at one instant. `gap` is None until both are known."""

    at_us: int
    half_life_days: int
    about_mentor: DirectionTrust
    about_mentee: DirectionTrust

    @property
    def health(self) -> float:
        return min(self.about_mentor.score, self.about_mentee.score)

    @property
    def gap(self) -> float | None:
        if not (self.about_mentor.known and self.about_mentee.known):
            return None
        return abs(self.about_mentor.score - self.about_mentee.score)


def fold(
    evidence: Iterable[Evidence], model: Model, at_us: int, scope: Scope = Scope.EVERYTHING
) -> PairTrust:
    """The trust of one pair at an instant, from its evidence in any order, duplicates included."""
    known = list(evidence)
    return judge(tally(weigh(known, model, at_us, scope), model, at_us), model, known, scope)


def judge(
    counted: Tally, model: Model, evidence: Sequence[Evidence], scope: Scope = Scope.EVERYTHING
) -> PairTrust:
    """What a tally of evidence means. `evidence` is only looked at where `bands` needs the past."""
    drafts = opinions(counted, model)
    intervals = [beta.interval(draft) for draft in drafts]
    return conclude(counted, model, intervals, bands_of(counted, model, evidence, scope))


def conclude(
    counted: Tally, model: Model, intervals: Sequence[beta.Interval], bands: Sequence[Band]
) -> PairTrust:
    """The judgement, from the interval of each of `opinions` and the band of each side."""
    half = len(intervals) // len(SIDES)
    mentor, mentee = (
        _direction(counted, model, side, intervals[side * half :], bands[side])
        for side in range(len(SIDES))
    )
    return PairTrust(counted.at_us, counted.half_life_days, mentor, mentee)


def _direction(
    counted: Tally,
    model: Model,
    side: int,
    intervals: Sequence[beta.Interval],
    band: Band,
) -> DirectionTrust:
    _, scores, score, weakest = standing_of(counted, model, side)
    sums = counted.sums[side * SIDE_CELLS : (side + 1) * SIDE_CELLS]
    low, high = intervals[len(FACETS)]
    return DirectionTrust(
        score=score,
        low=low,
        high=high,
        band=band,
        evidence=evidence_of(counted, side),
        weakest=None if weakest is None else Facet(weakest),
        facets=tuple(
            FacetTrust(sums[2 * facet], sums[2 * facet + 1], scores[facet], *intervals[facet])
            for facet in range(len(FACETS))
        ),
    )
