"""Moving a session to another time, and calling it off, before it starts. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.domain.possible import require
from services.sessions.domain.presence import away
from services.sessions.domain.rules import Rules
from services.sessions.domain.session import Session, Slot, by_now, closes_at, require_ahead
from services.sessions.domain.thing import Decision
from shared.events.sessions import SessionCancelled, SessionRescheduled
from shared.ids import PersonId

# What counts as notice between two who have not agreed on any.
NOTICE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Move:
    """Where a session is to go; `notice` is how long before its start the pair agreed to say so."""

    slot: Slot
    channel: str | None
    notice: timedelta = NOTICE


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to change about a session; None leaves it as it is."""

    starts_at: datetime
    duration_minutes: int | None = None
    channel: str | None = None

    def of(self, session: Session, notice: timedelta) -> Move:
        """Where the session goes by it."""
        minutes = self.duration_minutes or session.slot.duration_minutes
        return Move(Slot(self.starts_at, minutes), self.channel or session.booking.channel, notice)


def reschedule(
    pair: Pair, session: Session, by: PersonId, move: Move, now: datetime, rules: Rules
) -> Decision[Session]:
    """Move a session to another slot, channel, or both; to where it is, is no move.

    What somebody had allowed for the old time is not allowed for the new one.
    Raises Rejected, PairEnded, or a Conflict of domain/possible.py.
    """
    slot, channel = move.slot, move.channel
    pair.side_of(by)
    require("reschedule", by_now(pair, session, now)[0], by, now)
    if (slot, channel) == (session.slot, session.booking.channel):
        return session, ()
    pair.require_active()
    require_ahead(slot, now)
    moved = replace(
        session,
        slot=slot,
        sweep_at=closes_at(pair, slot, rules),
        sequence=session.sequence + 1,
        confirmed_by=(),
        booking=replace(session.booking, channel=channel, allowed_by=None, term=None),
    )
    fact = SessionRescheduled(
        **pair.sides,
        session_id=session.session_id,
        by=by,
        previous_starts_at=session.slot.starts_at,
        starts_at=slot.starts_at,
        duration_minutes=slot.duration_minutes,
        channel=channel,
        with_notice=_with_notice(pair, session, by, move.notice, now),
    )
    return moved, (Happened(pair.tenant, fact, now),)


def cancel(
    pair: Pair, session: Session, by: PersonId, notice: timedelta, now: datetime
) -> Decision[Session]:
    """Call a session off before it starts. Calling off what is called off changes nothing.

    Raises a Conflict of domain/possible.py.
    """
    pair.side_of(by)
    if session.state == "cancelled":
        return session, ()
    require("cancel", by_now(pair, session, now)[0], by, now)
    fact = SessionCancelled(
        **pair.sides,
        session_id=session.session_id,
        starts_at=session.slot.starts_at,
        by=by,
        with_notice=_with_notice(pair, session, by, notice, now),
    )
    return replace(session, state="cancelled"), (Happened(pair.tenant, fact, now),)


def _with_notice(
    pair: Pair, session: Session, by: PersonId, notice: timedelta, now: datetime
) -> bool:
    starts_at = session.slot.starts_at
    # Who is away on that day could not have come: no hour would have been early enough.
    return starts_at - now >= notice or away(pair.member(by), starts_at) is not None
