"""What may be done with a session now, and how the rest is refused. Changes nothing. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from services.sessions.domain.session import Session
from shared.errors import Conflict
from shared.ids import PersonId

Action = Literal[
    "reschedule",
    "cancel",
    "confirm",
    "no-show",
    "dispute",
    "withdraw",
    "resolve",
    "feedback",
    "repair",
]
Actions: TypeAlias = tuple[Action, ...]


class SessionNotStarted(Conflict):
    """The session has not started yet."""

    slug = "session-not-started"


class SessionStarted(Conflict):
    """The session has started."""

    slug = "session-started"


class SessionConfirmed(Conflict):
    """You have said that the session took place."""

    slug = "session-confirmed"


class SessionClaimed(Conflict):
    """One side has said that the other was not there."""

    slug = "session-claimed"


class SessionClosed(Conflict):
    """What became of the session is settled."""

    slug = "session-closed"


_IS = {
    "held": "it is held",
    "missed": "it is missed",
    "cancelled": "it was called off",
    "lapsed": "it is closed, and nobody knows whether it took place",
    "released": "the pair ended before it started",
    "claimed": "one side has said that the other was not there",
    "disputed": "the two sides disagree about who was there",
}


def possible(session: Session, by: PersonId, now: datetime) -> Actions:
    """What a member may do with the session as it is by `now` (`session.by_now`).

    What they have done already can be repeated, and changes nothing; that is not named.
    """
    claim = session.claim
    match session.state:
        case "scheduled" if now < session.slot.starts_at:
            return "reschedule", "cancel"
        case "scheduled" if by not in session.confirmed_by:
            return "confirm", "no-show"
        case "claimed" if claim and by == claim.accused:
            return "no-show", "dispute"
        case "disputed" if claim and by == claim.accused:
            return ("no-show",)
        case "claimed" | "disputed":
            return ("withdraw",)
        case "held":
            return ("feedback",)
        case "missed":
            return _after_a_miss(session, by, now)
        case _:
            return ()


def require(action: Action, session: Session, by: PersonId, now: datetime) -> None:
    """Raise the Conflict that says why a member may not, and what they may instead."""
    allowed = possible(session, by, now)
    if action in allowed:
        return
    if session.state in _IS:
        kind = SessionClaimed if session.claim and not _settled(session) else SessionClosed
        raise kind(_said(_IS[session.state], allowed), allowed=allowed)
    if now < session.slot.starts_at:
        starts_at = session.slot.starts_at.isoformat()
        raise SessionNotStarted(_said(f"it starts at {starts_at}", allowed), allowed=allowed)
    if by in session.confirmed_by:
        raise SessionConfirmed(_said("you have said that it took place", allowed), allowed=allowed)
    raise SessionStarted(_said("it has started", allowed), allowed=allowed)


def require_disputed(session: Session) -> None:
    """Raise SessionClosed unless there is a dispute to settle."""
    if session.state == "disputed":
        return
    what = _IS.get(session.state, "nobody has disputed anything")
    raise SessionClosed(_said(what, ()), allowed=())


def _after_a_miss(session: Session, by: PersonId, now: datetime) -> Actions:
    if by in session.missed_by:
        return ("repair",)
    # Both may have been away; whoever said that the other was, was there.
    waited = session.claim is not None and session.claim.by == by
    return ("no-show",) if not waited and now < session.confirm_until else ()


def _settled(session: Session) -> bool:
    return session.state not in ("claimed", "disputed")


def _said(what: str, allowed: Actions) -> str:
    words = {"no-show": "say that somebody was not there", "feedback": "give feedback"}
    named = " or ".join(words.get(each, f"{each} it") for each in allowed)
    return f"{what}; you can {named}" if named else f"{what}; there is nothing more to do about it"
