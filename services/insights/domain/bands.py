"""From a score to a band, with hysteresis that is still a function of the evidence alone. Pure.

Between two bands lies a grey zone. A score inside it keeps the side on which it last was when
something happened: the evidence itself is the memory, so no order of arrival can change a band.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from services.insights.domain.evidence import Evidence
from services.insights.domain.model import SIDES, Model
from services.insights.domain.opinion import TIE, evidence_of, score_of
from services.insights.domain.weights import Scope, Tally, earlier

Band = Literal["too_early", "steady", "watch", "strained"]

# How many earlier instants are looked at before a pair gets the benefit of the doubt.
LOOK_BACK = 16


class Grey(NamedTuple):
    """A zone between two bands: [low, high)."""

    low: float
    high: float
    worse: Band
    better: Band


def bands_of(
    counted: Tally, model: Model, evidence: Sequence[Evidence], scope: Scope
) -> tuple[Band, ...]:
    """The band of each side. `evidence` may be empty when `needs_past` is False."""
    found = []
    for side in range(len(SIDES)):
        seen = zone(counted, model, side)
        if isinstance(seen, Grey):
            seen = _settle(seen, model, evidence, scope, (counted.at_us, side))
        found.append(seen)
    return tuple(found)


def needs_past(counted: Tally, model: Model) -> bool:
    """Whether a side's score lies in a grey zone, so that only the evidence can tell its band."""
    return any(isinstance(zone(counted, model, side), Grey) for side in range(len(SIDES)))


def zone(counted: Tally, model: Model, side: int) -> Band | Grey:
    """The band a side's score says, or the grey zone it lies in."""
    if evidence_of(counted, side) < model.enough - TIE:
        return "too_early"
    score, bands = score_of(counted, model, side), model.bands
    upper: tuple[Band, Band] = ("watch", "steady")
    lower: tuple[Band, Band] = ("strained", "watch")
    for limits, (worse, better) in ((bands.steady, upper), (bands.strained, lower)):
        if score >= limits[1] - TIE:
            return better
        if score >= limits[0] - TIE:
            return Grey(*limits, worse, better)
    return "strained"


def _settle(
    grey: Grey, model: Model, evidence: Sequence[Evidence], scope: Scope, where: tuple[int, int]
) -> Band:
    """Go back from instant to instant until the score was outside the zone."""
    at_us, side = where
    # Of this scope alone: an instant at which somebody answered in private is itself private.
    for then in earlier(evidence, model, at_us, scope, LOOK_BACK):
        if evidence_of(then, side) < model.enough - TIE:
            break
        score = score_of(then, model, side)
        if score < grey.low - TIE:
            return grey.worse
        if score >= grey.high - TIE:
            return grey.better
    return grey.better
