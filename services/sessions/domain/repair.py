"""A repair: who missed something says so, promises to put it right, and does. Pure.

    promised --deliver (who promised, by due + grace)-----> claimed
      `--no word by due + grace---------------------------> broken

    claimed --acknowledge (the other side)----------------> delivered
      |--not-yet (the other side)-------------------------> promised, for a grace at least
      `--no answer in 14 days of presence-----------------> unacknowledged

To promise is to acknowledge. One repair of a miss at a time, and none of what was put right; what
was broken may be promised once more, since putting it right still counts for something, while
promises alone no longer do. What nobody answered is published by nobody: the other side may be
away, and a claim may be false; the promise keeps what it gave back, since it was not broken.

Only times decide, never whether the sweeper has been: a late sweep gives the same facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypedDict
from uuid import UUID

from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.domain.presence import NEVER, deadline
from services.sessions.domain.rules import MAX_AHEAD, Rules
from services.sessions.domain.thing import Decision, Reply
from shared.errors import Conflict, Forbidden, Rejected
from shared.events.sessions import RepairBroken, RepairDelivered, RepairPromised
from shared.ids import PairId, PersonId, RepairId, TenantId

State = Literal["promised", "claimed", "delivered", "broken", "unacknowledged", "released"]
Action = Literal["deliver", "acknowledge", "not-yet"]
ONGOING: tuple[State, ...] = ("promised", "claimed")

# A repair is due within this much presence of what was missed, and is answered within as much.
REPAIR_WITHIN = timedelta(days=14)
ANSWER_WITHIN = timedelta(days=14)
MAX_PROMISES = 2


class RepairGoesOn(Conflict):
    """A repair of this has been promised, and is not over."""

    slug = "repair-goes-on"


class RepairOver(Conflict):
    """This has been put right, or cannot be promised again."""

    slug = "repair-over"


class NotMissed(Conflict):
    """This was not missed: there is nothing to put right."""

    slug = "not-missed"


class RepairNotNow(Conflict):
    """This cannot be done with the repair as it is."""

    slug = "repair-not-now"


@dataclass(frozen=True, slots=True)
class Miss:
    """What was missed, by whom, and when it was due."""

    missed: UUID
    by: tuple[PersonId, ...]
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """What `by` promises. `words` are the pair's own, and in no fact."""

    by: PersonId
    repairs: UUID
    due_at: datetime
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """`closes_at` is due + grace; at `sweep_at` what is there decides."""

    tenant: TenantId
    pair_id: PairId
    repair_id: RepairId
    wish: Wish
    promised_at: datetime
    missed_due_at: datetime
    closes_at: datetime
    sweep_at: datetime
    state: State = "promised"
    delivered_at: datetime | None = None
    waits_for: PersonId | None = None
    revision: int = 1

    @property
    def id(self) -> UUID:
        return self.repair_id

    @property
    def reply(self) -> Reply | None:
        """Whose word it waits for: the other side's, once it is said to be delivered."""
        if self.waits_for is None:
            return None
        return Reply(self.waits_for, "repair", self.sweep_at if self.sweep_at < NEVER else None)


def require_again(miss: Miss, by: PersonId, earlier: Sequence[Repair]) -> None:
    """Raise unless `by` may promise to put this right, after `earlier` repairs as they are now.

    Raises Forbidden, RepairGoesOn or RepairOver.
    """
    if by not in miss.by:
        raise Forbidden("only who missed it can put it right")
    mine = [each for each in earlier if each.wish.by == by]
    if any(each.state in ONGOING for each in mine):
        raise RepairGoesOn
    if any(each.state != "broken" for each in mine):
        raise RepairOver("it has been put right already, as far as one of you says")
    if len(mine) >= MAX_PROMISES:
        raise RepairOver(f"it was promised {len(mine)} times, and is not promised again")


def promise(
    pair: Pair, repair_id: RepairId, wish: Wish, miss: Miss, now: datetime, rules: Rules
) -> Decision[Repair]:
    """Acknowledge a miss and promise to put it right; `require_again` has said that it can be.

    Raises Rejected for a due time that is past, or too long after the miss to count; PairEnded.
    """
    pair.side_of(wish.by)
    pair.require_active()
    if wish.due_at <= now:
        raise Rejected("a repair can only be due in the future", field="due_at")
    latest = deadline(miss.due_at, REPAIR_WITHIN, pair)
    if wish.due_at > min(latest, now + MAX_AHEAD):
        raise Rejected(
            f"a repair is due within 14 days after what was missed, by {latest.isoformat()}:"
            " later it would not count",
            field="due_at",
        )
    closes_at = deadline(wish.due_at, rules.grace, pair)
    repair = Repair(
        pair.tenant, pair.pair_id, repair_id, wish, now, miss.due_at, closes_at, closes_at
    )
    fact = RepairPromised(**pair.sides, **_names(repair), due_at=wish.due_at)
    return repair, (Happened(pair.tenant, fact, now),)


def deliver(
    pair: Pair, repair: Repair, by: PersonId, now: datetime, delivered_at: datetime | None
) -> Decision[Repair]:
    """Who promised it says that it is delivered. Nothing is published: it is one side's word.

    Raises Forbidden, RepairNotNow, or Rejected for a time before it was promised or ahead.
    """
    it, before = _enter(pair, repair, by, now, "deliver")
    if it.state == "claimed":
        return it, before
    when = delivered_at or now
    if not it.promised_at <= when <= now:
        words = "delivered_at lies between when it was promised and now"
        raise Rejected(words, field="delivered_at")
    until = deadline(now, ANSWER_WITHIN, pair)
    other = pair.other(by)
    return (
        replace(it, state="claimed", delivered_at=when, sweep_at=until, waits_for=other),
        before,
    )


def acknowledge(pair: Pair, repair: Repair, by: PersonId, now: datetime) -> Decision[Repair]:
    """The other side says that it was put right. It happened when both had said so."""
    it, before = _enter(pair, repair, by, now, "acknowledge")
    if it.state == "delivered":
        return it, before
    assert it.delivered_at is not None
    fact = RepairDelivered(
        **pair.sides,
        **_names(it),
        missed_due_at=it.missed_due_at,
        delivered_at=it.delivered_at,
    )
    it = replace(it, state="delivered", waits_for=None)
    return it, (*before, Happened(pair.tenant, fact, now))


def not_yet(
    pair: Pair, repair: Repair, by: PersonId, now: datetime, rules: Rules
) -> Decision[Repair]:
    """The other side says that it is not put right yet: it stays promised, for a grace at least."""
    it, before = _enter(pair, repair, by, now, "not-yet")
    until = max(it.closes_at, deadline(now, rules.grace, pair))
    it = replace(it, state="promised", delivered_at=None, sweep_at=until, waits_for=None)
    return it, before


def standing(repair: Repair, now: datetime) -> Repair:
    """The repair as it is at `now`, whether or not the sweeper has been."""
    if repair.state not in ONGOING or now < repair.sweep_at:
        return repair
    over: State = "broken" if repair.state == "promised" else "unacknowledged"
    return replace(repair, state=over, waits_for=None)


def as_of(pair: Pair, repair: Repair, now: datetime) -> Decision[Repair]:
    """The repair as it is at `now`, and what the sweeper would have published about it."""
    it = standing(repair, now)
    if it is repair or it.state != "broken":
        return it, ()
    fact = RepairBroken(**pair.sides, **_names(it))
    return it, (Happened(pair.tenant, fact, it.sweep_at),)


def close(pair: Pair, repair: Repair) -> Decision[Repair]:
    """What is so at `sweep_at` of a repair that goes on."""
    return as_of(pair, repair, repair.sweep_at)


def ended(pair: Pair, repair: Repair) -> Decision[Repair]:
    """What the end of the pair makes of it: what was due later is asked of nobody."""
    if repair.state not in ONGOING or pair.ended_at is None or repair.wish.due_at <= pair.ended_at:
        return repair, ()
    return replace(repair, state="released", waits_for=None), ()


def allowed(repair: Repair, by: PersonId, now: datetime) -> tuple[Action, ...]:
    """What `by`, one of the two, may do with the repair at `now`."""
    state = standing(repair, now).state
    if by == repair.wish.by:
        return ("deliver",) if state == "promised" else ()
    return ("acknowledge", "not-yet") if state == "claimed" else ()


# What has been said already is no change, and no error.
_SAID: dict[Action, State | None] = {
    "deliver": "claimed",
    "acknowledge": "delivered",
    "not-yet": None,
}


def _enter(
    pair: Pair, repair: Repair, by: PersonId, now: datetime, action: Action
) -> Decision[Repair]:
    pair.side_of(by)
    if (by == repair.wish.by) != (action == "deliver"):
        raise Forbidden("only who promised it can deliver, and only the other side can answer")
    it, happened = as_of(pair, repair, now)
    can = allowed(it, by, now)
    if it.state != _SAID[action] and action not in can:
        instead = f"what you can do now: {', '.join(can)}" if can else "there is nothing to do now"
        raise RepairNotNow(f"the repair is {it.state}; {instead}", allowed=can)
    return it, happened


class _Names(TypedDict):
    repair_id: RepairId
    by: PersonId
    repairs: UUID


def _names(repair: Repair) -> _Names:
    return _Names(repair_id=repair.repair_id, by=repair.wish.by, repairs=repair.wish.repairs)
