"""Private yes-or-no answers about the other side, after a session. Pure.

One question at a time, two at most, and another one first after each session. The other side sees
an answer when its giver shares it, or once both have answered; from then on nothing more is asked,
so that nobody answers knowing what the other said (docs/decisions/0019).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair, Side
from services.sessions.domain.rules import MAX_FEEDBACK_ITEMS
from services.sessions.domain.session import Session
from shared.errors import Conflict
from shared.events.sessions import FeedbackGiven, FeedbackItem
from shared.ids import PersonId, SessionId, TenantId

# As long as two answers about one session still reveal each other.
OPEN_FOR = timedelta(days=14)
ITEMS: tuple[FeedbackItem, ...] = ("listened", "honest", "prepared", "at_ease")
# Four sessions ask each item first, and each second, once; the two sides are never asked the same.
_STEP = 2
_BEGINS: dict[Side, int] = {"mentor": 0, "mentee": 1}
WORDS: dict[FeedbackItem, str] = {
    "listened": "Did they really listen to you?",
    "honest": "Were they open and honest with you?",
    "prepared": "Did they come prepared?",
    "at_ease": "Did you feel at ease with them?",
}


class SessionNotHeld(Conflict):
    """Feedback can be given once the session is known to have taken place."""

    slug = "session-not-held"


class AlreadyAnswered(Conflict):
    """You have answered this item for this session."""

    slug = "already-answered"


class NotAsked(Conflict):
    """This is not what is asked now."""

    slug = "not-asked"


class QuestionsClosed(Conflict):
    """Nothing more is asked about this session."""

    slug = "questions-closed"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of one side after one session."""

    tenant: TenantId
    session_id: SessionId
    given_by: PersonId
    item: FeedbackItem
    yes: bool
    given_at: datetime
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A session, how many the pair had held before it, and what both have answered about it."""

    session: Session
    held_before: int
    answers: Sequence[Answer]

    def of(self, person: PersonId) -> Sequence[Answer]:
        return [each for each in self.answers if each.given_by == person]

    @property
    def both(self) -> bool:
        """Whether both sides have answered."""
        return len({each.given_by for each in self.answers}) > 1

    @property
    def closes_at(self) -> datetime:
        return self.session.slot.ends_at + OPEN_FOR


def question(pair: Pair, asked: Asked, person: PersonId, now: datetime) -> FeedbackItem | None:
    """What `person` is asked now, if anything."""
    mine = asked.of(person)
    if asked.session.state != "held" or now >= asked.closes_at:
        return None
    if len(mine) >= MAX_FEEDBACK_ITEMS or (mine and asked.both):
        return None
    turn = _BEGINS[pair.side_of(person)] + asked.held_before + _STEP * len(mine)
    # An earlier session may turn out to have been held in between: nothing is asked twice.
    answered = {each.item for each in mine}
    in_turn = (ITEMS[(turn + n) % len(ITEMS)] for n in range(len(ITEMS)))
    return next(item for item in in_turn if item not in answered)


def give(pair: Pair, asked: Asked, answer: Answer) -> tuple[Happened, ...]:
    """Decide on `answer`. Nothing happens when the same answer is given again.

    Raises SessionNotHeld, AlreadyAnswered, QuestionsClosed or NotAsked.
    """
    about = pair.other(answer.given_by)
    if asked.session.state != "held":
        raise SessionNotHeld
    for earlier in asked.of(answer.given_by):
        if earlier.item == answer.item:
            if (earlier.yes, earlier.shared) == (answer.yes, answer.shared):
                return ()
            raise AlreadyAnswered
    now = question(pair, asked, answer.given_by, answer.given_at)
    if now is None:
        raise QuestionsClosed(allowed=())
    if now != answer.item:
        raise NotAsked(f"what is asked now is {now}", field="item", allowed=(now,))
    fact = FeedbackGiven(
        **pair.sides,
        session_id=asked.session.session_id,
        by=answer.given_by,
        about=about,
        item=answer.item,
        answer=answer.yes,
        shared=answer.shared,
    )
    return (Happened(answer.tenant, fact, answer.given_at),)


def theirs(pair: Pair, asked: Asked, reader: PersonId) -> Sequence[Answer]:
    """The other side's answers that `reader` may see: shared ones, and all once both answered."""
    given = asked.of(pair.other(reader))
    return given if asked.both else [each for each in given if each.shared]
