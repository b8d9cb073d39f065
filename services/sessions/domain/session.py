"""A session of a pair: what it is, what may be done with it, and what time makes of it. Pure.

    scheduled --both confirm, or one does by confirm_until--> held
      |  |`--nobody does-------------------------------------> lapsed: no evidence
      |  |--one was not there, and says so------------------> missed
      |  |--"they were not there"--> claimed (domain/afterwards.py)
      |  `--called off before it starts---------------------> cancelled (domain/moving.py)
      `--the pair ended before it started-------------------> released

Only times decide, never whether the sweeper has been: a late sweep gives the same facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.domain.presence import NEVER, away, deadline
from services.sessions.domain.rules import MAX_AHEAD, MAX_SCHEDULED_SESSIONS, Rules
from services.sessions.domain.thing import Decision, Reply
from shared.errors import Conflict, Rejected
from shared.events.sessions import SessionHeld, SessionMissed, SessionScheduled
from shared.ids import PairId, PersonId, SessionId, TenantId

State = Literal[
    "scheduled", "claimed", "disputed", "held", "missed", "cancelled", "lapsed", "released"
]


class SessionOverlaps(Conflict):
    """One of you already has a session at that time."""

    slug = "session-overlaps"


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

    def overlaps(self, other: Slot) -> bool:
        """Whether the two share an instant; those that only touch do not."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True, slots=True)
class Booking:
    """How a session came about. `term` is what it breaks of the agreement, and `allowed_by` who
    allowed that this once.
    """

    channel: str | None = None
    series_id: UUID | None = None
    allowed_by: PersonId | None = None
    term: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """When and how to meet."""

    slot: Slot
    booking: Booking = Booking()


@dataclass(frozen=True, slots=True)
class Claim:
    """`by` says that `accused` was not there; `disputed_at` is when the accused said otherwise.

    `confirm_until` is when the session would have closed without it. `outage` is whether the
    service was away all the while.
    """

    by: PersonId
    accused: PersonId
    at: datetime
    confirm_until: datetime
    outage: bool = False
    disputed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """`confirmed_by` and `missed_by` grow by who says what; at `sweep_at` what is there decides.

    `sequence` counts how often it was moved. `slot` is two instants: somebody who moves to another
    zone meets at the same instant, at another local time.
    """

    tenant: TenantId
    pair_id: PairId
    session_id: SessionId
    scheduled_by: PersonId
    slot: Slot
    sweep_at: datetime
    confirmed_by: tuple[PersonId, ...] = ()
    state: State = "scheduled"
    revision: int = 1
    booking: Booking = Booking()
    sequence: int = 0
    claim: Claim | None = None
    missed_by: tuple[PersonId, ...] = ()

    @property
    def id(self) -> UUID:
        return self.session_id

    @property
    def confirm_until(self) -> datetime:
        """Until when it can be said whether it took place."""
        return self.claim.confirm_until if self.claim else self.sweep_at

    @property
    def reply(self) -> Reply | None:
        """Who is said not to have been there has the word."""
        if self.state != "claimed" or self.claim is None:
            return None
        until = self.sweep_at if self.sweep_at < NEVER else None
        return Reply(self.claim.accused, "session", until)


def require_free(slot: Slot, taken: Iterable[Slot]) -> None:
    """Raise SessionOverlaps when one of the two is taken at that time, in whichever pair."""
    if any(slot.overlaps(other) for other in taken):
        raise SessionOverlaps


def require_room(ahead: int) -> None:
    """Raise TooManySessions when the pair has as many sessions ahead as it can have."""
    if ahead >= MAX_SCHEDULED_SESSIONS:
        raise TooManySessions


def require_ahead(slot: Slot, now: datetime) -> None:
    """Raise Rejected for a time that is past, or more than a year ahead."""
    if slot.starts_at <= now:
        raise Rejected("a session can only be scheduled ahead", field="starts_at")
    if slot.starts_at > now + MAX_AHEAD:
        raise Rejected("a session can be at most a year ahead", field="starts_at")


def schedule(
    pair: Pair, session_id: SessionId, by: PersonId, plan: Plan, now: datetime, rules: Rules
) -> Decision[Session]:
    """Set a time to meet; `require_free` and `require_room` have said that it can be.

    Raises Rejected for a time that is past or too far, or PairEnded.
    """
    pair.side_of(by)
    pair.require_active()
    slot, booking = plan.slot, plan.booking
    require_ahead(slot, now)
    until = closes_at(pair, slot, rules)
    session = Session(pair.tenant, pair.pair_id, session_id, by, slot, until, booking=booking)
    fact = SessionScheduled(
        **pair.sides,
        session_id=session_id,
        by=by,
        starts_at=slot.starts_at,
        duration_minutes=slot.duration_minutes,
        channel=booking.channel,
    )
    return session, (Happened(pair.tenant, fact, now),)


def closes_at(pair: Pair, slot: Slot, rules: Rules) -> datetime:
    """When it can no longer be said whether it took place: both were there for so long by then."""
    return deadline(slot.ends_at, rules.confirm_within, pair)


def by_now(pair: Pair, session: Session, now: datetime) -> Decision[Session]:
    """The session as time has left it, swept or not, and what came of that."""
    return close(pair, session) if now >= session.sweep_at else (session, ())


def close(pair: Pair, session: Session) -> Decision[Session]:
    """What is so at `sweep_at`.

    A claim that nobody answered stands; a dispute that nobody settled is no evidence; else it was
    held if anybody confirmed, and lapsed, which is no evidence either, if nobody did.
    """
    if session.state == "claimed" and session.claim:
        return missed(pair, session, (session.claim.accused,), outage=session.claim.outage)
    if session.state == "disputed":
        return replace(session, state="lapsed"), ()
    if session.state != "scheduled":
        return session, ()
    if not session.confirmed_by:
        return replace(session, state="lapsed"), ()
    return held(pair, session, session.slot.ends_at)


def held(pair: Pair, session: Session, at: datetime) -> Decision[Session]:
    """It took place, as those who confirmed it say."""
    fact = SessionHeld(
        **pair.sides,
        session_id=session.session_id,
        starts_at=session.slot.starts_at,
        duration_minutes=session.slot.duration_minutes,
        confirmed_by=session.confirmed_by,
    )
    return replace(session, state="held"), (Happened(pair.tenant, fact, at),)


def missed(
    pair: Pair, session: Session, who: Sequence[PersonId], *, outage: bool
) -> Decision[Session]:
    """`who` were not there, as of its start. Those who had an excuse are in a fact of their own."""
    excuses = {each: _excuse(pair, each, session, outage=outage) for each in who}
    happened = []
    for excuse in dict.fromkeys(excuses.values()):
        fact = SessionMissed(
            **pair.sides,
            session_id=session.session_id,
            starts_at=session.slot.starts_at,
            missed_by=tuple(each for each in who if excuses[each] == excuse),
            excused=excuse,
        )
        happened.append(Happened(pair.tenant, fact, session.slot.starts_at))
    absent = (*session.missed_by, *who)
    return replace(session, state="missed", missed_by=absent), tuple(happened)


def _excuse(
    pair: Pair, person: PersonId, session: Session, *, outage: bool
) -> Literal["leave", "holiday", "outage"] | None:
    reason = away(pair.member(person), session.slot.starts_at)
    return reason or ("outage" if outage else None)
