"""Private yes-or-no answers about the other side, after a session. Shown to nobody. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.domain.rules import MAX_FEEDBACK_ITEMS
from services.sessions.domain.session import Session
from shared.errors import Conflict
from shared.events.sessions import FeedbackGiven, FeedbackItem
from shared.ids import PersonId, SessionId, TenantId


class SessionNotHeld(Conflict):
    """Feedback can be given once the session is known to have taken place."""

    slug = "session-not-held"


class AlreadyAnswered(Conflict):
    """You have answered this item for this session."""

    slug = "already-answered"


class EnoughAnswered(Conflict):
    """You have answered as many items as one session asks for."""

    slug = "enough-answered"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of one side after one session."""

    tenant: TenantId
    session_id: SessionId
    given_by: PersonId
    item: FeedbackItem
    yes: bool
    given_at: datetime


def give(
    pair: Pair, session: Session, given: Sequence[Answer], answer: Answer
) -> tuple[Happened, ...]:
    """Decide on `answer`, where `given` is what the same person has said about this session.

    Nothing happens when the same answer is given again.
    Raises SessionNotHeld, AlreadyAnswered or EnoughAnswered.
    """
    about = pair.other(answer.given_by)
    if session.state != "held":
        raise SessionNotHeld
    for earlier in given:
        if earlier.item == answer.item:
            if earlier.yes == answer.yes:
                return ()
            raise AlreadyAnswered
    if len(given) >= MAX_FEEDBACK_ITEMS:
        raise EnoughAnswered
    fact = FeedbackGiven(
        **pair.sides,
        session_id=session.session_id,
        by=answer.given_by,
        about=about,
        item=answer.item,
        answer=answer.yes,
    )
    return (Happened(answer.tenant, fact, answer.given_at),)
