"""What every booking looks at before it takes a time: who is free then, and what was agreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.sessions.domain.agreement import Agreement
from services.sessions.domain.moving import NOTICE
from services.sessions.domain.session import Slot, require_free, require_room
from services.sessions.handlers.commands import Work
from services.sessions.queries import agreements, sessions
from services.sessions.queries.sessions import Taken
from shared.ids import SessionId


@dataclass(frozen=True, slots=True)
class Times:
    """The times of the two, which nobody else can take before the transaction ends."""

    taken: Sequence[Taken]
    work: Work

    @property
    def slots(self) -> Sequence[Slot]:
        return [each.slot for each in self.taken]

    @property
    def ahead(self) -> int:
        """How many sessions this pair has ahead."""
        return sum(each.pair_id == self.work.pair.pair_id for each in self.taken)

    def require(self, slot: Slot, moving: SessionId | None = None) -> None:
        """Raise SessionOverlaps or TooManySessions; a session that moves is not in its own way."""
        require_free(slot, (each.slot for each in self.taken if each.session_id != moving))
        if moving is None:
            require_room(self.ahead)


async def hold_times(work: Work) -> Times:
    """Both people's times, in all their pairs, held until the transaction ends."""
    await sessions.hold_times(work.conn, work.pair)
    # A statement of its own: only one that begins after the lock was had sees what others took.
    return Times(await sessions.taken(work.conn, work.pair, work.ask.now), work)


async def agreement_of(work: Work) -> Agreement | None:
    """What the two have signed, and is in force."""
    return await agreements.in_force(work.conn, work.pair)


def notice_of(agreement: Agreement | None) -> timedelta:
    """How long before a session it has to be said that it will not be then."""
    return timedelta(hours=agreement.terms.notice_hours) if agreement else NOTICE
