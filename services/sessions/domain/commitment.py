"""A promise of one side to the other: open, then kept, missed, or released by the end. Pure.

    made --keep (receiver, delivered by due)---------> kept
      |--warn (maker, before due)--> still open; kept, or missed_warned at due + grace
      |--tell (maker, due..due+grace)--> still open; missed_told at due + grace
      `--no word-------------------------------------> missed at due + grace

Only times decide, never whether the sweeper has been: a late sweep gives the same facts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypedDict
from uuid import UUID

from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.domain.rules import MAX_AHEAD, MAX_OPEN_COMMITMENTS, Rules
from services.sessions.domain.thing import Decision, Reply
from shared.errors import Conflict, Forbidden, Rejected
from shared.events.sessions import (
    CommitmentKept,
    CommitmentMade,
    CommitmentMissed,
    CommitmentMissedTold,
    CommitmentMissedWarned,
    CommitmentWarned,
)
from shared.ids import CommitmentId, PairId, PersonId, TenantId

State = Literal["open", "kept", "missed_warned", "missed_told", "missed", "released"]


class CommitmentClosed(Conflict):
    """The commitment is no longer open."""

    slug = "commitment-closed"


class CommitmentDue(Conflict):
    """The commitment is past its due time."""

    slug = "commitment-due"


class CommitmentNotDue(Conflict):
    """The commitment is not due yet."""

    slug = "commitment-not-due"


class CommitmentTold(Conflict):
    """The one who made it has said that it was not kept in time."""

    slug = "commitment-told"


class TooManyCommitments(Conflict):
    """You have as many open commitments in this pair as one side can have."""

    slug = "too-many-commitments"


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised for when. `title` is the pair's own; it is in no fact."""

    due_at: datetime
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Commitment:
    """Made by `made_by` to the other side. It is open until `sweep_at`, due + grace, at most."""

    tenant: TenantId
    pair_id: PairId
    commitment_id: CommitmentId
    made_by: PersonId
    made_at: datetime
    promise: Promise
    sweep_at: datetime
    state: State = "open"
    warned_at: datetime | None = None
    told_at: datetime | None = None
    kept_at: datetime | None = None
    revision: int = 1

    @property
    def id(self) -> UUID:
        return self.commitment_id

    @property
    def reply(self) -> Reply | None:
        """Nobody's word is waited for."""
        return None

    @property
    def due_at(self) -> datetime:
        return self.promise.due_at


def require_room(open_already: int) -> None:
    """Raise TooManyCommitments when one side has as many open in this pair as it can have."""
    if open_already >= MAX_OPEN_COMMITMENTS:
        raise TooManyCommitments


def make(
    pair: Pair,
    commitment_id: CommitmentId,
    by: PersonId,
    promise: Promise,
    now: datetime,
    rules: Rules,
) -> Decision[Commitment]:
    """Promise something to the other side; `require_room` has said that there is room for it.

    Raises Rejected for a due time that is past or too far, or PairEnded.
    """
    pair.side_of(by)
    pair.require_active()
    if promise.due_at <= now:
        raise Rejected("a commitment can only be due in the future", field="due_at")
    if promise.due_at > now + MAX_AHEAD:
        raise Rejected("a commitment can be due at most a year ahead", field="due_at")
    made = Commitment(
        pair.tenant, pair.pair_id, commitment_id, by, now, promise, promise.due_at + rules.grace
    )
    fact = CommitmentMade(**pair.sides, commitment_id=commitment_id, by=by, due_at=made.due_at)
    return made, (Happened(pair.tenant, fact, now),)


def keep(
    pair: Pair, commitment: Commitment, by: PersonId, now: datetime, kept_at: datetime | None
) -> Decision[Commitment]:
    """The receiving side says that it came by its due time. Saying so again changes nothing.

    Until due, `kept_at` may be left out and is now. After due, within the grace, the receiver may
    still say that it had come in time, and must say when; a maker who told otherwise is believed.
    Raises Forbidden, Rejected, CommitmentClosed, CommitmentDue or CommitmentTold.
    """
    if pair.side_of(by) == pair.side_of(commitment.made_by):
        raise Forbidden("only the other side can say that your commitment was kept")
    if commitment.state == "kept":
        return commitment, ()
    _require_open(commitment, now)
    if commitment.told_at is not None:
        raise CommitmentTold
    due = commitment.due_at
    when = kept_at or now
    if when > due:
        raise CommitmentDue(
            f"it was due at {due.isoformat()}; if it came by then, say when with kept_at"
        )
    if not commitment.made_at <= when <= now:
        raise Rejected("kept_at lies between when it was made and now", field="kept_at")
    fact = CommitmentKept(**pair.sides, **_names(commitment), kept_at=when)
    return replace(commitment, state="kept", kept_at=when), (Happened(pair.tenant, fact, when),)


def warn(pair: Pair, commitment: Commitment, by: PersonId, now: datetime) -> Decision[Commitment]:
    """Before it is due, the maker says that it will not be kept in time. It stays open until due.

    Raises Forbidden, CommitmentClosed or CommitmentDue.
    """
    _require_maker(pair, commitment, by)
    if commitment.warned_at is not None:
        return commitment, ()
    _require_open(commitment, now)
    if now >= commitment.due_at:
        raise CommitmentDue(
            f"it was due at {commitment.due_at.isoformat()}; tell the other side instead"
        )
    fact = CommitmentWarned(**pair.sides, **_names(commitment), warned_at=now)
    return replace(commitment, warned_at=now), (Happened(pair.tenant, fact, now),)


def tell(pair: Pair, commitment: Commitment, by: PersonId, now: datetime) -> Decision[Commitment]:
    """After it was due, within the grace, the maker says that it was not kept in time.

    Nothing is published yet: that it was missed is a fact when the grace is over.
    Raises Forbidden, CommitmentClosed or CommitmentNotDue.
    """
    _require_maker(pair, commitment, by)
    if commitment.told_at is not None:
        return commitment, ()
    _require_open(commitment, now)
    if now < commitment.due_at:
        raise CommitmentNotDue(
            f"it is due at {commitment.due_at.isoformat()}; until then, warn the other side"
        )
    return replace(commitment, told_at=now), ()


def close(pair: Pair, commitment: Commitment) -> Decision[Commitment]:
    """What is so at `sweep_at` of a commitment that nobody kept."""
    if commitment.state != "open":
        return commitment, ()
    names = _names(commitment)
    fact: CommitmentMissedWarned | CommitmentMissedTold | CommitmentMissed
    state: State
    if commitment.warned_at is not None:
        fact = CommitmentMissedWarned(**pair.sides, **names, warned_at=commitment.warned_at)
        state, at = "missed_warned", commitment.due_at
    elif commitment.told_at is not None:
        fact = CommitmentMissedTold(**pair.sides, **names, told_at=commitment.told_at)
        state, at = "missed_told", commitment.told_at
    else:
        fact = CommitmentMissed(**pair.sides, **names)
        state, at = "missed", commitment.sweep_at
    return replace(commitment, state=state), (Happened(pair.tenant, fact, at),)


class _Names(TypedDict):
    commitment_id: CommitmentId
    by: PersonId
    due_at: datetime


def _names(commitment: Commitment) -> _Names:
    return _Names(
        commitment_id=commitment.commitment_id, by=commitment.made_by, due_at=commitment.due_at
    )


def _require_open(commitment: Commitment, now: datetime) -> None:
    if commitment.state == "released":
        raise CommitmentClosed("the pair ended before it was due")
    if commitment.state != "open" or now >= commitment.sweep_at:
        raise CommitmentClosed(f"it was due at {commitment.due_at.isoformat()} and is closed")


def _require_maker(pair: Pair, commitment: Commitment, by: PersonId) -> None:
    pair.side_of(by)
    if by != commitment.made_by:
        raise Forbidden("only the side that made the commitment can say so")
