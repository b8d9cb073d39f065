"""When things are due, with what is known of leaves and holidays now; and what moves. Pure.

A promise is due after as much common presence as its maker had asked for: the clock stands still
while either side is on leave, and a day that is a holiday of the maker's is passed over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from services.sessions.domain.happened import Happened
from services.sessions.domain.member import Away, Member
from services.sessions.domain.pair import Pair
from services.sessions.domain.presence import NEVER, advance, deadline, next_open, stopped
from shared.events.sessions import CommitmentMoved
from shared.ids import CommitmentId, PairId, PersonId, TenantId

Reason = Literal["leave", "holiday"]
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Promised:
    """The dates of a promise that goes on. `dated_at` is when `promised_for` was said.

    `closes_at` is when it is missed without another word; with a claim that waits for an answer
    `sweep_at` may be later. `given_back` is what outages took and it got back.
    """

    tenant: TenantId
    pair_id: PairId
    commitment_id: CommitmentId
    made_by: PersonId
    dated_at: datetime
    promised_for: datetime
    due_at: datetime
    closes_at: datetime
    sweep_at: datetime
    claimed_at: datetime | None = None
    warned_at: datetime | None = None
    told_at: datetime | None = None
    given_back: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Window:
    """The time in which people can say something about `of`: from `past` on, until `sweep_at`."""

    pair_id: PairId
    of: UUID
    past: datetime
    sweep_at: datetime
    given_back: timedelta = timedelta(0)


def due_of(
    pair: Pair, made_by: PersonId, dated_at: datetime, promised_for: datetime, now: datetime
) -> datetime:
    """When what was promised at `dated_at` is due, as far as that is known now.

    While a leave without an end stands, it is taken to last for today: nothing is due before that,
    and the same question asked tomorrow gets a later answer.
    """
    known = replace(
        pair, mentor=_back_tomorrow(pair.mentor, now), mentee=_back_tomorrow(pair.mentee, now)
    )
    due = advance(dated_at, promised_for - dated_at, stopped(known))
    return next_open(due, known.member(made_by))


def redate_promise(
    pair: Pair, promised: Promised, grace: timedelta, reason: Reason, now: datetime
) -> tuple[Promised, tuple[Happened, ...]]:
    """Move a promise to when it is due by what is known now. What was closed by now stays closed.

    Whoever has to reckon with a sooner date has at least the grace to do so, or as long as before.
    What was said after it was due, and turns out to have been said before, was a warning.
    """
    moved = promised
    if promised.closes_at > now:
        moved = _moved(pair, promised, grace, now)
    if promised.claimed_at is None:
        moved = replace(moved, sweep_at=moved.closes_at)
    elif promised.sweep_at > now:
        answered = Window(
            pair.pair_id,
            promised.commitment_id,
            promised.claimed_at,
            promised.sweep_at,
            promised.given_back,
        )
        answered = redate_window(pair, answered, grace, now)
        moved = replace(moved, sweep_at=max(moved.closes_at, answered.sweep_at))
    if moved.due_at == promised.due_at:
        return moved, ()
    fact = CommitmentMoved(
        **pair.sides,
        commitment_id=promised.commitment_id,
        by=promised.made_by,
        previous_due_at=promised.due_at,
        due_at=moved.due_at,
        reason=reason,
    )
    return moved, (Happened(pair.tenant, fact, now),)


def redate_window(pair: Pair, window: Window, span: timedelta, now: datetime) -> Window:
    """Move the end of a window of `span` to what is known now; by the same rules."""
    if window.sweep_at <= now:
        return window
    until = _until(pair, window.past, span, window.given_back)
    return replace(window, sweep_at=max(until, min(window.sweep_at, now + span)))


def _moved(pair: Pair, promised: Promised, grace: timedelta, now: datetime) -> Promised:
    due = due_of(pair, promised.made_by, promised.dated_at, promised.promised_for, now)
    due = max(due, min(promised.due_at, now + grace))
    closes_at = _until(pair, due, grace, promised.given_back)
    moved = replace(
        promised, due_at=due, closes_at=max(closes_at, min(promised.closes_at, now + grace))
    )
    if moved.told_at is None or moved.told_at >= due:
        return moved
    return replace(moved, warned_at=moved.warned_at or moved.told_at, told_at=None)


def _until(pair: Pair, past: datetime, span: timedelta, given_back: timedelta) -> datetime:
    until = deadline(past, span, pair)
    return until if until == NEVER else until + given_back


def _back_tomorrow(member: Member, now: datetime) -> Member:
    if all(leave.back_on is not None for leave in member.away):
        return member
    tomorrow = now.astimezone(ZoneInfo(member.zone)).date() + _DAY
    known = [
        Away(leave.started_on, leave.back_on or max(tomorrow, leave.started_on))
        for leave in member.away
    ]
    return replace(member, away=tuple(known))
