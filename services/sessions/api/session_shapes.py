"""What goes in and out over HTTP about sessions. Bodies are closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from services.sessions.domain.afterwards import Outcome
from services.sessions.domain.moving import Wish
from services.sessions.domain.pair import Pair
from services.sessions.domain.possible import Action, possible
from services.sessions.domain.session import Booking, Plan, Session, Slot, State
from services.sessions.handlers.sessions import Who
from shared.asking import Ask
from shared.events.fact import OPAQUE, Code
from shared.events.sessions import DurationMinutes
from shared.ids import PersonId
from shared.shapes import Body, Instant


class TimeIn(Body):
    starts_at: Instant
    duration_minutes: DurationMinutes

    def slot(self) -> Slot:
        return Slot(self.starts_at, self.duration_minutes)


class SlotIn(TimeIn):
    channel: Code | None = None

    def plan(self) -> Plan:
        return Plan(self.slot(), Booking(self.channel))


class MoveIn(Body):
    """Where to; what is left out stays as it is."""

    starts_at: Instant
    duration_minutes: DurationMinutes | None = None
    channel: Code | None = None

    def wish(self) -> Wish:
        return Wish(self.starts_at, self.duration_minutes, self.channel)


class NoShowIn(Body):
    who: Who


class OutcomeIn(Body):
    """`missed_by` is for `missed`, when it was not the one who is said to."""

    outcome: Outcome
    missed_by: Annotated[tuple[Annotated[str, OPAQUE], ...], Field(max_length=2)] = ()

    def absent(self) -> Sequence[PersonId]:
        return tuple(PersonId(each) for each in self.missed_by)


class TimeOut(BaseModel):
    """A time; also as the clocks show it where you are and where your partner is, when asked."""

    starts_at: datetime
    starts_at_local: datetime | None = None
    starts_at_partner: datetime | None = None
    duration_minutes: int


class SessionOut(TimeOut):
    """`allowed` are the last parts of the paths that you may post to now."""

    session_id: UUID
    pair_id: UUID
    scheduled_by: str
    channel: str | None
    series_id: UUID | None
    allowed_by: str | None
    broken_term: str | None
    sequence: int
    confirmed_by: Sequence[str]
    missed_by: Sequence[str]
    confirm_until: datetime
    claimed_by: str | None
    answer_until: datetime | None
    state: State
    allowed: Sequence[Action]


class SessionPage(BaseModel):
    sessions: Sequence[SessionOut]
    next_cursor: str | None


class DisputeOut(BaseModel):
    kind: Literal["session", "commitment", "boundary"]
    id: UUID
    pair_id: UUID
    since: datetime


class DisputesOut(BaseModel):
    disputes: Sequence[DisputeOut]


def time_out(slot: Slot, reader: PersonId, pair: Pair | None) -> TimeOut:
    """The time, with local times when the pair is at hand."""
    mine, theirs = _locals(slot, reader, pair)
    return TimeOut(
        starts_at=slot.starts_at,
        starts_at_local=mine,
        starts_at_partner=theirs,
        duration_minutes=slot.duration_minutes,
    )


def session_out(session: Session, ask: Ask, pair: Pair | None = None) -> SessionOut:
    """The session, and what the one who asks may do; a judge has nothing to do with the rest."""
    slot, booking, claim = session.slot, session.booking, session.claim
    mine, theirs = _locals(slot, ask.person, pair)
    return SessionOut(
        starts_at=slot.starts_at,
        starts_at_local=mine,
        starts_at_partner=theirs,
        duration_minutes=slot.duration_minutes,
        session_id=session.session_id,
        pair_id=session.pair_id,
        scheduled_by=session.scheduled_by,
        channel=booking.channel,
        series_id=booking.series_id,
        allowed_by=booking.allowed_by,
        broken_term=booking.term,
        sequence=session.sequence,
        confirmed_by=session.confirmed_by,
        missed_by=session.missed_by,
        confirm_until=session.confirm_until,
        claimed_by=claim.by if claim else None,
        answer_until=session.sweep_at if session.state == "claimed" else None,
        state=session.state,
        allowed=() if ask.judging else possible(session, ask.person, ask.now),
    )


def _locals(
    slot: Slot, reader: PersonId, pair: Pair | None
) -> tuple[datetime | None, datetime | None]:
    if pair is None:
        return None, None
    mine, theirs = pair.member(reader), pair.member(pair.other(reader))
    return (
        slot.starts_at.astimezone(ZoneInfo(mine.zone)),
        slot.starts_at.astimezone(ZoneInfo(theirs.zone)),
    )
