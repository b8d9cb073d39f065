"""What the two say about a promise until it is kept or missed: pure rules, one per thing said.

Who may say it and when is in `commitment_actions`; every rule raises what `enter` there raises.
Saying the same again changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.sessions.domain.commitment import (
    Commitment,
    CommitmentDue,
    MoreTime,
    Promise,
    names_of,
)
from services.sessions.domain.commitment_actions import WhyNot, enter, refusal
from services.sessions.domain.dates import due_of
from services.sessions.domain.happened import Happened
from services.sessions.domain.member import Member
from services.sessions.domain.pair import Pair
from services.sessions.domain.presence import deadline
from services.sessions.domain.rules import MAX_AHEAD, Rules
from services.sessions.domain.thing import Decision
from shared.errors import Rejected
from shared.events.sessions import (
    CommitmentAccepted,
    CommitmentAcknowledged,
    CommitmentDeclined,
    CommitmentKept,
    CommitmentMade,
    CommitmentReleased,
    CommitmentRenegotiated,
    CommitmentWarned,
    Size,
)
from shared.ids import CommitmentId, PersonId

# The last minute of a day, so that what is due on Friday is not shown as due on Saturday.
_END_OF_DAY = time(23, 59)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody would promise: for an instant, or for the end of a day, so many days ahead."""

    when: datetime | int
    title: str | None = None
    size: Size | None = None


def promise_of(wish: Wish, member: Member, now: datetime) -> Promise:
    """The promise that `member` makes at `now`."""
    if isinstance(wish.when, datetime):
        return Promise(wish.when, wish.title, wish.size)
    return Promise(end_of_day(member, wish.when, now), wish.title, wish.size)


def end_of_day(member: Member, days: int, now: datetime) -> datetime:
    """The last minute of the member's day after `days` more days that are no holiday of theirs.

    Leaves are not left out here: the clock of what is promised stands still in them anyway.
    """
    zone = ZoneInfo(member.zone)
    day = now.astimezone(zone).date()
    while days:
        day += timedelta(days=1)
        days -= day not in member.holidays
    return datetime.combine(day, _END_OF_DAY, zone).astimezone(UTC)


def make(
    pair: Pair,
    commitment_id: CommitmentId,
    by: PersonId,
    promise: Promise,
    now: datetime,
    rules: Rules,
) -> Decision[Commitment]:
    """Promise something; `require_room` has said that there is room for it. It waits for a yes.

    A leave that is known, or a holiday of the maker's on the day, moves the due time at once.
    Raises Rejected for a due time that is past or too far, or PairEnded.
    """
    receiver = pair.other(by)
    pair.require_active()
    _require_ahead(promise.due_at, now)
    due = due_of(pair, by, now, promise.due_at, now)
    made = Commitment(
        pair.tenant,
        pair.pair_id,
        commitment_id,
        by,
        now,
        replace(promise, due_at=due),
        deadline(due, rules.grace, pair),
        promised_for=promise.due_at if due != promise.due_at else None,
        waits_for=receiver,
    )
    fact = CommitmentMade(**pair.sides, **names_of(made), size=promise.size)
    return made, (Happened(pair.tenant, fact, now),)


def accept(pair: Pair, commitment: Commitment, by: PersonId, now: datetime) -> Decision[Commitment]:
    """The receiver wants it: from now on it can be missed."""
    it, before, said = enter(pair, commitment, by, now, "accept")
    if said:
        return it, before
    it = replace(it, state="open", accepted_at=now, waits_for=None)
    fact = CommitmentAccepted(**pair.sides, **names_of(it))
    return it, (*before, Happened(pair.tenant, fact, now))


def decline(
    pair: Pair, commitment: Commitment, by: PersonId, now: datetime
) -> Decision[Commitment]:
    """The receiver does not need it."""
    it, before, said = enter(pair, commitment, by, now, "decline")
    if said:
        return it, before
    it = replace(it, state="declined", waits_for=None)
    fact = CommitmentDeclined(**pair.sides, **names_of(it))
    return it, (*before, Happened(pair.tenant, fact, now))


def withdraw(
    pair: Pair, commitment: Commitment, by: PersonId, now: datetime
) -> Decision[Commitment]:
    """The maker takes it back before it was taken. Nothing was agreed, so nothing is published."""
    it, before, said = enter(pair, commitment, by, now, "withdraw")
    return (it, before) if said else (replace(it, state="withdrawn", waits_for=None), before)


def keep(
    pair: Pair, commitment: Commitment, by: PersonId, now: datetime, kept_at: datetime | None
) -> Decision[Commitment]:
    """The receiver says that it came by its due time; of a claim, that it was as claimed.

    `kept_at` may be left out: it is when the maker says it was done, or now. After due, within the
    grace, the receiver says when it had come; a maker who told otherwise is believed. Said of what
    was never accepted, it is a yes to all of it at once. Raises Rejected or CommitmentDue, too.
    """
    it, before, said = enter(pair, commitment, by, now, "keep")
    if said:
        return it, before
    when = kept_at or (it.claim.done_at if it.claim else now)
    if when > it.due_at:
        words = f"it was due at {it.due_at.isoformat()}; if it came by then, say when with kept_at"
        raise refusal(it, "receiver", now, WhyNot(CommitmentDue, words))
    if not it.made_at <= when <= now:
        raise Rejected("kept_at lies between when it was made and now", field="kept_at")
    return kept(pair, it, when, before)


def kept(
    pair: Pair, it: Commitment, when: datetime, before: tuple[Happened, ...]
) -> Decision[Commitment]:
    """It was kept at `when`: however that came to be known."""
    it = replace(it, state="kept", kept_at=when, waits_for=None, asked=None)
    fact = CommitmentKept(**pair.sides, **names_of(it), kept_at=when)
    return it, (*before, Happened(pair.tenant, fact, when))


def warn(pair: Pair, commitment: Commitment, by: PersonId, now: datetime) -> Decision[Commitment]:
    """Before it is due, the maker says that it will not be kept in time. It stays open."""
    it, before, said = enter(pair, commitment, by, now, "warn")
    return (it, before) if said else _warned(pair, it, now, before)


def tell(pair: Pair, commitment: Commitment, by: PersonId, now: datetime) -> Decision[Commitment]:
    """After it was due, within the grace, the maker says that it was not kept in time.

    Nothing is published yet: that it was missed is a fact when the grace is over.
    """
    it, before, said = enter(pair, commitment, by, now, "tell")
    return (it, before) if said else (replace(it, told_at=now), before)


def ask_for_time(
    pair: Pair,
    commitment: Commitment,
    by: PersonId,
    now: datetime,
    due_at: datetime,
    notice: timedelta,
) -> Decision[Commitment]:
    """The maker asks for a later due time, which is a warning as well; it stays as it is meanwhile.

    `notice` is what the pair has agreed on. Raises Rejected for a time that is not later.
    """
    it, before, _ = enter(pair, commitment, by, now, "ask-for-time")
    _require_ahead(due_at, now)
    if due_at <= it.due_at:
        raise Rejected(f"ask for later than {it.due_at.isoformat()}", field="due_at")
    if it.warned_at is None:
        it, before = _warned(pair, it, now, before)
    asked = MoreTime(due_at, with_notice=now <= it.due_at - notice)
    return replace(it, asked=asked, waits_for=pair.other(by)), before


def agree_time(
    pair: Pair, commitment: Commitment, by: PersonId, now: datetime, rules: Rules
) -> Decision[Commitment]:
    """The receiver agrees to the time that was asked for. The warning was about the old one."""
    it, before, _ = enter(pair, commitment, by, now, "agree-time")
    assert it.asked is not None
    due = due_of(pair, it.made_by, now, it.asked.due_at, now)
    moved = replace(
        it,
        promise=replace(it.promise, due_at=due),
        promised_for=it.asked.due_at if due != it.asked.due_at else None,
        dated_at=now,
        sweep_at=deadline(due, rules.grace, pair),
        warned_at=None,
        asked=None,
        waits_for=None,
    )
    fact = CommitmentRenegotiated(
        **pair.sides,
        **names_of(moved),
        previous_due_at=it.due_at,
        with_notice=it.asked.with_notice,
    )
    return moved, (*before, Happened(pair.tenant, fact, now))


def refuse_time(
    pair: Pair, commitment: Commitment, by: PersonId, now: datetime
) -> Decision[Commitment]:
    """The receiver needs it when it was promised for. It stays as it was, warned of."""
    it, before, _ = enter(pair, commitment, by, now, "refuse-time")
    return replace(it, asked=None, waits_for=None), before


def release(
    pair: Pair, commitment: Commitment, by: PersonId, now: datetime
) -> Decision[Commitment]:
    """The receiver lets go of it before it is due: it need not come any more."""
    it, before, said = enter(pair, commitment, by, now, "release")
    if said:
        return it, before
    it = replace(it, state="released", waits_for=None, asked=None)
    fact = CommitmentReleased(**pair.sides, **names_of(it))
    return it, (*before, Happened(pair.tenant, fact, now))


def acknowledge(
    pair: Pair, commitment: Commitment, by: PersonId, now: datetime
) -> Decision[Commitment]:
    """The receiver has heard that it was missed."""
    it, before, said = enter(pair, commitment, by, now, "acknowledge")
    if said:
        return it, before
    it = replace(it, acknowledged_at=now)
    fact = CommitmentAcknowledged(**pair.sides, **names_of(it))
    return it, (*before, Happened(pair.tenant, fact, now))


def _warned(
    pair: Pair, it: Commitment, now: datetime, before: tuple[Happened, ...]
) -> Decision[Commitment]:
    fact = CommitmentWarned(**pair.sides, **names_of(it), warned_at=now)
    return replace(it, warned_at=now), (*before, Happened(pair.tenant, fact, now))


def _require_ahead(due_at: datetime, now: datetime) -> None:
    if due_at <= now:
        raise Rejected("a commitment can only be due in the future", field="due_at")
    if due_at > now + MAX_AHEAD:
        raise Rejected("a commitment can be due at most a year ahead", field="due_at")
