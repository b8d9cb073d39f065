"""Evidence to weights and sums: what each observation still weighs at an instant. Pure.

No judgement is made here: `opinion` and `trust` say what the sums mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from math import fsum
from typing import Any, NamedTuple
from uuid import UUID

from services.insights.domain.answers import matured, revealed
from services.insights.domain.evidence import DAY_US, Evidence
from services.insights.domain.model import (
    BANK_CELLS,
    NO_EFFECT,
    SIDE_CELLS,
    Effect,
    Model,
)
from services.insights.domain.pauses import LEAVE, NEVER_ENDS, Pause, pauses_of, presence_us
from services.insights.domain.repairs import REPAIR, Miss, refunds_of

WEEK_US = 7 * DAY_US
# 1 January 1970 was a Thursday; ISO weeks begin on Monday.
_MONDAY_US = 3 * DAY_US


class Scope(IntEnum):
    """Which evidence may speak, depending on who will hear it.

    EVERYTHING is for services. OBSERVED is what both sides saw happen; SHARED adds the answers that
    the other side may know; MANAGED adds to OBSERVED the answers that a programme manager's view
    may have been moved by.
    """

    EVERYTHING = 0
    OBSERVED = 1
    SHARED = 2
    MANAGED = 3


Cells = tuple[tuple[int, float], ...]


class Weighed(NamedTuple):
    """A piece of evidence and what it weighs, by cell of a bank.

    It counts from `known_us` on. `spared` is what a repair takes off the miss it repairs.
    """

    evidence: Evidence
    effect: Effect
    cells: Cells
    known_us: int
    spared: Cells = ()


@dataclass(slots=True)
class Tally:
    """All that a judgement needs: at `at_us`, per side, r and s of each facet in turn.

    `judged` keeps what `opinion` made of each side, which several judgements ask for.
    """

    at_us: int
    half_life_days: int
    sums: Sequence[float]
    judged: dict[int, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Context:
    """What the evidence up to an instant says about the weights of all of it."""

    model: Model
    half_life_days: int
    pauses: tuple[Pause, ...]
    refunds: dict[Miss, dict[int, float]]

    def spared(self, item: Evidence, side: int) -> float:
        """The share of a miss of one side that repairs give back."""
        return sum(self.refunds.get((side + 1, item.ref), {}).values())


def in_order(evidence: Iterable[Evidence], at_us: int) -> list[Evidence]:
    """Each piece of evidence up to `at_us` once, in time order."""
    seen = {item.event_id: item for item in evidence if item.at_us <= at_us}
    return sorted(seen.values(), key=lambda item: (item.at_us, item.event_id))


def context_of(counted: Sequence[Evidence], model: Model) -> Context:
    """The context of evidence that is in order."""
    return Context(
        model,
        agreed_half_life(counted, model),
        pauses_of(counted),
        refunds_of(counted, model),
    )


def weigh(
    evidence: Iterable[Evidence], model: Model, at_us: int, scope: Scope = Scope.EVERYTHING
) -> list[Weighed]:
    """Each piece of evidence up to `at_us` once, in time order, with its weight at `at_us`."""
    counted = in_order(evidence, at_us)
    context = context_of(counted, model)
    known = _known(counted, model, at_us, scope)
    effects, pauses, refunds = (
        model.effects(context.half_life_days),
        context.pauses,
        context.refunds,
    )
    rate = -1.0 / (context.half_life_days * DAY_US)
    now_us = presence_us(at_us, pauses)
    kept: dict[tuple[int, int], int] = {}
    weighed: list[Weighed] = []
    new = tuple.__new__  # what Weighed() does, at a third of its price: once per piece of evidence
    for item in counted:
        event_id, item_us, kind, about, _, _ = item
        known_us = known.get(event_id, item_us) if known else item_us
        if known_us > at_us:
            continue
        effect = effects.get(kind << 2 | about, NO_EFFECT)
        own = effect.in_bank
        if own:
            own_us = presence_us(item_us, pauses) if pauses else item_us
            exponent = (now_us - own_us) * rate
            if effect.special:
                row = effect.row
                if row.capped:
                    exponent -= _cap(kept, item, model)
                elif refunds and row.refundable:
                    own = _refunded(own, context, item)
            if effect.row.lasting:
                exponent /= model.lasting_half_lives
            fade = 2.0**exponent
            own = tuple([(cell, weight * fade) for cell, weight in own])
        weighed.append(new(Weighed, (item, effect, own, known_us, ())))
    return _with_repairs(weighed, context) if refunds else weighed


def _known(counted: Sequence[Evidence], model: Model, at_us: int, scope: Scope) -> dict[UUID, int]:
    """From when on this scope hears of evidence, where that is not the time of the evidence."""
    if scope is Scope.EVERYTHING:
        return {}
    # Of a kind this release does not know, nobody is shown so much as its date.
    known = {
        item.event_id: NEVER_ENDS
        for item in counted
        if item.kind in model.answers or item.kind not in model.rows
    }
    if scope is Scope.SHARED:
        known.update(revealed(counted, model))
    elif scope is Scope.MANAGED:
        known.update(matured(counted, model, at_us))
    return known


def _cap(kept: dict[tuple[int, int], int], item: Evidence, model: Model) -> int:
    week = week_of(item.at_us)
    kept[item.about, week] = kept.get((item.about, week), 0) + 1
    return cap_halvings(model, kept.get((item.about, week - 1), 0), kept[item.about, week])


def _refunded(own: Cells, context: Context, item: Evidence) -> Cells:
    """The weights with what repairs give back taken off what speaks against."""
    spared = (context.spared(item, 0), context.spared(item, 1))
    return tuple(
        (cell, weight * (1.0 - spared[cell // SIDE_CELLS] * (cell % 2))) for cell, weight in own
    )


def _with_repairs(weighed: list[Weighed], context: Context) -> list[Weighed]:
    """Note at each repair what it takes off its miss, once per kind of repair."""
    lost: dict[Miss, list[tuple[int, float]]] = {}
    for item in weighed:
        if item.effect.row.refundable:
            for cell, weight in item.cells:
                miss = (cell // SIDE_CELLS + 1, item.evidence.ref)
                if cell % 2:
                    lost.setdefault(miss, []).append((cell, weight))
    found, told = [], set()
    for item in weighed:
        seen = item.evidence
        miss = (seen.about, seen.ref)
        share = context.refunds.get(miss, {}).get(seen.kind) if seen.kind in REPAIR else None
        if share is not None and (miss, seen.kind) not in told:
            told.add((miss, seen.kind))
            left = 1.0 - context.spared(seen, seen.about - 1)
            spared = tuple((cell, weight / left * share) for cell, weight in lost.get(miss, ()))
            item = item._replace(spared=spared)
        found.append(item)
    return found


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
    """The sums of weighed evidence, of all banks together."""
    parts: list[list[float]] = [[] for _ in range(BANK_CELLS)]
    ordered = list(weighed)
    for item in ordered:
        for cell, weight in item.cells:
            parts[cell].append(weight)
    days = agreed_half_life((item.evidence for item in ordered), model)
    return Tally(at_us, days, [fsum(part) for part in parts])


def earlier(
    evidence: Sequence[Evidence], model: Model, at_us: int, scope: Scope, instants: int
) -> Iterator[Tally]:
    """The tallies at the last instants up to `at_us` at which anything was observed, newest first.

    Each is what `weigh` and `tally` say of its instant. While nothing in between changed how all
    evidence is weighed, it is found by taking off what was not known yet: the rest scales.
    """
    weighed = [item for item in weigh(evidence, model, at_us, scope) if item.cells]
    times = sorted({item.evidence.at_us for item in weighed}, reverse=True)[:instants]
    changed_us = max(
        (i.at_us for i in evidence if _reweighs(i.kind, model) and i.at_us <= at_us), default=None
    )
    newest_first = sorted(weighed, key=lambda item: -item.known_us)
    pauses, days = pauses_of(in_order(evidence, at_us)), 0
    sums = ([0.0] * BANK_CELLS, [0.0] * BANK_CELLS)
    for item in reversed(newest_first):
        for cell, weight in item.cells:
            sums[item.effect.row.lasting][cell] += weight
    if weighed:
        days = agreed_half_life((item.evidence for item in weighed), model)
    place = 0
    for then_us in times:
        if changed_us is not None and changed_us > then_us:
            yield tally(weigh(evidence, model, then_us, scope), model, then_us)
            continue
        while place < len(newest_first) and newest_first[place].known_us > then_us:
            item = newest_first[place]
            for cell, weight in item.cells:
                sums[item.effect.row.lasting][cell] -= weight
            place += 1
        halvings = (presence_us(at_us, pauses) - presence_us(then_us, pauses)) / (days * DAY_US)
        grow, grow_lasting = 2.0**halvings, 2.0 ** (halvings / model.lasting_half_lives)
        both = zip(*sums, strict=True)
        yield Tally(then_us, days, [a * grow + b * grow_lasting for a, b in both])


def _reweighs(kind: int, model: Model) -> bool:
    return kind in model.agreements or kind in LEAVE or kind in REPAIR
