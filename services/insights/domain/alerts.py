"""When a direction is worth a human's look, and when it no longer is. Pure.

Looked at once a day: an alert is raised when trust was very probably low on two days running, and
resolved when it is probably not low any more. Between the two probabilities nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from services.insights.domain.bands import Band, bands_of
from services.insights.domain.evidence import Evidence
from services.insights.domain.explain import Explanation, explain
from services.insights.domain.model import SIDE_CELLS, SIDES, Model
from services.insights.domain.opinion import probability_low, score_of
from services.insights.domain.state import PairState
from services.insights.domain.weights import Scope, Tally, tally, weigh

ALERT_ABOVE = 0.8
RESOLVED_BELOW = 0.5
LOW = 0.5
# A pair is looked at closely when not even this far above `LOW` is certain from its sums alone.
MARGIN = 0.1
DAY = timedelta(days=1)
# The advice of the text where no single event would help: look at the agreement together again.
LAST_ADVICE = "agreement_reviewed"

Resolution = Literal["recovered", "too_early", "ended"]


@dataclass(frozen=True, slots=True)
class Risk:
    """What is remembered of one direction: the last day it looked very low, and an open alert."""

    low_on: date | None = None
    alerted_on: date | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """How one direction stood at an epoch, as far as a manager may be told."""

    probability: float
    band: Band
    why: Explanation

    @property
    def next_step(self) -> str:
        """The one thing to suggest."""
        return self.why.next_step.code if self.why.next_step else LAST_ADVICE


Decision = tuple[Risk, Literal["alerted"] | Resolution | None]


def decide(before: Risk, look: Look | None, epoch: date) -> Decision:
    """What one daily look changes; `look` is None when the pair has ended. Idempotent per epoch."""
    if look is None:
        return Risk(), "ended" if before.alerted_on else None
    low = look.band != "too_early" and look.probability > ALERT_ABOVE
    if before.alerted_on is not None:
        if look.band == "too_early":
            return Risk(), "too_early"
        if look.probability < RESOLVED_BELOW:
            return Risk(), "recovered"
        return replace(before, low_on=epoch if low else before.low_on), None
    if not low:
        return Risk(), None
    if before.low_on == epoch - DAY:
        return Risk(epoch, epoch), "alerted"
    return Risk(epoch), None


def look_at(evidence: list[Evidence], model: Model, at_us: int) -> list[Look]:
    """Both directions at an instant: judged as a manager may see them, with observed reasons."""
    counted = tally(weigh(evidence, model, at_us, Scope.MANAGED), model, at_us)
    bands = bands_of(counted, model, evidence, Scope.MANAGED)
    return [
        Look(
            probability=probability_low(counted, model, side),
            band=bands[side],
            why=explain(evidence, model, at_us, side, Scope.OBSERVED),
        )
        for side in range(len(SIDES))
    ]


def needs_a_look(state: PairState, at_us: int) -> bool:
    """Whether a direction may be low in any projection; may say yes too often, never too seldom.

    Every answer that speaks for a side is left out and every one that speaks against it is kept.
    """
    newest = state.newest()
    if newest is None:
        return False
    if newest > at_us:
        return True
    everything, observed = state.tally(at_us), state.tally(at_us, Scope.OBSERVED)
    worst = Tally(at_us, everything.half_life_days, _worst(everything, observed))
    return any(score_of(worst, state.model, side) < LOW + MARGIN for side in range(len(SIDES)))


def _worst(everything: Tally, observed: Tally) -> list[float]:
    both = zip(everything.sums, observed.sums, strict=True)
    return [a if cell % SIDE_CELLS % 2 else b for cell, (a, b) in enumerate(both)]
