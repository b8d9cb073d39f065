"""Why a score is what it is: leave-one-out, what fades, what would help. Pure, and codes only.

A reason is the code of a row and the id of the event. The caller chooses the scope of the evidence
it passes in: reasons that a person will see come from observable evidence alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log
from typing import NamedTuple
from uuid import UUID

from services.insights.domain.evidence import MICROSECOND, REPAIR_WITHIN, About, Evidence, Kind
from services.insights.domain.model import FACETS, SIDE_CELLS, SIDES, Facet, Model, Row
from services.insights.domain.opinion import score_of
from services.insights.domain.state import PairState
from services.insights.domain.weights import WEEK_US, Scope, Tally, Weighed, tally, weigh

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
    scope: Scope = Scope.OBSERVED,
) -> Explanation:
    """The reasons behind one direction (`side` 0: about the mentor, 1: about the mentee)."""
    weighed = weigh(evidence, model, at_us, scope)
    counted = tally(weighed, model, at_us)
    # To anybody but a service a private event is no reason, revealed or not.
    told = [item for item in weighed if scope is Scope.EVERYTHING or not item.effect.private]
    found = sorted(reasons(told, counted, model, side), key=_most_first)
    return Explanation(
        up=tuple(reason for reason in found if reason.delta > _NEGLIGIBLE)[:TOP],
        down=tuple(reason for reason in found if reason.delta < -_NEGLIGIBLE)[:TOP],
        fading=_fading(counted, model, side),
        next_step=_next_step(evidence, counted, model, side, scope),
    )


def strongest(state: PairState, at_us: int, side: int) -> list[Reason]:
    """The heaviest observed evidence of each facet and sign of a direction, strongest first.

    Read from the state alone, so without ids and without repairs; but for those, the first is the
    first of what `reasons` finds.
    """
    counted = state.tally(at_us, Scope.SHARED)
    found = [
        Reason(_delta(counted, state.model, side, ((place, weight),)), row.code, FACETS[place // 2],
               _HYPOTHETICAL)
        for place, kind, weight in state.heaviest(at_us, side)
        if (row := state.model.rows.get(Kind(kind)))
    ]  # fmt: skip
    return sorted((one for one in found if abs(one.delta) > _NEGLIGIBLE), key=_most_first)


def codes(reasons: Iterable[Reason]) -> tuple[str, ...]:
    """The codes of the strongest, each once."""
    return tuple(dict.fromkeys(reason.code for reason in reasons))[:TOP]


def _most_first(reason: Reason) -> tuple[int, int, str, UUID]:
    # Rounded, so that the last bits of a sum do not choose between equals.
    return -round(abs(reason.delta) / _NEGLIGIBLE), reason.facet, reason.code, reason.event_id


def reasons(weighed: Sequence[Weighed], counted: Tally, model: Model, side: int) -> list[Reason]:
    """Each event once, with the facet that it moves most."""
    found = []
    first, last = side * SIDE_CELLS, (side + 1) * SIDE_CELLS
    for item in weighed:
        moved = item.cells
        if item.spared:
            moved = (*moved, *((cell, -weight) for cell, weight in item.spared))
        best: Reason | None = None
        for facet, own in groupby(moved, key=_facet_cell):
            if first <= 2 * facet < last:
                delta = _delta(counted, model, side, [(c - first, weight) for c, weight in own])
                reason = Reason(
                    delta, item.effect.row.code, FACETS[facet - first // 2], item.evidence.event_id
                )
                if best is None or _most_first(reason) < _most_first(best):
                    best = reason
        if best is not None:
            found.append(best)
    return found


def _facet_cell(moved: tuple[int, float]) -> int:
    return moved[0] // 2


def _delta(counted: Tally, model: Model, side: int, moved: Sequence[tuple[int, float]]) -> float:
    """How much of a facet's score rests on weights in cells of one facet of a side. Exact, O(1)."""
    base = side * SIDE_CELLS + moved[0][0] // 2 * 2
    r, s = counted.sums[base], counted.sums[base + 1]
    without_r, without_s = r, s
    for place, weight in moved:
        if place % 2:
            without_s -= weight
        else:
            without_r -= weight
    prior = model.base_rate * model.prior_strength
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
    best: NextStep | None = None
    for kind, row in model.rows.items():
        tried = _tried(kind, row, evidence, counted, model, side) if row.advice else None
        if tried is None:
            continue
        score = score_of(_with(tried, row, evidence, counted, model, scope), model, side)
        if best is None or score > best.score + _NEGLIGIBLE:
            best = NextStep(row.code, score)
    now = score_of(counted, model, side)
    return best if best is not None and best.score > now + _NEGLIGIBLE else None


def _with(
    tried: Evidence,
    row: Row,
    evidence: Sequence[Evidence],
    counted: Tally,
    model: Model,
    scope: Scope,
) -> Tally:
    """The tally with one event more, now."""
    at_us = counted.at_us
    if row.agrees or not row.good:
        return tally(weigh([*evidence, tried], model, at_us, scope), model, at_us)
    # It changes the weight of nothing else; its own, only where a week has had its full ones.
    lately = [
        item
        for item in evidence
        if item.kind in model.agreements
        or (row.capped and item.kind == tried.kind and item.at_us > at_us - 2 * WEEK_US)
    ]
    own = weigh([*lately, tried], model, at_us)[-1]
    sums = list(counted.sums)
    for cell, weight in own.cells:
        sums[cell] += weight
    return Tally(at_us, counted.half_life_days, sums)


def _tried(
    kind: Kind, row: Row, evidence: Sequence[Evidence], counted: Tally, model: Model, side: int
) -> Evidence | None:
    """The event of a kind as if it happened now; None where it would make no sense."""
    at_us = counted.at_us
    if kind is Kind.REPAIR_DELIVERED:
        repaired = {item.ref for item in evidence if item.kind == kind}
        since_us = at_us - REPAIR_WITHIN // MICROSECOND
        open_misses = [
            item
            for item in evidence
            if item.kind in model.refundable
            and item.about & SIDES[side]
            and since_us <= item.at_us <= at_us
            and item.ref not in repaired
        ]
        if not open_misses:
            return None
        newest = max(open_misses, key=lambda item: (item.at_us, item.event_id))
        return Evidence(_HYPOTHETICAL, at_us, kind, SIDES[side], 0, newest.ref)
    if row.agrees:
        if any(item.kind in model.agreements and item.at_us <= at_us for item in evidence):
            return None
        return Evidence(
            _HYPOTHETICAL,
            at_us,
            kind,
            About.BOTH,
            counted.half_life_days // model.half_life_cadences,
        )
    return Evidence(_HYPOTHETICAL, at_us, kind, SIDES[side] if row.capped else About.BOTH)
