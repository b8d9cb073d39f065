"""Facts about a pair's sessions: scheduled, moved, held, missed, called off."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.events.fact import Code, Instant, PairFact, Person
from shared.events.topics import SESSIONS, Topic
from shared.ids import SessionId

DurationMinutes = Annotated[int, Field(ge=5, le=24 * 60)]


class SessionScheduled(PairFact):
    """The pair set a time to meet."""

    type: ClassVar[str] = "session.scheduled"
    version: ClassVar[int] = 2
    topic: ClassVar[Topic] = SESSIONS

    session_id: SessionId
    by: Person
    starts_at: Instant
    duration_minutes: DurationMinutes
    channel: Code | None = None


class SessionRescheduled(PairFact):
    """A session was moved; `with_notice` is as much notice as the pair had agreed."""

    type: ClassVar[str] = "session.rescheduled"
    topic: ClassVar[Topic] = SESSIONS

    session_id: SessionId
    by: Person
    previous_starts_at: Instant
    starts_at: Instant
    duration_minutes: DurationMinutes
    channel: Code | None = None
    with_notice: bool


class SessionHeld(PairFact):
    """A session took place, as `confirmed_by` one side or both say."""

    type: ClassVar[str] = "session.held"
    topic: ClassVar[Topic] = SESSIONS

    session_id: SessionId
    starts_at: Instant
    duration_minutes: DurationMinutes
    confirmed_by: tuple[Person, ...] = Field(min_length=1, max_length=2)


class SessionMissed(PairFact):
    """A session did not take place: `missed_by` were not there and had not called it off.

    `excused` says that something outside their control kept them away: leave, a public holiday, an
    outage on both sides.
    """

    type: ClassVar[str] = "session.missed"
    topic: ClassVar[Topic] = SESSIONS

    session_id: SessionId
    starts_at: Instant
    missed_by: tuple[Person, ...] = Field(min_length=1, max_length=2)
    excused: Literal["leave", "holiday", "outage"] | None = None


class SessionCancelled(PairFact):
    """One side called a session off; `with_notice` is as much notice as the pair had agreed."""

    type: ClassVar[str] = "session.cancelled"
    topic: ClassVar[Topic] = SESSIONS

    session_id: SessionId
    starts_at: Instant
    by: Person
    with_notice: bool
