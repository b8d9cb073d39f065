"""Evidence to weights and sums: what each observation still weighs at an instant. Pure.

No judgement is made here: `opinion` and `trust` say what the sums mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from math import fsum
from typing import NamedTuple

from services.insights.domain.evidence import DAY_US, Evidence
from services.insights.domain.model import (
    CELLS,
    NO_EFFECT,
    SCOPE_CELLS,
    Effect,
    Model,
    effect_key,
)

WEEK_US = 7 * DAY_US
# 1 January 1970 was a Thursday; ISO weeks begin on Monday.
_MONDAY_US = 3 * DAY_US


class Scope(IntEnum):
    """Which evidence may speak: all of it, or only what both sides saw happen."""

    EVERYTHING = 0
    OBSERVABLE = 1


class Weighed(NamedTuple):
    """A piece of evidence, what it does, and how often its weight is halved by cap and by age."""

    evidence: Evidence
    effect: Effect
    cap_halvings: int
    age_halvings: float


class Tally(NamedTuple):
    """All that a judgement needs: at `at_us`, per side, r and s of each facet in turn."""

    at_us: int
    half_life_days: int
    sums: Sequence[float]


def weigh(
    evidence: Iterable[Evidence], model: Model, at_us: int, scope: Scope = Scope.EVERYTHING
) -> list[Weighed]:
    """Each piece of evidence up to `at_us` once, in time order, with its weight at `at_us`."""
    seen = {item.event_id: item for item in evidence if item.at_us <= at_us}
    counted = sorted(seen.values(), key=lambda item: (item.at_us, item.event_id))
    half_life_days = agreed_half_life(counted, model)
    effects = model.effects(half_life_days)
    kept: dict[tuple[int, int], int] = {}
    weighed = []
    for item in counted:
        effect = effects.get(effect_key(item.kind, item.about), NO_EFFECT)
        if scope is Scope.OBSERVABLE and effect.private:
            continue
        halvings = 0
        if effect.row.capped:
            week = week_of(item.at_us)
            kept[item.about, week] = kept.get((item.about, week), 0) + 1
            before = kept.get((item.about, week - 1), 0)
            halvings = cap_halvings(model, before, kept[item.about, week])
        weighed.append(
            Weighed(item, effect, halvings, (at_us - item.at_us) / (half_life_days * DAY_US))
        )
    return weighed


def agreed_half_life(ordered: Iterable[Evidence], model: Model) -> int:
    """Days: under the last agreement in `ordered`, or the default before there is one."""
    cadence_days = 0
    for item in ordered:
        if item.kind in model.agreements:
            cadence_days = item.detail
    return model.half_life_for(cadence_days)


def week_of(at_us: int) -> int:
    """The number of the ISO week (UTC) an instant falls in; only differences mean anything."""
    return (at_us + _MONDAY_US) // WEEK_US


def cap_halvings(model: Model, before: int, place: int) -> int:
    """How often the weight of the `place`-th capped act of a week is halved.

    What the week `before` had over its full ones is carried over, so that a steady flood does not
    earn a fresh allowance every Monday.
    """
    full = model.full_per_week
    return max(0, max(0, before - full) + place - full)


def tally(weighed: Iterable[Weighed], model: Model, at_us: int) -> Tally:
    """The sums of weighed evidence, private and observable together."""
    parts: list[list[float]] = [[] for _ in range(CELLS)]
    ordered = list(weighed)
    for item in ordered:
        fade = 2.0 ** -(item.age_halvings + item.cap_halvings)
        for cell, weight, _ in item.effect.cells:
            parts[cell].append(weight * fade)
    sums = [fsum(parts[cell]) + fsum(parts[cell + SCOPE_CELLS]) for cell in range(SCOPE_CELLS)]
    days = agreed_half_life((item.evidence for item in ordered), model)
    return Tally(at_us, days, sums)
