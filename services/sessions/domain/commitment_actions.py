"""Who may do what with a commitment, and when: one table, from which rules and clients read. Pure.

A rule that is entered here has been allowed by the table, and what the table allows is what a
client is told it may do; the two cannot come apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from services.sessions.domain.commitment import (
    MISSED,
    ONGOING,
    Commitment,
    CommitmentClosed,
    CommitmentDue,
    CommitmentNotDue,
    CommitmentTold,
    NotNow,
    State,
    as_of,
    standing,
)
from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from shared.errors import Conflict, Forbidden
from shared.ids import PersonId

Action = Literal[
    "accept",
    "decline",
    "withdraw",
    "keep",
    "warn",
    "tell",
    "ask-for-time",
    "agree-time",
    "refuse-time",
    "release",
    "claim-done",
    "take-back",
    "dispute",
    "admit",
    "resolve",
    "acknowledge",
]
Who = Literal["maker", "receiver", "judge"]
_ONLY: dict[Who, str] = {
    "maker": "only the side that made the commitment can say so",
    "receiver": "only the other side of the one who made it can say so",
    "judge": "only a manager who is of neither side can settle it",
}


class WhyNot(NamedTuple):
    """Why something is not allowed now."""

    error: type[Conflict]
    words: str


@dataclass(frozen=True, slots=True)
class Guard:
    """`why_not` is None when `who` may do it now; `said` is whether they have done it already."""

    who: Who
    why_not: Callable[[Commitment, datetime], WhyNot | None]
    said: Callable[[Commitment], bool] = lambda _: False


class Entered(NamedTuple):
    """The commitment as it is now, and what time alone has made happen.

    `said` is whether this has been said before: then there is nothing to do.
    """

    it: Commitment
    happened: tuple[Happened, ...]
    said: bool


def enter(
    pair: Pair, commitment: Commitment, by: PersonId, now: datetime, action: Action
) -> Entered:
    """Begin to do `action`. Whoever may not is told what they may.

    Raises NotFound for a stranger, Forbidden for the wrong side, or a Conflict.
    """
    guard = GUARDS[action]
    who: Who = "maker" if by == commitment.made_by else "receiver"
    if by not in pair.members and guard.who == "judge":
        who = "judge"
    else:
        pair.side_of(by)
    if who != guard.who:
        raise Forbidden(_ONLY[guard.who])
    it, happened = as_of(pair, commitment, now)
    if guard.said(it):
        return Entered(it, happened, said=True)
    if (refused := guard.why_not(it, now)) is not None:
        raise refusal(it, who, now, refused)
    return Entered(it, happened, said=False)


def allowed(commitment: Commitment, who: Who, now: datetime) -> tuple[Action, ...]:
    """What `who` may do with the commitment at `now`."""
    it = standing(commitment, now)
    return tuple(
        action
        for action, guard in GUARDS.items()
        if guard.who == who and not guard.said(it) and guard.why_not(it, now) is None
    )


def refusal(it: Commitment, who: Who, now: datetime, refused: WhyNot) -> Conflict:
    """The error that says why not, and names what can be done instead."""
    can = allowed(it, who, now)
    instead = f"what you can do now: {', '.join(can)}" if can else "there is nothing you can do now"
    return refused.error(f"{refused.words}; {instead}", allowed=can)


def _due(it: Commitment) -> str:
    return f"it was due at {it.due_at.isoformat()}"


def _in(it: Commitment, *states: State) -> WhyNot | None:
    if it.state in states:
        return None
    if it.state in ONGOING:
        return WhyNot(NotNow, f"the commitment is {it.state}")
    closed = "the pair ended, or it was let go" if it.state == "released" else it.state
    return WhyNot(CommitmentClosed, f"{_due(it)} and is closed: {closed.replace('_', ' ')}")


def _before_due(
    *states: State, instead: str = ""
) -> Callable[[Commitment, datetime], WhyNot | None]:
    def why_not(it: Commitment, now: datetime) -> WhyNot | None:
        if (refused := _in(it, *states)) is not None:
            return refused
        return WhyNot(CommitmentDue, f"{_due(it)}{instead}") if now >= it.due_at else None

    return why_not


def _while(*states: State) -> Callable[[Commitment, datetime], WhyNot | None]:
    return lambda it, _: _in(it, *states)


def _keep(it: Commitment, _: datetime) -> WhyNot | None:
    refused = _in(it, *ONGOING)
    if refused is None and it.told_at is not None:
        return WhyNot(CommitmentTold, "its maker has said that it was not kept in time")
    return refused


def _tell(it: Commitment, now: datetime) -> WhyNot | None:
    if (refused := _in(it, "open")) is not None:
        return refused
    if now < it.due_at:
        words = f"it is due at {it.due_at.isoformat()}; until then, warn the other side"
        return WhyNot(CommitmentNotDue, words)
    return None


def _claim(it: Commitment, _: datetime) -> WhyNot | None:
    refused = _in(it, "open")
    if refused is None and it.told_at is not None:
        return WhyNot(CommitmentTold, "you have said that it was not kept in time")
    return refused


def _take_back(it: Commitment, now: datetime) -> WhyNot | None:
    if (refused := _in(it, "claimed")) is not None:
        return refused
    if it.claim is not None and now >= it.claim.closes_at:
        return WhyNot(CommitmentDue, f"{_due(it)}, and it is for the other side to answer")
    return None


def _ask(it: Commitment, now: datetime) -> WhyNot | None:
    if refused := _before_due("open", instead="; tell the other side instead")(it, now):
        return refused
    return WhyNot(NotNow, "you have asked already, and wait for a word") if it.asked else None


def _answer(it: Commitment, now: datetime) -> WhyNot | None:
    if (refused := _before_due("open")(it, now)) is not None:
        return refused
    return None if it.asked else WhyNot(NotNow, "nobody has asked for more time")


def _agree(it: Commitment, now: datetime) -> WhyNot | None:
    refused = _answer(it, now)
    if refused is None and it.asked is not None and it.asked.due_at <= it.due_at:
        return WhyNot(NotNow, "it has been moved further than was asked for")
    return refused


GUARDS: Mapping[Action, Guard] = {
    "accept": Guard("receiver", _before_due("made"), lambda it: it.accepted_at is not None),
    "decline": Guard("receiver", _before_due("made"), lambda it: it.state == "declined"),
    "withdraw": Guard("maker", _before_due("made"), lambda it: it.state == "withdrawn"),
    "keep": Guard("receiver", _keep, lambda it: it.state == "kept"),
    "warn": Guard(
        "maker",
        _before_due("open", instead="; tell the other side instead"),
        lambda it: it.warned_at is not None,
    ),
    "tell": Guard("maker", _tell, lambda it: it.told_at is not None),
    "ask-for-time": Guard("maker", _ask),
    "agree-time": Guard("receiver", _agree),
    "refuse-time": Guard("receiver", _answer),
    "release": Guard("receiver", _before_due("open"), lambda it: it.state == "released"),
    "claim-done": Guard("maker", _claim, lambda it: it.state == "claimed"),
    "take-back": Guard("maker", _take_back),
    "dispute": Guard("receiver", _while("claimed"), lambda it: it.state == "disputed"),
    "admit": Guard("maker", _while("disputed"), lambda it: it.state == "shown_false"),
    "resolve": Guard("judge", _while("disputed")),
    "acknowledge": Guard("receiver", _while(*MISSED), lambda it: it.acknowledged_at is not None),
}
