"""A session of a pair: scheduled, then held or lapsed, or released when the pair ends. Pure.

Only times decide, never whether the sweeper has been: a late sweep gives the same facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.domain.rules import MAX_AHEAD, MAX_SCHEDULED_SESSIONS, Rules
from services.sessions.domain.thing import Decision, Reply
from shared.errors import Conflict, Rejected
from shared.events.sessions import SessionHeld, SessionScheduled
from shared.ids import PairId, PersonId, SessionId, TenantId

State = Literal["scheduled", "held", "lapsed", "released"]


class SessionOverlaps(Conflict):
    """The pair already has a session at that time."""

    slug = "session-overlaps"


class SessionNotStarted(Conflict):
    """The session has not started yet."""

    slug = "session-not-started"


class SessionClosed(Conflict):
    """The session can no longer be confirmed."""

    slug = "session-closed"


class TooManySessions(Conflict):
    """The pair has as many sessions ahead as it can have."""

    slug = "too-many-sessions"


@dataclass(frozen=True, slots=True)
class Slot:
    """When a session is to be."""

    starts_at: datetime
    duration_minutes: int

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.duration_minutes)


@dataclass(frozen=True, slots=True)
class Session:
    """`confirmed_by` grows by who says it took place; at `sweep_at` what is there decides."""

    tenant: TenantId
    pair_id: PairId
    session_id: SessionId
    scheduled_by: PersonId
    slot: Slot
    sweep_at: datetime
    confirmed_by: tuple[PersonId, ...] = ()
    state: State = "scheduled"
    revision: int = 1

    @property
    def id(self) -> UUID:
        return self.session_id

    @property
    def reply(self) -> Reply | None:
        """Nobody's word is waited for."""
        return None


def require_free(slot: Slot, ahead: Sequence[Slot]) -> None:
    """Raise SessionOverlaps or TooManySessions unless `slot` fits among those yet to end."""
    if any(slot.starts_at < other.ends_at and other.starts_at < slot.ends_at for other in ahead):
        raise SessionOverlaps
    if len(ahead) >= MAX_SCHEDULED_SESSIONS:
        raise TooManySessions


def schedule(
    pair: Pair, session_id: SessionId, by: PersonId, slot: Slot, now: datetime, rules: Rules
) -> Decision[Session]:
    """Set a time to meet; `require_free` has said that the pair has room for it.

    Raises Rejected for a time that is past or too far, or PairEnded.
    """
    pair.side_of(by)
    pair.require_active()
    if slot.starts_at <= now:
        raise Rejected("a session can only be scheduled ahead", field="starts_at")
    if slot.starts_at > now + MAX_AHEAD:
        raise Rejected("a session can be at most a year ahead", field="starts_at")
    session = Session(
        pair.tenant, pair.pair_id, session_id, by, slot, slot.ends_at + rules.confirm_within
    )
    fact = SessionScheduled(
        **pair.sides,
        session_id=session_id,
        by=by,
        starts_at=slot.starts_at,
        duration_minutes=slot.duration_minutes,
    )
    return session, (Happened(pair.tenant, fact, now),)


def confirm(pair: Pair, session: Session, by: PersonId, now: datetime) -> Decision[Session]:
    """One side says that the session took place. Confirming again changes nothing.

    Raises SessionNotStarted or SessionClosed.
    """
    pair.side_of(by)
    if by in session.confirmed_by:
        return session, ()
    if session.state != "scheduled" or now >= session.sweep_at:
        raise SessionClosed(f"the session could be confirmed until {session.sweep_at.isoformat()}")
    if now < session.slot.starts_at:
        raise SessionNotStarted
    confirmed = replace(session, confirmed_by=(*session.confirmed_by, by))
    if len(confirmed.confirmed_by) < len(pair.members):
        return confirmed, ()
    # Both may say so before the planned end; a fact is never about the future.
    return _held(pair, confirmed, min(session.slot.ends_at, now))


def close(pair: Pair, session: Session) -> Decision[Session]:
    """What is so at `sweep_at`: held if anybody confirmed, else lapsed, which is no evidence."""
    if session.state != "scheduled":
        return session, ()
    if not session.confirmed_by:
        return replace(session, state="lapsed"), ()
    return _held(pair, session, session.slot.ends_at)


def _held(pair: Pair, session: Session, at: datetime) -> Decision[Session]:
    fact = SessionHeld(
        **pair.sides,
        session_id=session.session_id,
        starts_at=session.slot.starts_at,
        duration_minutes=session.slot.duration_minutes,
        confirmed_by=session.confirmed_by,
    )
    return replace(session, state="held"), (Happened(pair.tenant, fact, at),)
