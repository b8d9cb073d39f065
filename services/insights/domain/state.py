"""The fold's incremental twin: sums that take evidence in one step each, in almost any order.

Sums are kept as of a reference time and grow forward (2^((t_i - ref) / h)), so that nothing has to
be decayed when evidence arrives, and late evidence is added like any other. What does not commute
(an agreement that changes the half-life, a kept commitment dated before one already counted) is
refused: the pair is then refolded from its stored evidence. Pure but for its own fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from services.insights.domain.evidence import DAY_US, Evidence
from services.insights.domain.model import (
    CELLS,
    NO_EFFECT,
    SCOPE_CELLS,
    SIDE_CELLS,
    Model,
    Row,
)
from services.insights.domain.weights import Scope, Tally, cap_halvings, week_of

# Sums are moved to a newer reference long before 2^age leaves the range of a float.
_REBASE_AFTER_HALF_LIVES = 256.0
_GRID_HALF_LIVES = 128
_NEVER, _ALWAYS = -(2**63), 2**63 - 1
_NO_RANK = -(2**63)
_MANY = 2**15
_FORMAT = 1
_HEAD = Struct("<BBHIqqqqiHHqiHHqQ")


class PairState:
    """What is known about one pair under one model. Not shared between tasks."""

    __slots__ = (
        "agreed_us",
        "cadence_days",
        "capped_before",
        "capped_in_week",
        "capped_us",
        "capped_week",
        "count",
        "effects",
        "half_life_us",
        "mask",
        "model",
        "newest_observable_us",
        "newest_us",
        "rate",
        "reference_us",
        "strongest",
        "sums",
    )

    def __init__(self, model: Model) -> None:
        self.model = model
        self.count = 0
        self.cadence_days = 0
        self.reference_us = 0
        self.agreed_us = self.newest_us = self.newest_observable_us = _NEVER
        # Capped evidence by side: its newest week, how many there and in the week before, the last.
        self.capped_week = [0, 0]
        self.capped_in_week = [0, 0]
        self.capped_before = [0, 0]
        self.capped_us = [_NEVER, _NEVER]
        # A bit for each cell that anything was added to.
        self.mask = 0
        self.sums = [0.0] * CELLS
        # The heaviest observable evidence of each cell, for the top reason: the time at which it
        # would have had to happen to weigh as much with weight 1, in 1,024 microseconds, and the
        # kind in the last byte. Integers: no float that knows the order of arrival breaks a tie.
        self.strongest = [_NO_RANK] * SCOPE_CELLS
        self._set_half_life()

    def _set_half_life(self) -> None:
        half_life_days = self.model.half_life_for(self.cadence_days)
        self.effects = self.model.effects(half_life_days)
        self.half_life_us = half_life_days * DAY_US
        self.rate = 1.0 / self.half_life_us

    def absorb(self, item: Evidence) -> bool:
        """Add evidence that was never added before. False: nothing changed, refold the pair."""
        _, at_us, kind, about, _ = item
        effect = self.effects.get(kind << 2 | about, NO_EFFECT)
        row, private, special, mask, cells = effect
        weighs_us, halvings = at_us, 0
        if special:
            halvings = self._prepare(row, item)
            if halvings < 0:
                return False
            weighs_us -= halvings * self.half_life_us
            cells = self.effects[kind << 2 | about].cells
        age = (at_us - self.reference_us) * self.rate
        if age > _REBASE_AFTER_HALF_LIVES or not self.count:
            self._rebase(at_us)
            age = (at_us - self.reference_us) * self.rate
        self.count += 1
        self.mask |= mask
        if at_us > self.newest_us:
            self.newest_us = at_us
        growth = 2.0 ** (age - halvings)
        sums = self.sums
        if private:
            for cell, weight, _ in cells:
                sums[cell] += weight * growth
            return True
        if at_us > self.newest_observable_us:
            self.newest_observable_us = at_us
        strongest, low_byte = self.strongest, 255 - kind
        for cell, weight, offset_us in cells:
            sums[cell] += weight * growth
            rank = weighs_us + offset_us >> 10 << 8 | low_byte
            if rank > strongest[cell]:
                strongest[cell] = rank
        return True

    def _prepare(self, row: Row, item: Evidence) -> int:
        """Do what a special row asks first; how often the weight is halved, or -1 to refuse."""
        if row.agrees and not self._agree(item.at_us, item.detail):
            return -1
        return self._cap(item.at_us, item.about - 1) if row.capped else 0

    def _agree(self, at_us: int, cadence_days: int) -> bool:
        """Take an agreement into force. False if that changes the weight of what is counted."""
        if at_us < self.agreed_us:
            return True
        same = self.model.half_life_for(cadence_days) == self.model.half_life_for(self.cadence_days)
        # Two agreements of one instant are ordered by event id, which only the fold looks at.
        if at_us == self.agreed_us:
            return cadence_days == self.cadence_days
        if not same and self.count:
            return False
        self.agreed_us, self.cadence_days = at_us, cadence_days
        self._set_half_life()
        return True

    def _cap(self, at_us: int, side: int) -> int:
        """Count a capped act; how often its weight is halved, or -1 if it is not the newest."""
        if at_us < self.capped_us[side]:
            return -1
        week = week_of(at_us)
        if week != self.capped_week[side] or self.capped_us[side] == _NEVER:
            follows = week == self.capped_week[side] + 1
            self.capped_before[side] = self.capped_in_week[side] if follows else 0
            self.capped_in_week[side] = 0
            self.capped_week[side] = week
        self.capped_us[side] = at_us
        place = min(self.capped_in_week[side] + 1, _MANY)
        self.capped_in_week[side] = place
        return cap_halvings(self.model, self.capped_before[side], place)

    def _rebase(self, at_us: int) -> None:
        # On a coarse grid, so that the sums of observable evidence come out the same to the last
        # bit whether or not a private answer came first.
        step_us = _GRID_HALF_LIVES * self.half_life_us
        reference_us = at_us // step_us * step_us
        fade = 2.0 ** ((self.reference_us - reference_us) * self.rate) if self.count else 0.0
        self.sums = [value * fade for value in self.sums]
        self.reference_us = reference_us

    def tally(self, at_us: int, scope: Scope = Scope.EVERYTHING) -> Tally:
        """The sums at an instant that is not before the newest evidence in `scope`."""
        fade = 2.0 ** ((self.reference_us - at_us) * self.rate)
        sums = self.sums
        if scope is Scope.OBSERVABLE:
            seen = [value * fade for value in sums[:SCOPE_CELLS]]
        else:
            private = sums[SCOPE_CELLS:]
            seen = [(a + b) * fade for a, b in zip(sums, private, strict=False)]
        return Tally(at_us, self.half_life_us // DAY_US, seen)

    def heaviest(self, at_us: int, side: int) -> list[tuple[int, int, float]]:
        """The heaviest observable evidence of each filled cell: (place in the side, kind, weight).

        At the same instants as `tally`.
        """
        base, found = side * SIDE_CELLS, []
        for place in range(SIDE_CELLS):
            rank = self.strongest[base + place]
            if rank != _NO_RANK:
                weighs_us = rank >> 8 << 10
                weight = 2.0 ** ((weighs_us - at_us) * self.rate)
                found.append((place, 255 - (rank & 255), weight))
        return found

    def newest(self, scope: Scope = Scope.EVERYTHING) -> int | None:
        """The time of the newest evidence in `scope`, in microseconds; None if there is none."""
        newest_us = self.newest_us if scope is Scope.EVERYTHING else self.newest_observable_us
        return None if newest_us == _NEVER else newest_us


def refold(evidence: Iterable[Evidence], model: Model) -> PairState:
    """The state of a pair from all its evidence, in any order, duplicates included."""
    distinct = {item.event_id: item for item in evidence}
    ordered = sorted(distinct.values(), key=lambda item: (item.at_us, item.event_id))
    state = PairState(model)
    agreed_us = _NEVER
    for item in ordered:
        if item.kind in model.agreements:
            state.cadence_days, agreed_us = item.detail, item.at_us
    # While the evidence goes in, the last agreement is in force whatever the earlier ones say.
    state.agreed_us = _ALWAYS
    state._set_half_life()
    for item in ordered:
        if not state.absorb(item):
            raise AssertionError("evidence in order is always absorbed")
    state.agreed_us = agreed_us
    return state


def pack(state: PairState) -> bytes:
    """The state as bytes: a fixed head, then the sums and ranks that anything was added to."""
    layout = _layout(state.mask)
    (week, week_2), (in_week, in_week_2) = state.capped_week, state.capped_in_week
    (before, before_2), (capped_us, capped_us_2) = state.capped_before, state.capped_us
    head = _HEAD.pack(
        _FORMAT, state.model.number, state.cadence_days, state.count,
        state.reference_us, state.agreed_us, state.newest_us, state.newest_observable_us,
        week, in_week, before, capped_us,
        week_2, in_week_2, before_2, capped_us_2,
        state.mask,
    )  # fmt: skip
    sums, strongest = state.sums, state.strongest
    return head + layout.tail.pack(
        *[sums[cell] for cell in layout.cells], *[strongest[cell] for cell in layout.ranked]
    )


def unpack(packed: bytes, model: Model) -> PairState | None:
    """What `pack` packed; None if another format or another model did: refold the pair."""
    if packed[0] != _FORMAT or packed[1] != model.number:
        return None
    state = PairState(model)
    (
        _, _, state.cadence_days, state.count,
        state.reference_us, state.agreed_us, state.newest_us, state.newest_observable_us,
        week, in_week, before, capped_us,
        week_2, in_week_2, before_2, capped_us_2,
        state.mask,
    ) = _HEAD.unpack_from(packed)  # fmt: skip
    state.capped_week, state.capped_in_week = [week, week_2], [in_week, in_week_2]
    state.capped_before, state.capped_us = [before, before_2], [capped_us, capped_us_2]
    state._set_half_life()
    layout = _layout(state.mask)
    values = layout.tail.unpack_from(packed, _HEAD.size)
    for cell, value in zip(layout.cells, values, strict=False):
        state.sums[cell] = value
    for cell, rank in zip(layout.ranked, values[len(layout.cells) :], strict=True):
        state.strongest[cell] = rank
    return state


class _Layout(NamedTuple):
    cells: tuple[int, ...]
    ranked: tuple[int, ...]
    tail: Struct


@lru_cache(maxsize=4096)
def _layout(mask: int) -> _Layout:
    """How the filled cells of `mask` are packed. Few masks are in use at a time."""
    cells = tuple(cell for cell in range(CELLS) if mask >> cell & 1)
    ranked = tuple(cell for cell in cells if cell < SCOPE_CELLS)
    return _Layout(cells, ranked, Struct(f"<{len(cells)}d{len(ranked)}q"))
