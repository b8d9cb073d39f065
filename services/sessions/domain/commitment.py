"""A promise of one side to the other: the value, its states, and what time makes of it. Pure.

    made --accept (receiver, before due)------------------> open
      |--decline (receiver) / withdraw (maker), before due-> declined / withdrawn
      |--keep (receiver): yes to all of it at once---------> kept
      `--no word by due + grace----------------------------> lapsed: nobody had taken it

    open --keep (receiver, came by due)--------------------> kept
      |--release (receiver, before due)--------------------> released
      |--warn (maker, before due): stays open
      |--ask-for-time (maker, before due): a warning; agree-time moves it, refuse-time does not
      |--claim-done (maker, done by due)-------------------> claimed
      |--tell (maker, from due on): stays open
      `--due + grace: warned / told / no word--------------> missed_warned / missed_told / missed

    claimed --keep (receiver)------------------------------> kept, as of when it was done
      |--take-back (maker, by due + grace)-----------------> open
      |--dispute (receiver)--------------------------------> disputed
      `--no answer by due + grace, or a grace after it-----> unconfirmed

    disputed --keep (receiver) / admit (maker)-------------> kept / shown_false
      |--resolve (a manager of neither side)---------------> kept, shown_false or unsettled
      `--14 days of presence-------------------------------> unsettled

    missed_* --acknowledge (receiver)----------------------> stays missed, and was heard

Only times decide, never whether the sweeper has been: whoever speaks later than `sweep_at` speaks
about what the sweeper will find there, so a late sweep gives the same facts.

What was never taken, taken back before anybody took it, or never agreed about (lapsed, withdrawn,
unconfirmed, unsettled) is published by nobody. A receiver who keeps silent neither gives trust nor
takes it: silence may be a holiday, and a claim may be false.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypedDict
from uuid import UUID

from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.domain.presence import NEVER
from services.sessions.domain.rules import MAX_OPEN_COMMITMENTS
from services.sessions.domain.thing import Decision, Reply
from shared.errors import Conflict
from shared.events.sessions import (
    CommitmentMissed,
    CommitmentMissedTold,
    CommitmentMissedWarned,
    Size,
)
from shared.ids import CommitmentId, PairId, PersonId, TenantId

State = Literal[
    "made",
    "open",
    "claimed",
    "disputed",
    "kept",
    "missed_warned",
    "missed_told",
    "missed",
    "declined",
    "withdrawn",
    "lapsed",
    "released",
    "shown_false",
    "unconfirmed",
    "unsettled",
]
ONGOING: tuple[State, ...] = ("made", "open", "claimed", "disputed")
MISSED: tuple[State, ...] = ("missed_warned", "missed_told", "missed")

# A dispute that is not settled by then is no evidence.
SETTLE_WITHIN = timedelta(days=14)


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


class NotNow(Conflict):
    """This cannot be done with the commitment as it is."""

    slug = "commitment-not-now"


class TooManyCommitments(Conflict):
    """You have as many open commitments in this pair as one side can have."""

    slug = "too-many-commitments"


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised for when. `title` is the pair's own; it is in no fact."""

    due_at: datetime
    title: str | None = None
    size: Size | None = None


@dataclass(frozen=True, slots=True)
class MoreTime:
    """The maker asked for `due_at` instead. `with_notice` is as long before as was agreed."""

    due_at: datetime
    with_notice: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """The maker says that it was done at `done_at`. It would have closed at `closes_at`."""

    done_at: datetime
    claimed_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Commitment:
    """Made by `made_by` to the other side. At `sweep_at` what is there decides.

    `promise.due_at` is when it is due by what is known of leaves and holidays; `promised_for` is
    what was said, where that differs, and `dated_at` when it was said, where that was not when it
    was made. `waits_for` has to answer it now.
    """

    tenant: TenantId
    pair_id: PairId
    commitment_id: CommitmentId
    made_by: PersonId
    made_at: datetime
    promise: Promise
    sweep_at: datetime
    state: State = "made"
    accepted_at: datetime | None = None
    warned_at: datetime | None = None
    told_at: datetime | None = None
    kept_at: datetime | None = None
    acknowledged_at: datetime | None = None
    promised_for: datetime | None = None
    dated_at: datetime | None = None
    asked: MoreTime | None = None
    claim: Claim | None = None
    disputed_at: datetime | None = None
    waits_for: PersonId | None = None
    revision: int = 1

    @property
    def id(self) -> UUID:
        return self.commitment_id

    @property
    def reply(self) -> Reply | None:
        """Whose word it waits for: until it is due, or until what was claimed is closed."""
        if self.waits_for is None:
            return None
        until = self.sweep_at if self.state in ("claimed", "disputed") else self.due_at
        return Reply(self.waits_for, "commitment", until if until < NEVER else None)

    @property
    def due_at(self) -> datetime:
        return self.promise.due_at


class Names(TypedDict):
    """What every fact about a commitment says of it."""

    commitment_id: CommitmentId
    by: PersonId
    due_at: datetime


def names_of(commitment: Commitment) -> Names:
    return Names(
        commitment_id=commitment.commitment_id, by=commitment.made_by, due_at=commitment.due_at
    )


def require_room(open_already: int) -> None:
    """Raise TooManyCommitments when one side has as many open in this pair as it can have."""
    if open_already >= MAX_OPEN_COMMITMENTS:
        raise TooManyCommitments


def standing(commitment: Commitment, now: datetime) -> Commitment:
    """The commitment as it is at `now`, whether or not the sweeper has been."""
    if commitment.state not in ONGOING or now < commitment.sweep_at:
        return commitment
    return replace(commitment, state=_closed(commitment), waits_for=None, asked=None)


def as_of(pair: Pair, commitment: Commitment, now: datetime) -> Decision[Commitment]:
    """The commitment as it is at `now`, and what the sweeper would have published about it."""
    it = standing(commitment, now)
    return (it, ()) if it is commitment else (it, _missed(pair, it))


def close(pair: Pair, commitment: Commitment) -> Decision[Commitment]:
    """What is so at `sweep_at` of a commitment that goes on."""
    return as_of(pair, commitment, commitment.sweep_at)


def ended(pair: Pair, commitment: Commitment) -> Decision[Commitment]:
    """What the end of the pair makes of it: what was due later is asked of nobody.

    A dispute goes on: what it is about has happened, or has not.
    """
    if commitment.state not in ONGOING or commitment.state == "disputed":
        return commitment, ()
    if pair.ended_at is None or commitment.due_at <= pair.ended_at:
        return commitment, ()
    return replace(commitment, state="released", waits_for=None, asked=None), ()


def _closed(commitment: Commitment) -> State:
    match commitment.state:
        case "made":
            return "lapsed"
        case "claimed":
            return "unconfirmed"
        case "disputed":
            return "unsettled"
        case _ if commitment.warned_at is not None:
            return "missed_warned"
        case _:
            return "missed" if commitment.told_at is None else "missed_told"


def _missed(pair: Pair, it: Commitment) -> tuple[Happened, ...]:
    names = names_of(it)
    fact: CommitmentMissedWarned | CommitmentMissedTold | CommitmentMissed
    if it.state == "missed_warned" and it.warned_at is not None:
        fact = CommitmentMissedWarned(**pair.sides, **names, warned_at=it.warned_at)
        at = it.due_at
    elif it.state == "missed_told" and it.told_at is not None:
        fact, at = CommitmentMissedTold(**pair.sides, **names, told_at=it.told_at), it.told_at
    elif it.state == "missed":
        fact, at = CommitmentMissed(**pair.sides, **names), it.sweep_at
    else:
        return ()
    return (Happened(pair.tenant, fact, at),)
