"""Weekly hours across zones: what is free at the same real time, in summer and in winter."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.hours import WEEK_SLOTS, free_slots, minutes, minutes_to_meet
from shared.events.people import WeeklyHours
from tests.unit.matching.builders import NOW, window

WINTER = datetime(2026, 1, 15, 12, tzinfo=UTC)
SUMMER = datetime(2026, 7, 15, 12, tzinfo=UTC)
# America leaves winter time three weeks before Europe does.
BETWEEN = datetime(2026, 3, 16, 12, tzinfo=UTC)
AFTERNOON_LONDON = (window(1, 14, 15),)
MORNING_NEW_YORK = (window(1, 9, 10),)

WINDOWS = st.lists(
    st.builds(
        WeeklyHours,
        weekday=st.integers(1, 7),
        from_minute=st.integers(0, 1440),
        until_minute=st.integers(0, 1440),
    ),
    max_size=6,
)
ZONES = st.sampled_from(["UTC", "Asia/Kathmandu", "America/New_York", "Pacific/Kiritimati"])


@pytest.mark.parametrize(
    ("now", "shared"),
    [
        pytest.param(WINTER, 60, id="in winter nine in New York is two in London"),
        pytest.param(SUMMER, 60, id="in summer it is too, both have moved"),
        pytest.param(BETWEEN, 0, id="in the weeks between the changes it is not"),
    ],
)
def test_hours_overlap_in_the_time_that_is_in_force(now: datetime, shared: int) -> None:
    london = free_slots(AFTERNOON_LONDON, "Europe/London", now)
    new_york = free_slots(MORNING_NEW_YORK, "America/New_York", now)
    assert minutes(london & new_york) == shared


@pytest.mark.parametrize(
    ("one", "one_zone", "other", "other_zone"),
    [
        pytest.param(window(1, 1, 2), "Asia/Tokyo", window(7, 16, 17), "UTC", id="over Sunday"),
        pytest.param(window(5, 22, 2), "UTC", window(6, 0, 2), "UTC", id="past midnight"),
        pytest.param(window(7, 23, 1), "UTC", window(1, 0, 1), "UTC", id="into the next week"),
        pytest.param(
            window(3, 9, 10), "Asia/Kathmandu", window(3, 3.25, 4.25), "UTC", id="a zone of 5:45"
        ),
    ],
)
def test_windows_meet_where_the_clock_wraps(
    one: WeeklyHours, one_zone: str, other: WeeklyHours, other_zone: str
) -> None:
    shared = free_slots([one], one_zone, NOW) & free_slots([other], other_zone, NOW)
    assert minutes(shared) >= 60
    assert minutes_to_meet(shared)


@pytest.mark.parametrize(
    ("given_window", "length"),
    [
        pytest.param(window(1, 9, 9), 0, id="no length is nothing"),
        pytest.param(window(1, 0, 24), 1440, id="a whole day is a day"),
        pytest.param(
            WeeklyHours(weekday=1, from_minute=541, until_minute=599), 30, id="whole quarters only"
        ),
    ],
)
def test_a_window_counts_its_whole_quarters(given_window: WeeklyHours, length: int) -> None:
    assert minutes(free_slots([given_window], "UTC", NOW)) == length


def test_a_single_quarter_is_no_minutes_to_meet() -> None:
    assert not minutes_to_meet(0b10)
    assert not minutes_to_meet(0b101)
    assert minutes_to_meet(0b110)


def test_the_last_quarter_of_the_week_is_next_to_the_first() -> None:
    assert minutes_to_meet(1 | 1 << (WEEK_SLOTS - 1))


@given(WINDOWS, WINDOWS, ZONES)
def test_two_people_who_move_together_keep_their_overlap(
    one: list[WeeklyHours], other: list[WeeklyHours], zone: str
) -> None:
    at_home = free_slots(one, "UTC", NOW) & free_slots(other, "UTC", NOW)
    away = free_slots(one, zone, NOW) & free_slots(other, zone, NOW)
    assert minutes(at_home) == minutes(away)
    assert minutes_to_meet(at_home) == minutes_to_meet(away)


@given(WINDOWS, ZONES)
def test_slots_stay_inside_the_week(hours: list[WeeklyHours], zone: str) -> None:
    assert 0 <= free_slots(hours, zone, NOW) < 1 << WEEK_SLOTS
