"""When people are there: leaves, holidays, and a clock that stands still meanwhile. Pure.

A day is a local day of the person it is about, so it has 23 or 25 hours when their clocks change.
Instants come in and go out in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from services.sessions.domain.member import Away, Member
from services.sessions.domain.pair import Pair

# The end of what has no known end. A thing that is due then is not due.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)

_DAY = timedelta(days=1)


class Interval(NamedTuple):
    """From `since` on, until just before `until`, in UTC."""

    since: datetime
    until: datetime


def stopped(pair: Pair) -> tuple[Interval, ...]:
    """When either side is on leave: in order, apart from each other, none of them empty.

    A leave without a known end ends at NEVER.
    """
    return _merged(
        _leave(member, leave) for member in (pair.mentor, pair.mentee) for leave in member.away
    )


def advance(at: datetime, span: timedelta, stopped: Iterable[Interval]) -> datetime:
    """The instant by which `span` has gone by since `at`, not counting what is `stopped`.

    `stopped` is in order and does not overlap. Never an instant at which the clock stands still:
    when the span is over as it stops, the instant at which it goes on. NEVER if it does not.
    """
    at = at.astimezone(UTC)
    if at >= NEVER:
        return NEVER
    for interval in stopped:
        if interval.until <= at:
            continue
        if at + span < interval.since:
            break
        span -= max(interval.since - at, timedelta(0))
        at = interval.until
        if at >= NEVER:
            return NEVER
    return at + span


def stood_still(since: datetime, until: datetime, stopped: Iterable[Interval]) -> timedelta:
    """How long the clock stood still between two instants."""
    overlaps = (min(until, each.until) - max(since, each.since) for each in stopped)
    return sum((each for each in overlaps if each > timedelta(0)), timedelta(0))


def next_open(at: datetime, member: Member) -> datetime:
    """`at`, or the same local time on the member's next day without a holiday or a leave.

    A local time that the clocks skip on that day becomes the one they show instead. NEVER when no
    such day is known.
    """
    if at >= NEVER:
        return NEVER
    zone = ZoneInfo(member.zone)
    local = at.astimezone(zone)
    day = local.date()
    while (reason := _closed(member, day)) is not None:
        if reason == "holiday":
            day += _DAY
            continue
        back = [leave.back_on for leave in member.away if leave.covers(day)]
        if None in back:
            return NEVER
        day = max(each for each in back if each is not None)
    if day == local.date():
        return at.astimezone(UTC)
    return datetime.combine(day, local.time(), zone).astimezone(UTC)


def deadline(at: datetime, span: timedelta, pair: Pair) -> datetime:
    """The instant by which both were there for `span` since `at`; NEVER if a leave has no end.

    Neither leaves nor holidays of either side count.
    """
    leaves = stopped(pair)
    until = advance(at, span, leaves)
    # Each pass sees the holidays before the end of the last one, and may move that end.
    while until < NEVER:
        holidays = (
            each for side in (pair.mentor, pair.mentee) for each in _holidays(side, at, until)
        )
        later = advance(at, span, _merged((*leaves, *holidays)))
        if later == until:
            break
        until = later
    return until


def away(member: Member, at: datetime) -> Literal["leave", "holiday"] | None:
    """What keeps the member away at `at`: a leave before a holiday, when it is both."""
    return _closed(member, at.astimezone(ZoneInfo(member.zone)).date())


def _closed(member: Member, day: date) -> Literal["leave", "holiday"] | None:
    if any(leave.covers(day) for leave in member.away):
        return "leave"
    return "holiday" if day in member.holidays else None


def _leave(member: Member, leave: Away) -> Interval:
    zone = ZoneInfo(member.zone)
    until = _start_of(leave.back_on, zone) if leave.back_on is not None else NEVER
    return Interval(_start_of(leave.started_on, zone), until)


def _holidays(member: Member, since: datetime, until: datetime) -> Iterable[Interval]:
    """The member's holidays that touch what lies between, both ends included."""
    if not member.holidays:
        return
    zone = ZoneInfo(member.zone)
    day, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    while day <= last:
        if day in member.holidays:
            yield Interval(_start_of(day, zone), _start_of(day + _DAY, zone))
        day += _DAY


def _start_of(day: date, zone: ZoneInfo) -> datetime:
    # A midnight that the clocks skip is the instant at which they do; of two, it is the first.
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for each in sorted(intervals):
        if each.until <= each.since:
            continue
        if merged and each.since <= merged[-1].until:
            merged[-1] = Interval(merged[-1].since, max(merged[-1].until, each.until))
        else:
            merged.append(each)
    return tuple(merged)
