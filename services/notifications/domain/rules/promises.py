"""Rules about promises, repairs, goals, and answers that somebody waits for. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias, assert_never

from services.notifications.domain.message import Params
from services.notifications.domain.rules.said import (
    NEWS_KEPT,
    Said,
    Settled,
    both,
    other,
    pair_thread,
    settled,
    side,
)
from shared.events.sessions import (
    CommitmentAccepted,
    CommitmentAcknowledged,
    CommitmentDeclined,
    CommitmentKept,
    CommitmentMade,
    CommitmentMissed,
    CommitmentMissedTold,
    CommitmentMissedWarned,
    CommitmentMoved,
    CommitmentReleased,
    CommitmentRenegotiated,
    CommitmentShownFalse,
    CommitmentWarned,
    GoalProgressed,
    RepairDelivered,
    ReplyRequested,
    ReplySettled,
)

_Promised: TypeAlias = (
    CommitmentMade
    | CommitmentAccepted
    | CommitmentMoved
    | CommitmentRenegotiated
    | CommitmentWarned
    | CommitmentMissed
)
PromiseTold: TypeAlias = _Promised | RepairDelivered | GoalProgressed | ReplyRequested
_Over: TypeAlias = (
    CommitmentDeclined
    | CommitmentReleased
    | CommitmentKept
    | CommitmentShownFalse
    | CommitmentMissedWarned
    | CommitmentMissedTold
    | CommitmentAcknowledged
)
PromiseSettling: TypeAlias = _Promised | _Over | ReplySettled

DAY = timedelta(days=1)
# Nobody is pressed for an answer on the day they are asked.
ANSWER_ASKED_AFTER = DAY
_ALL = ("commitment_made", "commitment_tomorrow", "commitment_warned", "commitment_missed")


def said_of_promises(fact: PromiseTold, at: datetime) -> tuple[Said, ...]:
    """What is said of promises and of what comes after them."""
    thread = pair_thread(fact)
    match fact:
        case RepairDelivered():
            to = (side(fact, fact.by),)
            return (Said("repair_delivered", to, fact.repair_id, thread, at, at + NEWS_KEPT),)
        case GoalProgressed():
            if fact.progress < 1:
                return ()
            return (Said("goal_reached", both(fact), fact.goal_id, thread, at, at + NEWS_KEPT),)
        case ReplyRequested():
            return _waiting(fact, at)
        case _:
            return _promised(fact, at)


def _waiting(fact: ReplyRequested, at: datetime) -> tuple[Said, ...]:
    asked, until = at + ANSWER_ASKED_AFTER, fact.until or at + NEWS_KEPT
    if asked >= until:
        return ()
    params: Params = {"until_at": fact.until.isoformat() if fact.until else ""}
    to, thread = (side(fact, fact.of),), pair_thread(fact)
    return (Said("reply_waiting", to, fact.reply_id, thread, asked, until, params),)


def _promised(fact: _Promised, at: datetime) -> tuple[Said, ...]:
    thread, about = pair_thread(fact), fact.commitment_id
    params: Params = {"due_at": fact.due_at.isoformat()}
    waits, maker = (other(fact, fact.by),), (side(fact, fact.by),)
    match fact:
        case CommitmentMade():
            # Nobody is asked for a yes to what is over.
            return (Said("commitment_made", waits, about, thread, at, fact.due_at, params),)
        case CommitmentAccepted() | CommitmentMoved() | CommitmentRenegotiated():
            soon = fact.due_at - DAY
            if soon <= at:
                return ()
            return (Said("commitment_tomorrow", maker, about, thread, soon, fact.due_at, params),)
        case CommitmentWarned():
            ends = at + NEWS_KEPT
            return (Said("commitment_warned", waits, about, thread, at, ends, params),)
        case CommitmentMissed():
            # To the maker alone: the other side learns it from a person, not from us.
            ends = at + NEWS_KEPT
            return (Said("commitment_missed", maker, about, thread, at, ends, params),)
        case _:
            assert_never(fact)


def settled_of_promises(fact: PromiseSettling) -> tuple[Settled, ...]:
    """What a fact about a promise, or an answer, makes pointless."""
    match fact:
        case ReplySettled():
            return settled(fact.reply_id, "reply_waiting")
        case CommitmentMade():
            return ()
        case CommitmentWarned():
            # Who has said that it will be late need not be reminded.
            return settled(fact.commitment_id, "commitment_tomorrow")
        case CommitmentAccepted():
            return settled(fact.commitment_id, "commitment_made")
        case _:
            return settled(fact.commitment_id, *_ALL)
