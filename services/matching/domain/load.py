"""The load guard: who has promises waiting takes on nobody new before they are kept. Pure.

A place for each late promise is set aside, and comes back when it is settled: it protects whoever
was promised something, and whoever promised too much. It is no mark: nobody else is told of it, and
nothing is kept of a promise that was never late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.events.sessions import (
    CommitmentAcknowledged,
    CommitmentFact,
    CommitmentKept,
    CommitmentMissed,
    CommitmentReleased,
    CommitmentShownFalse,
    RepairDelivered,
    RepairFact,
)
from shared.ids import CommitmentId, PairId, PersonId

# After this a miss is history, and no place is set aside for it any longer.
COUNTS_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class LatePromise:
    """A promise that `person_id`, a mentor, did not keep and said no word about, at `since`."""

    commitment_id: CommitmentId
    pair_id: PairId
    person_id: PersonId
    since: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """What closes a late promise. `was_late`: it can only be said of one that was late, so that it
    holds against news of the miss which comes after it.
    """

    commitment_id: UUID
    pair_id: PairId
    at: datetime
    was_late: bool


@dataclass(frozen=True, slots=True)
class Load:
    """What takes up a mentor's places. `cap` is the programme's, or None."""

    capacity: int
    open_pairs: int
    late: int
    cap: int | None = None

    @property
    def places(self) -> int:
        """How many new pairs the mentor is open to."""
        most = self.capacity if self.cap is None else min(self.capacity, self.cap)
        return max(0, most - self.open_pairs - self.late)


def late(fact: CommitmentFact, at: datetime) -> LatePromise | None:
    """The late promise that a fact of `at` opens: a mentor's miss without a word."""
    if not isinstance(fact, CommitmentMissed) or fact.by != fact.mentor_id:
        return None
    return LatePromise(fact.commitment_id, fact.pair_id, fact.by, at)


def settled(fact: CommitmentFact | RepairFact, at: datetime) -> Settled | None:
    """What a fact of `at` settles of a mentor's late promises, or None.

    Kept, released and shown false close a promise for good before it is missed; acknowledged and
    put right are only said of a miss.
    """
    if fact.by != fact.mentor_id:
        return None
    match fact:
        case CommitmentKept() | CommitmentReleased() | CommitmentShownFalse():
            return Settled(fact.commitment_id, fact.pair_id, at, was_late=False)
        case CommitmentAcknowledged():
            return Settled(fact.commitment_id, fact.pair_id, at, was_late=True)
        case RepairDelivered():
            return Settled(fact.repairs, fact.pair_id, at, was_late=True)
        case _:
            return None


def words(load: Load) -> str:
    """Why a mentor is or is not open to somebody new, for the mentor alone."""
    if load.late == 1:
        return "One promise is waiting: its place comes back when it is kept."
    if load.late > 1:
        return f"{_count(load.late)} promises are waiting: places come back when they are kept."
    return words_for_others(has_place=load.places > 0)


def words_for_others(*, has_place: bool) -> str:
    """What everybody else is told."""
    return "There is a free place." if has_place else "No free place."


def _count(number: int) -> str:
    small = ("Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
    return small[number - 2] if number - 2 < len(small) else str(number)
