"""Sessions that come again: the same time of the clocks, whatever the clocks do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sessions.domain import series as rules_of
from services.sessions.domain.rules import MAX_SCHEDULED_SESSIONS
from services.sessions.domain.series import LeftOut, NothingFits, Rhythm, Series, occurrences
from services.sessions.domain.session import Slot
from shared.errors import Rejected
from shared.ids import derived_id
from tests.unit.sessions.given import DAY, HOUR, MENTOR, NOW, PAIR, STRANGER


def rhythm(
    first: str = "2026-03-09T10:00", zone: str = "UTC", count: int = 3, every_days: int = 7
) -> Rhythm:
    return Rhythm(datetime.fromisoformat(first), zone, 60, count, every_days)


def series(of: Rhythm) -> Series:
    return Series(PAIR.tenant, PAIR.pair_id, derived_id("series"), MENTOR, NOW, of)


def starts(of: Rhythm) -> list[str]:
    return [f"{each.starts_at:%m-%d %H:%M}" for each in occurrences(of)]


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        pytest.param(
            rhythm("2026-03-22T09:00", "Europe/Berlin"),
            ["03-22 08:00", "03-29 07:00", "04-05 07:00"],
            id="an hour sooner in UTC once the clocks go forward",
        ),
        pytest.param(
            rhythm("2026-10-18T09:00", "Europe/Berlin"),
            ["10-18 07:00", "10-25 08:00", "11-01 08:00"],
            id="an hour later once they go back",
        ),
        pytest.param(
            rhythm("2026-03-22T02:30", "Europe/Berlin"),
            ["03-22 01:30", "03-29 01:30", "04-05 00:30"],
            id="a time that the clocks skip is the one they show instead, 03:30",
        ),
        pytest.param(
            rhythm("2026-10-18T02:30", "Europe/Berlin"),
            ["10-18 00:30", "10-25 00:30", "11-01 01:30"],
            id="of a time that comes twice, the first",
        ),
        pytest.param(
            rhythm("2026-04-02T09:00", "Pacific/Kiritimati"),
            ["04-01 19:00", "04-08 19:00", "04-15 19:00"],
            id="the day before, west of the date line",
        ),
        pytest.param(
            rhythm("2026-10-01T09:00", "Australia/Lord_Howe", every_days=4),
            ["09-30 22:30", "10-04 22:00", "10-08 22:00"],
            id="where the clocks go by half an hour",
        ),
    ],
)
def test_it_is_the_same_time_of_the_clocks(of: Rhythm, expected: list[str]) -> None:
    assert starts(of) == expected


LOCAL = datetime.fromisoformat("2026-03-10T00:00")
zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo"]
)


@given(
    st.datetimes(LOCAL, LOCAL + 290 * DAY),
    zones,
    st.integers(1, 26),
    st.integers(1, 30),
)
@settings(deadline=None)
def test_the_clocks_show_the_time_that_was_asked_for_wherever_they_can(
    first: datetime, zone: str, count: int, every_days: int
) -> None:
    of = Rhythm(first, zone, 60, count, every_days)
    for n, slot in enumerate(occurrences(of)):
        wanted = first + n * timedelta(days=every_days)
        shown = slot.starts_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        skipped = wanted.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone))
        assert shown == wanted or (shown > wanted and skipped.replace(tzinfo=None) != wanted)


def plan(
    of: Rhythm,
    taken: Sequence[Slot] = (),
    ahead: int = 0,
    broken: dict[datetime, str] | None = None,
) -> tuple[list[LeftOut], list[Slot]]:
    made, booked = rules_of.plan(
        series(of), taken, ahead, lambda slot: (broken or {}).get(slot.starts_at), NOW
    )
    return list(made.left_out), list(booked)


def test_what_does_not_fit_is_left_out_with_its_reason() -> None:
    first, second, third = occurrences(rhythm())
    left_out, booked = plan(
        rhythm(),
        taken=[Slot(first.starts_at + HOUR / 2, 60)],
        broken={third.starts_at: "holiday"},
    )

    assert booked == [second]
    assert left_out == [
        LeftOut(first.starts_at, "overlap"),
        LeftOut(third.starts_at, "holiday"),
    ]


def test_what_is_too_far_or_too_much_is_left_out() -> None:
    far, _ = plan(rhythm(count=20, every_days=30))
    many, _ = plan(rhythm(), ahead=MAX_SCHEDULED_SESSIONS - 1)

    assert {each.reason for each in far} == {"too_far"}
    assert [each.reason for each in many] == ["too_many", "too_many"]


def test_the_times_of_a_series_are_not_in_each_others_way_unseen() -> None:
    # A day and night, every day: when the clocks go forward, a day is an hour short.
    of = Rhythm(datetime.fromisoformat("2026-03-28T09:00"), "Europe/Berlin", 24 * 60, 3, 1)

    left_out, booked = plan(of)

    assert [each.reason for each in left_out] == ["overlap"]
    assert len(booked) == 2


def test_a_series_of_which_nothing_fits_is_not_made_and_says_why() -> None:
    slots = occurrences(rhythm())
    with pytest.raises(NothingFits, match="1 overlap, 2 hours"):
        plan(rhythm(), taken=slots[:1], broken=dict.fromkeys((s.starts_at for s in slots), "hours"))


@pytest.mark.parametrize(
    ("first", "zone"),
    [
        pytest.param("2026-03-02T09:00", "UTC", id="now"),
        pytest.param("2026-03-02T22:59", "Pacific/Kiritimati", id="past, where the day is ahead"),
        pytest.param("2026-02-01T09:00", "UTC", id="long past"),
        pytest.param("0001-01-01T00:00", "Europe/Berlin", id="the first year there is"),
        pytest.param("9999-12-31T23:59", "Europe/Berlin", id="the last year there is"),
    ],
)
def test_the_first_is_ahead_and_within_reason(first: str, zone: str) -> None:
    with pytest.raises(Rejected) as refused:
        plan(rhythm(first, zone))
    assert refused.value.field == "starts_at_local"


def test_what_is_past_elsewhere_may_be_ahead_where_the_day_is_behind() -> None:
    _, booked = plan(rhythm("2026-03-02T08:00", "Pacific/Pago_Pago"))

    assert booked[0].starts_at == NOW + 10 * HOUR


def test_a_series_is_called_off_once_by_either_side() -> None:
    off = rules_of.call_off(PAIR, series(rhythm()), MENTOR, NOW + DAY)

    assert off.called_off_at == NOW + DAY
    assert rules_of.call_off(PAIR, off, PAIR.mentee_id, NOW + 2 * DAY) is off
    with pytest.raises(Rejected):
        rules_of.call_off(PAIR, series(rhythm()), STRANGER, NOW)
