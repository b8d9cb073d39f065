"""When a person may be written to: weekly windows on the clock of their own zone. Pure.

A window is of local minutes, so it moves with the zone's summer time. A time that a clock skips is
not in any window, one that it shows twice is in it twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60
# A week of windows repeats itself, but for one that a clock skips on one of its days.
_LOOKED_AT_DAYS = 16
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


class Window(NamedTuple):
    """Local minutes of a weekday, 1 for Monday: from the first to before the last."""

    weekday: int
    from_minute: int
    until_minute: int


# Sorted, apart from each other; every day of the week in one tuple.
Week: TypeAlias = tuple[Window, ...]

ALWAYS: Week = tuple(Window(day, 0, DAY_MINUTES) for day in range(1, 8))


def week(windows: Iterable[Window]) -> Week:
    """The same minutes as windows that neither meet nor overlap. Empty ones are left out."""
    joined: list[Window] = []
    for window in sorted(windows):
        if window.until_minute <= window.from_minute:
            continue
        last = joined[-1] if joined else None
        if last and last.weekday == window.weekday and window.from_minute <= last.until_minute:
            joined[-1] = last._replace(until_minute=max(last.until_minute, window.until_minute))
        else:
            joined.append(window)
    return tuple(joined)


@lru_cache(maxsize=4_096)
def within(one: Week, other: Week) -> Week:
    """The minutes that are in both."""
    return week(
        Window(a.weekday, max(a.from_minute, b.from_minute), min(a.until_minute, b.until_minute))
        for a in one
        for b in other
        if a.weekday == b.weekday
    )


@lru_cache(maxsize=4_096)
def without(one: Week, other: Week) -> Week:
    """The minutes of `one` that are not in `other`."""
    return within(one, _opposite(other))


def _opposite(one: Week) -> Week:
    edges: list[Window] = []
    for day in range(1, 8):
        begin = 0
        for window in (each for each in one if each.weekday == day):
            edges.append(Window(day, begin, window.from_minute))
            begin = window.until_minute
        edges.append(Window(day, begin, DAY_MINUTES))
    return week(edges)


def is_open(open_hours: Week, zone: ZoneInfo, at: datetime) -> bool:
    """Whether the zone's clock at this instant is in a window."""
    local = at.astimezone(zone)
    weekday, minute = local.isoweekday(), local.hour * 60 + local.minute
    return any(
        window.weekday == weekday and window.from_minute <= minute < window.until_minute
        for window in open_hours
    )


def next_open(open_hours: Week, zone: ZoneInfo, at: datetime) -> datetime | None:
    """The first instant from `at` on that is in a window, in UTC; None when there is none."""
    if is_open(open_hours, zone, at):
        return at
    first = at.astimezone(zone).date()
    for ahead in range(_LOOKED_AT_DAYS):
        day = first + timedelta(days=ahead)
        begins = _openings(open_hours, zone, day)
        later = [begin for begin in begins if begin > at]
        if later:
            return later[0]
    return None


@lru_cache(maxsize=4_096)
def _openings(open_hours: Week, zone: ZoneInfo, day: date) -> Sequence[datetime]:
    """Every instant of the local day at which a closed week opens."""
    found: set[datetime] = set()
    for window in open_hours:
        if window.weekday == day.isoweekday():
            for fold in (0, 1):
                begin = instant(day, window.from_minute, zone, fold)
                found.add(_first_open(zone, begin, window))
    return sorted(begin for begin in found if is_open(open_hours, zone, begin))


def _first_open(zone: ZoneInfo, begin: datetime, window: Window) -> datetime:
    # Where the clock skips the beginning, the first minute after the gap that is in the window.
    local = begin.astimezone(zone)
    if local.hour * 60 + local.minute == window.from_minute % DAY_MINUTES:
        return begin
    first = begin - timedelta(hours=3)
    while first < begin and not is_open((window,), zone, first):
        first += _MINUTE
    return first


def instant(day: date, minute: int, zone: ZoneInfo, fold: int = 0) -> datetime:
    """When the zone's clock shows this minute of the day, in UTC; `fold` 1 is the second time.

    A minute that the clock skips is as far after the gap as it would be in it.
    """
    ahead, minute = divmod(minute, DAY_MINUTES)
    clock = time(minute // 60, minute % 60, tzinfo=zone, fold=fold)
    return datetime.combine(day + ahead * _DAY, clock).astimezone(UTC)
