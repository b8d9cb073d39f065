"""Weekly windows on the clock of a zone, through the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifications.domain.hours import (
    ALWAYS,
    Week,
    Window,
    is_open,
    next_open,
    week,
    within,
    without,
)

BERLIN, LORD_HOWE, APIA = (
    ZoneInfo(name) for name in ("Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia")
)
ZONES = st.sampled_from(
    [BERLIN, LORD_HOWE, APIA, *map(ZoneInfo, ("America/New_York", "Asia/Kathmandu", "UTC"))]
)
MINUTE = timedelta(minutes=1)
windows = st.builds(
    lambda day, begin, length: Window(day, begin, min(begin + length, 1440)),
    st.integers(1, 7),
    st.integers(0, 1439),
    st.integers(1, 900),
)
weeks = st.lists(windows, max_size=8).map(week)


def minutes_from(begin: datetime, days: int) -> st.SearchStrategy[datetime]:
    return st.integers(0, days * 1440).map(lambda minutes: begin + minutes * MINUTE)


# The weeks in which clocks change, in either half of the year.
instants = st.one_of(
    minutes_from(datetime(2026, 3, 1, tzinfo=UTC), days=42),
    minutes_from(datetime(2026, 9, 25, tzinfo=UTC), days=44),
)


@given(weeks, ZONES, instants)
@settings(max_examples=300, deadline=None)
def test_the_next_opening_is_the_first_minute_that_is_open(
    hours: Week, zone: ZoneInfo, at: datetime
) -> None:
    found = next_open(hours, zone, at)

    if found is None:
        assert hours == () or _first_by_the_minute(hours, zone, at) is None
    else:
        assert is_open(hours, zone, found)
        # A minute at a time back to the beginning, or for a day.
        before = found - MINUTE
        while before >= max(at, found - timedelta(days=1)):
            assert not is_open(hours, zone, before)
            before -= MINUTE


def _first_by_the_minute(hours: Week, zone: ZoneInfo, at: datetime) -> datetime | None:
    steps = (at + n * MINUTE for n in range(8 * 1440))
    return next((step for step in steps if is_open(hours, zone, step)), None)


@given(weeks, weeks, st.integers(1, 7), st.integers(0, 1439))
def test_windows_are_sets_of_minutes(one: Week, other: Week, day: int, minute: int) -> None:
    def has(some: Week) -> bool:
        return any(w.weekday == day and w.from_minute <= minute < w.until_minute for w in some)

    assert has(week((*one, *other))) == (has(one) or has(other))
    assert has(within(one, other)) == (has(one) and has(other))
    assert has(without(one, other)) == (has(one) and not has(other))
    assert within(one, ALWAYS) == one


def test_a_window_that_begins_in_a_skipped_hour_opens_right_after_the_gap() -> None:
    # On 29 March 2026 clocks in Berlin go from 02:00 to 03:00, which is 01:00 UTC.
    hours = (Window(7, 150, 195),)

    found = next_open(hours, BERLIN, datetime(2026, 3, 28, 12, tzinfo=UTC))

    assert found == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_a_window_inside_a_skipped_hour_does_not_open_that_day() -> None:
    hours = (Window(7, 130, 170),)

    found = next_open(hours, BERLIN, datetime(2026, 3, 28, 12, tzinfo=UTC))

    assert found == datetime(2026, 4, 5, 0, 10, tzinfo=UTC)


def test_a_window_in_an_hour_that_comes_twice_opens_twice() -> None:
    # On 25 October 2026 clocks in Berlin go from 03:00 back to 02:00, which is 01:00 UTC.
    hours = (Window(7, 150, 160),)

    first = next_open(hours, BERLIN, datetime(2026, 10, 25, 0, 0, tzinfo=UTC))
    second = next_open(hours, BERLIN, datetime(2026, 10, 25, 0, 40, tzinfo=UTC))

    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert second == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("at", [datetime(2026, 3, 4, 11, tzinfo=UTC)])
def test_what_is_open_is_open_now_and_no_hours_are_never(at: datetime) -> None:
    assert next_open(ALWAYS, BERLIN, at) == at
    assert next_open((), BERLIN, at) is None
