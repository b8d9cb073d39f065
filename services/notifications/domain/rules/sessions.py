"""Rules about sessions: invitations, what reminds of them, and one question afterwards. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias, assert_never

from services.notifications.domain.message import Params
from services.notifications.domain.rules.said import (
    NEWS_KEPT,
    Said,
    Settled,
    both,
    session_thread,
    settled,
    side,
)
from shared.events.sessions import (
    SessionCancelled,
    SessionHeld,
    SessionMissed,
    SessionRescheduled,
    SessionScheduled,
)

SessionTold: TypeAlias = SessionScheduled | SessionRescheduled | SessionCancelled | SessionHeld
SessionSettling: TypeAlias = SessionRescheduled | SessionCancelled | SessionHeld | SessionMissed

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# What is so near cannot wait for the morning.
URGENT = timedelta(hours=12)
# A reminder on the day before is of no use any more so shortly before.
TOO_LATE = timedelta(hours=2)
REMINDERS = ("session_tomorrow", "session_soon")
INVITATIONS = ("session_scheduled", "session_rescheduled")


def said_of_sessions(fact: SessionTold, at: datetime) -> tuple[Said, ...]:
    """What is said of a session. Invitations go to both: each has a calendar."""
    match fact:
        case SessionScheduled():
            return (_invitation("session_scheduled", fact, at), *_reminders(fact, at))
        case SessionRescheduled():
            return (_invitation("session_rescheduled", fact, at), *_reminders(fact, at))
        case SessionCancelled():
            return (_invitation("session_cancelled", fact, at),)
        case SessionHeld():
            params: Params = {"starts_at": fact.starts_at.isoformat()}
            thread, ends = session_thread(fact.session_id), at + NEWS_KEPT
            about = fact.session_id
            return (Said("session_held", both(fact), about, thread, at, ends, params),)
        case _:
            assert_never(fact)


def _invitation(
    workflow: str, fact: SessionScheduled | SessionRescheduled | SessionCancelled, at: datetime
) -> Said:
    params: dict[str, str | int] = {"starts_at": fact.starts_at.isoformat()}
    first = fact.starts_at
    if isinstance(fact, SessionRescheduled):
        params["previous_starts_at"] = fact.previous_starts_at.isoformat()
        first = min(first, fact.previous_starts_at)
    if not isinstance(fact, SessionCancelled):
        params["duration_minutes"] = fact.duration_minutes
    return Said(
        workflow,
        both(fact),
        fact.session_id,
        session_thread(fact.session_id),
        at,
        # Of no use once it has begun; who was to come has to know even a moment before.
        max(fact.starts_at, first),
        params,
        by=side(fact, fact.by),
        is_urgent=at < first <= at + URGENT,
    )


def _reminders(fact: SessionScheduled | SessionRescheduled, at: datetime) -> tuple[Said, ...]:
    starts, two, about = fact.starts_at, both(fact), fact.session_id
    thread = session_thread(about)
    params: Params = {"starts_at": starts.isoformat(), "duration_minutes": fact.duration_minutes}
    made = (
        Said("session_tomorrow", two, about, thread, starts - DAY, starts - TOO_LATE, params),
        Said("session_soon", two, about, thread, starts - HOUR, starts, params),
    )
    # What was booked this morning for the afternoon is not told of again.
    return tuple(each for each in made if each.not_before > at)


def settled_of_sessions(fact: SessionSettling) -> tuple[Settled, ...]:
    """What a fact about a session makes pointless. Only what was not said: an invitation that a
    calendar has is taken back by a cancellation.
    """
    match fact:
        case SessionRescheduled() | SessionCancelled() | SessionHeld() | SessionMissed():
            return settled(fact.session_id, *INVITATIONS, *REMINDERS)
        case _:
            assert_never(fact)
