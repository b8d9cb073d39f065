"""Why a score is what it is: leave-one-out, what fades, what would help. Pure, and codes only.

A reason is the code of a row and the id of the event. The caller chooses the scope of the evidence
it passes in: reasons that a person will see come from observable evidence alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import NamedTuple
from uuid import UUID

from services.insights.domain.evidence import About, Evidence, Kind
from services.insights.domain.model import FACETS, SIDE_CELLS, SIDES, Facet, Model
from services.insights.domain.opinion import score_of
from services.insights.domain.state import PairState
from services.insights.domain.weights import Scope, Tally, Weighed, tally, weigh

TOP = 3
# Shifts below this are float noise or nothing a person would call a reason.
_NEGLIGIBLE = 1e-9
_HYPOTHETICAL = UUID(int=(1 << 128) - 1)


class Reason(NamedTuple):
    """The facet's score would be lower by `delta` without this event (higher, if negative)."""

    delta: float
    code: str
    facet: Facet
    event_id: UUID


class Fading(NamedTuple):
    """The facet whose score changes fastest by time alone, and by how much in a day."""

    facet: Facet
    per_day: float


class NextStep(NamedTuple):
    """The one event that would lift the direction's score most, and to what."""

    code: str
    score: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one direction stands where it stands."""

    up: tuple[Reason, ...]
    down: tuple[Reason, ...]
    fading: Fading | None
    next_step: NextStep | None


def explain(
    evidence: Sequence[Evidence],
    model: Model,
    at_us: int,
    side: int,
    scope: Scope = Scope.OBSERVABLE,
) -> Explanation:
    """The reasons behind one direction (`side` 0: about the mentor, 1: about the mentee)."""
    weighed = weigh(evidence, model, at_us, scope)
    counted = tally(weighed, model, at_us)
    reasons = sorted(_reasons(weighed, counted, model, side), key=_most_first)
    return Explanation(
        up=tuple(reason for reason in reasons if reason.delta > _NEGLIGIBLE)[:TOP],
        down=tuple(reason for reason in reasons if reason.delta < -_NEGLIGIBLE)[:TOP],
        fading=_fading(counted, model, side),
        next_step=_next_step(evidence, counted, model, side, scope),
    )


def top_reason(state: PairState, at_us: int, side: int) -> str | None:
    """The code of the observable evidence that moves any one facet of a direction most.

    Read from the state alone; it is the first of what `explain` finds, whichever way it points.
    """
    if not state.count:
        return None
    counted = state.tally(at_us, Scope.OBSERVABLE)
    reasons = [
        Reason(_delta(counted, state.model, side, place, weight), row.code, FACETS[place // 2],
               _HYPOTHETICAL)
        for place, kind, weight in state.heaviest(at_us, side)
        if (row := state.model.rows.get(Kind(kind)))
    ]  # fmt: skip
    best = min(reasons, key=_most_first, default=None)
    return best.code if best is not None and abs(best.delta) > _NEGLIGIBLE else None


def _most_first(reason: Reason) -> tuple[int, int, str, UUID]:
    # Rounded, so that the last bits of a sum do not choose between equals.
    return -round(abs(reason.delta) / _NEGLIGIBLE), reason.facet, reason.code, reason.event_id


def _reasons(weighed: Sequence[Weighed], counted: Tally, model: Model, side: int) -> list[Reason]:
    """Each event once, with the facet that it moves most."""
    found = []
    for item in weighed:
        fade = 2.0 ** -(item.age_halvings + item.cap_halvings)
        own = [
            Reason(
                _delta(counted, model, side, cell % SIDE_CELLS, weight * fade),
                item.effect.row.code,
                FACETS[cell % SIDE_CELLS // 2],
                item.evidence.event_id,
            )
            for cell, weight, _ in item.effect.cells
            if cell // SIDE_CELLS % len(SIDES) == side
        ]
        if own:
            found.append(min(own, key=_most_first))
    return found


def _delta(counted: Tally, model: Model, side: int, place: int, weight: float) -> float:
    """How much of a facet's score rests on `weight` in cell `place` of a side. Exact, O(1)."""
    base = side * SIDE_CELLS + place // 2 * 2
    r, s = counted.sums[base], counted.sums[base + 1]
    prior = model.base_rate * model.prior_strength
    without_r = r - weight if place % 2 == 0 else r
    without_s = s - weight if place % 2 else s
    return (r + prior) / (r + s + model.prior_strength) - (without_r + prior) / (
        without_r + without_s + model.prior_strength
    )


def _fading(counted: Tally, model: Model, side: int) -> Fading | None:
    rate = log(2.0) / counted.half_life_days
    strength, found = model.prior_strength, []
    for facet in FACETS:
        base = side * SIDE_CELLS + 2 * facet
        r, n = counted.sums[base], counted.sums[base] + counted.sums[base + 1]
        per_day = rate * strength * (model.base_rate * n - r) / (n + strength) ** 2
        found.append(Fading(facet, per_day))
    fastest = min(found, key=lambda item: (-round(abs(item.per_day) / _NEGLIGIBLE), item.facet))
    return fastest if abs(fastest.per_day) > _NEGLIGIBLE else None


def _next_step(
    evidence: Sequence[Evidence], counted: Tally, model: Model, side: int, scope: Scope
) -> NextStep | None:
    """Try each thing worth suggesting as if it happened now; none, if none would help."""
    at_us = counted.at_us
    agreed = any(item.kind in model.agreements and item.at_us <= at_us for item in evidence)
    best: NextStep | None = None
    for kind, row in model.rows.items():
        if not row.advice or (row.agrees and agreed):
            continue
        about = SIDES[side] if row.capped else About.BOTH
        cadence = counted.half_life_days // model.half_life_cadences if row.agrees else 0
        tried = Evidence(_HYPOTHETICAL, at_us, kind, about, cadence)
        score = score_of(
            tally(weigh([*evidence, tried], model, at_us, scope), model, at_us), model, side
        )
        if best is None or score > best.score + _NEGLIGIBLE:
            best = NextStep(row.code, score)
    now = score_of(counted, model, side)
    return best if best is not None and best.score > now + _NEGLIGIBLE else None
