"""The fold's incremental twin: sums that take evidence in one step each, in almost any order.

Sums are kept as of a reference time and grow forward (2^((t_i - ref) / h)), so that nothing has to
be decayed when evidence arrives, and late evidence is added like any other. What does not commute
(an agreement that changes the half-life, a kept commitment dated before one already counted, a
repair, a leave) is refused: the pair is then refolded from its stored evidence. All times are
presence times but those that say so. Pure but for its own fields.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from math import log2
from uuid import UUID

from services.insights.domain.answers import SHARED, revealed
from services.insights.domain.capped import Capped
from services.insights.domain.evidence import DAY_US, Evidence
from services.insights.domain.model import (
    BANK_CELLS,
    CELLS,
    NO_EFFECT,
    RANKED_CELLS,
    SIDE_CELLS,
    Bank,
    Effect,
    Model,
)
from services.insights.domain.pauses import LEAVE, Pause, presence_us
from services.insights.domain.repairs import REPAIR
from services.insights.domain.seen import NEVER, Answer, Seen
from services.insights.domain.weights import (
    Context,
    Scope,
    Tally,
    context_of,
    in_order,
)

# Sums are moved to a newer reference long before 2^age leaves the range of a float.
_REBASE_AFTER_HALF_LIVES = 256.0
_GRID_HALF_LIVES = 128
_ALWAYS = 2**63 - 1
NO_RANK = -(2**63)
_TO_SHARED = (Bank.PRIVATE - Bank.SHARED) * BANK_CELLS
# How many banks a scope sees. A manager's is not among them: what has matured depends on the day.
_BANKS = {Scope.EVERYTHING: 4, Scope.SHARED: 3, Scope.OBSERVED: 2}


class PairState:
    """What is known about one pair under one model. Not shared between tasks."""

    __slots__ = (
        "agreed_us",
        "answers",
        "cadence_days",
        "capped",
        "count",
        "effects",
        "generation",
        "half_life_us",
        "mask",
        "model",
        "newest_shared_us",
        "newest_us",
        "pauses",
        "rate",
        "reference_us",
        "repaired",
        "strongest",
        "sums",
    )

    def __init__(self, model: Model) -> None:
        self.model = model
        self.generation = (
            0  # how often the tenant's model was switched; the tenant's, so not packed
        )
        self.count = 0
        self.cadence_days = 0
        self.reference_us = 0
        # Calendar times.
        self.agreed_us = self.newest_us = self.newest_shared_us = NEVER
        self.capped = (Capped(), Capped())
        self.pauses: tuple[Pause, ...] = ()
        self.answers = Seen(model.reveal_within_days * DAY_US)
        self.repaired = False  # with any repair, a miss may have been refunded before it was told
        # A bit for each cell that anything was added to.
        self.mask = 0
        self.sums = [0.0] * CELLS
        # The heaviest observed evidence of each cell, for the reasons: the time at which it
        # would have had to happen to weigh as much with weight 1, in 1,024 microseconds, and the
        # kind in the last byte. Integers: no float that knows the order of arrival breaks a tie.
        self.strongest = [NO_RANK] * RANKED_CELLS
        self.set_half_life()

    @property
    def revision(self) -> int:
        """Grows with each piece of evidence, and with each switch of the model."""
        return self.generation << 32 | self.count

    def set_half_life(self) -> None:
        """Take the half-life of `cadence_days`; what is in the sums keeps the one it went in by."""
        half_life_days = self.model.half_life_for(self.cadence_days)
        self.effects = self.model.effects(half_life_days)
        self.half_life_us = half_life_days * DAY_US
        self.rate = 1.0 / self.half_life_us

    def absorb(self, item: Evidence) -> bool:
        """Add evidence that was never added before. False: nothing changed, refold the pair."""
        _, at_us, kind, about, _, _ = item
        effect = self.effects.get(kind << 2 | about, NO_EFFECT)
        halvings, shift = 0, 0
        if effect.special:
            halvings, shift = self._prepare(effect, item)
            if halvings < 0:
                return False
            effect = self.effects.get(kind << 2 | about, NO_EFFECT)
        self._see(at_us, shared=bool(shift) or not effect.private)
        own_us = presence_us(at_us, self.pauses) if self.pauses else at_us
        self._add(effect, kind, own_us, halvings, shift)
        return True

    def count_in(self, item: Evidence, context: Context, known: Collection[UUID]) -> None:
        """Add evidence in time order, knowing all of it: `known` are the answers revealed."""
        _, at_us, kind, about, _, ref = item
        if kind in LEAVE:
            self.count += 1
            return
        effect = self.effects.get(kind << 2 | about, NO_EFFECT)
        halvings = self.capped[about - 1].count(at_us, self.model) if effect.row.capped else 0
        shift = _TO_SHARED if item.event_id in known else 0
        if effect.private and effect.cells and ref:
            self.answers.remember(Answer(ref, at_us, kind, about, bool(shift)))
        self._see(at_us, shared=bool(shift) or not effect.private)
        if effect.row.refundable and context.refunds:
            effect = self._refunded(effect, context, item)
        self._add(effect, kind, presence_us(at_us, self.pauses), halvings, shift)

    def _see(self, at_us: int, *, shared: bool) -> None:
        if at_us > self.newest_us:
            self.newest_us = at_us
        if shared and at_us > self.newest_shared_us:
            self.newest_shared_us = at_us

    def _refunded(self, effect: Effect, context: Context, item: Evidence) -> Effect:
        """The effect with what repairs give back taken off."""
        left = (1.0 - context.spared(item, 0), 1.0 - context.spared(item, 1))
        cells = []
        for cell, weight, offset_us in effect.cells:
            share = left[cell % BANK_CELLS // SIDE_CELLS] if cell % 2 else 1.0
            cells.append((cell, weight * share, offset_us + round(self.half_life_us * log2(share))))
        return effect._replace(cells=tuple(cells))

    def _add(self, effect: Effect, kind: int, own_us: int, halvings: int, shift: int) -> None:
        age = (own_us - self.reference_us) * self.rate
        if age > _REBASE_AFTER_HALF_LIVES or not self.mask:
            self._rebase(own_us)
            age = (own_us - self.reference_us) * self.rate
        self.count += 1
        sums = self.sums
        if effect.private:
            growth = 2.0 ** (age - halvings)
            for cell, weight, _ in effect.cells:
                sums[cell - shift] += weight * growth
                self.mask |= 1 << cell - shift
            return
        self.mask |= effect.mask
        half_life_us = self.half_life_us
        if effect.row.lasting:
            age /= self.model.lasting_half_lives
            half_life_us *= self.model.lasting_half_lives
        growth = 2.0 ** (age - halvings)
        weighs_us = own_us - halvings * half_life_us
        strongest, low_byte = self.strongest, 255 - kind
        for cell, weight, offset_us in effect.cells:
            sums[cell] += weight * growth
            rank = weighs_us + offset_us >> 10 << 8 | low_byte
            if rank > strongest[cell]:
                strongest[cell] = rank

    def _prepare(self, effect: Effect, item: Evidence) -> tuple[int, int]:
        """How often the weight is halved, or -1 to refuse; how far from its cell it counts."""
        row = effect.row
        if row.private:
            return self._answer(item) if effect.cells else (0, 0)
        if not effect.cells:
            return (-1 if item.kind in REPAIR or item.kind in LEAVE else 0), 0
        if row.refundable and self.repaired:
            return -1, 0
        if row.agrees and not self._agree(item.at_us, item.detail):
            return -1, 0
        return self.capped[item.about - 1].count(item.at_us, self.model) if row.capped else 0, 0

    def _answer(self, item: Evidence) -> tuple[int, int]:
        """See whether an answer is known to the other side, and which others now are, too."""
        _, at_us, kind, about, detail, ref = item
        known = detail == SHARED
        if ref:
            met = self.answers.meet(ref, at_us, kind, about, known=known)
            if met is None:
                return -1, 0
            for earlier in met.revealed:
                self._reveal(*earlier)
            known = met.known
        return 0, _TO_SHARED if known else 0

    def _reveal(self, at_us: int, kind: int, about: int) -> None:
        """Move an answer from the private sums to those that the other side may know."""
        own_us = presence_us(at_us, self.pauses)
        growth = 2.0 ** ((own_us - self.reference_us) * self.rate)
        for cell, weight, _ in self.effects[kind << 2 | about].cells:
            self.sums[cell] -= weight * growth
            self.sums[cell - _TO_SHARED] += weight * growth
            self.mask |= 1 << cell - _TO_SHARED
        self.newest_shared_us = max(self.newest_shared_us, at_us)

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
        self.set_half_life()
        return True

    def _rebase(self, own_us: int) -> None:
        # On a coarse grid, so that the sums of shared evidence come out the same to the last bit
        # whether or not a private answer came first.
        step_us = _GRID_HALF_LIVES * self.half_life_us
        reference_us = own_us // step_us * step_us
        fade = self._fades(reference_us) if self.mask else (0.0, 0.0)
        self.sums = [
            value * fade[cell // BANK_CELLS == Bank.LASTING] for cell, value in enumerate(self.sums)
        ]
        self.reference_us = reference_us

    def _fades(self, own_us: int) -> tuple[float, float]:
        # How much of a sum is left at a presence time; and of a lasting one.
        age = (self.reference_us - own_us) * self.rate
        return 2.0**age, 2.0 ** (age / self.model.lasting_half_lives)

    def tally(self, at_us: int, scope: Scope = Scope.EVERYTHING) -> Tally:
        """The sums at an instant (calendar) that is not before the newest evidence in `scope`."""
        fade, lasting = self._fades(presence_us(at_us, self.pauses))
        sums, size = self.sums, BANK_CELLS
        seen = [
            a * fade + b * lasting for a, b in zip(sums[:size], sums[size : 2 * size], strict=True)
        ]
        for bank in range(2, _BANKS[scope]):
            added = sums[bank * size : (bank + 1) * size]
            seen = [a + b * fade for a, b in zip(seen, added, strict=True)]
        return Tally(at_us, self.half_life_us // DAY_US, seen)

    def heaviest(self, at_us: int, side: int) -> list[tuple[int, int, float]]:
        """The heaviest observed evidence of each filled cell: (place in the side, kind, weight)."""
        own_us = presence_us(at_us, self.pauses)
        found = []
        for bank in (Bank.OBSERVED, Bank.LASTING):
            base = bank * BANK_CELLS + side * SIDE_CELLS
            rate = self.rate / (self.model.lasting_half_lives if bank is Bank.LASTING else 1)
            for place in range(SIDE_CELLS):
                rank = self.strongest[base + place]
                if rank != NO_RANK:
                    weighs_us = rank >> 8 << 10
                    weight = 2.0 ** ((weighs_us - own_us) * rate)
                    found.append((place, 255 - (rank & 255), weight))
        return found

    def newest(self, scope: Scope = Scope.EVERYTHING) -> int | None:
        """The calendar time of the newest evidence in `scope`, in microseconds; None without."""
        newest_us = self.newest_us if scope is Scope.EVERYTHING else self.newest_shared_us
        return None if newest_us == NEVER else newest_us


def refold(evidence: Iterable[Evidence], model: Model) -> PairState:
    """The state of a pair from all its evidence, in any order, duplicates included."""
    ordered = in_order(evidence, _ALWAYS)
    context = context_of(ordered, model)
    state = PairState(model)
    agreed_us = NEVER
    for item in ordered:
        if item.kind in model.agreements:
            state.cadence_days, agreed_us = item.detail, item.at_us
    # While the evidence goes in, the last agreement is in force whatever the earlier ones say.
    state.agreed_us = _ALWAYS
    state.pauses = context.pauses
    state.set_half_life()
    known = revealed(ordered, model)
    for item in ordered:
        state.count_in(item, context, known)
    state.agreed_us = agreed_us
    state.repaired = any(item.kind in REPAIR for item in ordered)
    return state
