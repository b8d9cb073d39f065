"""Free times: what is proposed is open to both, taken by nobody, and nothing is left unsaid."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sessions.domain.member import Away, Member
from services.sessions.domain.pair import Pair
from services.sessions.domain.rules import MAX_AHEAD
from services.sessions.domain.session import Slot
from services.sessions.domain.slots import free, suits, within
from services.sessions.domain.terms import Terms, Window
from shared.errors import Rejected
from tests.unit.sessions.given import DAY, HOUR, INSTANT, MENTEE, MENTOR, NOW, PAIR

MONDAY = datetime(2026, 3, 9, tzinfo=UTC)


def pair(mentor: str = "UTC", mentee: str = "UTC") -> Pair:
    return replace(PAIR, mentor=Member(MENTOR, mentor), mentee=Member(MENTEE, mentee))


def found(of: Pair, terms: Terms | None = None, minutes: int = 60, days: int = 7) -> list[str]:
    """When they could meet, from that Monday on, in UTC."""
    between = (MONDAY, MONDAY + days * DAY)
    slots = free([], lambda slot: suits(of, terms, slot), minutes, between, 1_000)
    return [f"{each.starts_at:%a %H:%M}" for each in slots]


def test_who_agreed_on_no_hours_meets_on_weekdays_between_nine_and_five() -> None:
    slots = found(pair())

    assert slots[:2] == ["Mon 09:00", "Mon 09:15"]
    assert slots[28:30] == ["Mon 16:00", "Tue 09:00"]
    assert {each[:3] for each in slots} == {"Mon", "Tue", "Wed", "Thu", "Fri"}


def test_both_are_awake() -> None:
    assert found(pair("Europe/Berlin", "America/New_York"), days=1) == [
        "Mon 13:00",
        "Mon 13:15",
        "Mon 13:30",
        "Mon 13:45",
        "Mon 14:00",
        "Mon 14:15",
        "Mon 14:30",
        "Mon 14:45",
        "Mon 15:00",
    ]
    assert found(pair("Asia/Tokyo", "America/New_York")) == []


def test_agreed_hours_are_those_of_each_ones_own_clocks() -> None:
    hours = (Window(MENTOR, 6, 600, 720), Window(MENTEE, 6, 0, 1440))
    terms = Terms(14, 24, ("video",), hours)

    assert found(pair("Asia/Kathmandu"), terms, minutes=90) == [
        "Sat 04:15",
        "Sat 04:30",
        "Sat 04:45",
    ]


def test_nobody_meets_on_a_holiday_or_on_leave() -> None:
    tuesday, friday = (MONDAY + DAY).date(), (MONDAY + 4 * DAY).date()
    away = replace(
        PAIR,
        mentor=Member(MENTOR, holidays=frozenset({tuesday})),
        mentee=Member(MENTEE, away=(Away(friday, None),)),
    )
    assert {each[:3] for each in found(away)} == {"Mon", "Wed", "Thu"}


@given(
    st.lists(st.tuples(st.integers(0, 600), st.integers(5, 200)), max_size=6),
    st.integers(5, 180),
    st.integers(0, 59),
)
@settings(deadline=None)
def test_every_quarter_that_is_free_is_found_and_no_other(
    taken: list[tuple[int, int]], minutes: int, second: int
) -> None:
    since = MONDAY + timedelta(seconds=second)
    busy = [Slot(MONDAY + timedelta(minutes=at), long) for at, long in taken]
    slots = free(busy, lambda _: True, minutes, (since, MONDAY + 12 * HOUR), 1_000)

    quarters = (Slot(MONDAY + n * HOUR / 4, minutes) for n in range(48))
    assert list(slots) == [
        each
        for each in quarters
        if each.starts_at >= since and not any(each.overlaps(other) for other in busy)
    ]


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Australia/Eucla", "Pacific/Chatham"])
def test_a_quarter_is_one_in_every_zone(zone: str) -> None:
    (first, *_) = free([], lambda _: True, 60, (MONDAY + INSTANT, MONDAY + DAY), 1)

    assert first.starts_at.astimezone(ZoneInfo(zone)).minute % 15 == 0
    assert first.starts_at == MONDAY + HOUR / 4


def test_no_more_are_named_than_asked_for() -> None:
    assert len(free([], lambda _: True, 60, (MONDAY, MONDAY + DAY), 5)) == 5


def test_times_are_looked_for_from_now_on_within_a_year() -> None:
    assert within(None, DAY, NOW) == (NOW + INSTANT, NOW + INSTANT + DAY)
    assert within(NOW - DAY, DAY, NOW)[0] == NOW + INSTANT
    assert within(NOW + MAX_AHEAD, DAY, NOW) == (NOW + MAX_AHEAD, NOW + MAX_AHEAD)
    with pytest.raises(Rejected) as refused:
        within(NOW + MAX_AHEAD + INSTANT, DAY, NOW)
    assert refused.value.field == "from"
