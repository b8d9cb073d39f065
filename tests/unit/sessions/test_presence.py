"""The clock that stands still while somebody is away: its laws, and the days it is about."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.sessions.domain.member import Away, Member
from services.sessions.domain.pair import Pair
from services.sessions.domain.presence import (
    NEVER,
    Interval,
    advance,
    away,
    deadline,
    next_open,
    stood_still,
    stopped,
)
from shared.ids import PairId, PersonId, TenantId, derived_id

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/Havana",
    "Pacific/Apia",
    "Africa/Casablanca",
)


def member(
    zone: str = "UTC", *leaves: tuple[date, date | None], holidays: frozenset[date] = frozenset()
) -> Member:
    return Member(
        PersonId("maria"), zone, away=tuple(Away(*each) for each in leaves), holidays=holidays
    )


def pair(mentor: Member, mentee: Member | None = None) -> Pair:
    return Pair(TenantId("acme"), PairId(derived_id("pair")), mentor, mentee or member(), NOW)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 12, 31, tzinfo=UTC)
instants = some.integers(0, int((UNTIL - SINCE) / timedelta(seconds=1))).map(
    lambda seconds: SINCE + timedelta(seconds=seconds)
)
spans = some.timedeltas(timedelta(0), timedelta(days=60))
days = some.dates(date(2026, 1, 1), date(2027, 12, 31))


@some.composite
def clocks(draw: some.DrawFn, *, open_end: bool = False) -> tuple[Interval, ...]:
    """Intervals in order that do not touch; the last may have no end."""
    cuts = sorted(draw(some.sets(instants, max_size=10)))
    found = [Interval(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    if open_end and len(cuts) % 2:
        found.append(Interval(cuts[-1], NEVER))
    return tuple(found)


@some.composite
def members(draw: some.DrawFn, *, open_end: bool = False) -> Member:
    leaves = []
    for started_on in draw(some.lists(days, max_size=3)):
        length = draw(some.integers(0, 40))
        end = None if open_end and draw(some.booleans()) else started_on + length * DAY
        leaves.append((started_on, end))
    zone = draw(some.sampled_from(ZONES))
    return member(zone, *leaves, holidays=draw(some.frozensets(days, max_size=60)))


def inside(at: datetime, intervals: tuple[Interval, ...]) -> bool:
    return any(each.since <= at < each.until for each in intervals)


@given(instants, spans)
def test_with_nobody_away_time_is_time(at: datetime, span: timedelta) -> None:
    assert advance(at, span, ()) == at + span


@given(instants, spans, clocks())
def test_just_the_span_is_counted(
    at: datetime, span: timedelta, clock: tuple[Interval, ...]
) -> None:
    until = advance(at, span, clock)
    assert (until - at) - stood_still(at, until, clock) == span
    assert not inside(until, clock)


@given(instants, instants, spans, spans, clocks(open_end=True))
def test_later_or_longer_never_ends_sooner(
    one: datetime, other: datetime, short: timedelta, more: timedelta, clock: tuple[Interval, ...]
) -> None:
    first, second = sorted((one, other))
    assert advance(first, short, clock) <= advance(second, short, clock)
    assert advance(first, short, clock) <= advance(first, short + more, clock)


@given(instants, spans, clocks(open_end=True))
def test_what_has_no_end_is_never_reached(
    at: datetime, span: timedelta, clock: tuple[Interval, ...]
) -> None:
    until = advance(at, span, clock)
    assert until == NEVER or not inside(until, clock)
    assert (until == NEVER) == bool(
        clock
        and clock[-1].until == NEVER
        and at + span + stood_still(at, clock[-1].since, clock[:-1]) >= clock[-1].since
    )


def test_a_span_that_is_over_as_the_clock_stops_is_over_as_it_goes_on() -> None:
    still = Interval(NOW + HOUR, NOW + 3 * HOUR)
    assert advance(NOW, HOUR, [still]) == NOW + 3 * HOUR
    assert advance(NOW, HOUR - timedelta(microseconds=1), [still]) < NOW + HOUR


@given(members(open_end=True), members(open_end=True))
def test_leaves_of_both_sides_are_one_row_of_gaps(mentor: Member, mentee: Member) -> None:
    clock = stopped(pair(mentor, mentee))
    assert all(each.since < each.until for each in clock)
    assert all(a.until < b.since for a, b in pairwise(clock))


@given(members(open_end=True), members(open_end=True), instants)
def test_the_clock_stands_still_just_while_one_of_them_is_on_leave(
    mentor: Member, mentee: Member, at: datetime
) -> None:
    on_leave = "leave" in (away(mentor, at), away(mentee, at))
    assert inside(at, stopped(pair(mentor, mentee))) == on_leave


def test_a_leave_is_of_local_days_and_days_are_as_long_as_the_clocks_make_them() -> None:
    berlin = member("Europe/Berlin", (date(2026, 3, 29), date(2026, 3, 30)))
    (spring,) = stopped(pair(berlin))
    assert spring == (utc(2026, 3, 28, 23), utc(2026, 3, 29, 22))
    berlin = member("Europe/Berlin", (date(2026, 10, 25), date(2026, 10, 26)))
    (autumn,) = stopped(pair(berlin))
    assert autumn.until - autumn.since == 25 * HOUR


def test_a_day_whose_midnight_is_skipped_begins_when_the_clocks_do() -> None:
    havana = member("America/Havana", (date(2026, 3, 8), date(2026, 3, 9)))
    (day,) = stopped(pair(havana))
    assert day == (utc(2026, 3, 8, 5), utc(2026, 3, 9, 4))


def test_two_sides_in_different_zones_are_both_waited_for() -> None:
    tokyo = member("Asia/Tokyo", (date(2026, 3, 10), date(2026, 3, 11)))
    new_york = member("America/New_York", (date(2026, 3, 10), date(2026, 3, 11)))
    # The same day begins in New York while it is on in Tokyo: one gap of 37 hours.
    assert stopped(pair(tokyo, new_york)) == ((utc(2026, 3, 9, 15), utc(2026, 3, 11, 4)),)


def test_a_leave_without_an_end_stands_until_it_ends() -> None:
    alone = pair(member("UTC", (date(2026, 3, 10), None)))
    assert deadline(NOW, 30 * DAY, alone) == NEVER
    assert deadline(NOW, DAY, alone) == NOW + DAY
    assert next_open(utc(2026, 3, 12, 9), alone.mentor) == NEVER
    ended = pair(member("UTC", (date(2026, 3, 10), date(2026, 3, 20))))
    assert deadline(NOW, 30 * DAY, ended) == NOW + 40 * DAY


def test_a_leave_that_began_and_ended_on_one_day_was_none() -> None:
    assert stopped(pair(member("UTC", (date(2026, 3, 10), date(2026, 3, 10))))) == ()


@given(members(), members(), instants, spans)
def test_a_deadline_counts_only_when_both_are_there(
    mentor: Member, mentee: Member, at: datetime, span: timedelta
) -> None:
    two = pair(mentor, mentee)
    until = deadline(at, span, two)
    assert away(mentor, until) is None
    assert away(mentee, until) is None
    # Told apart from its own sums: every quarter of an hour, is anybody away?
    step = timedelta(minutes=15)
    start = at.replace(minute=0, second=0, microsecond=0)
    until = deadline(start, span, two)
    ticks = (start + step * n for n in range(int((until - start) / step) + 1))
    present = sum(
        away(mentor, tick) is None and away(mentee, tick) is None for tick in ticks if tick < until
    )
    assert abs(present * step - span) <= step


@given(members(), members(), instants, spans)
def test_holidays_only_ever_put_a_deadline_off(
    mentor: Member, mentee: Member, at: datetime, span: timedelta
) -> None:
    two = pair(mentor, mentee)
    assert deadline(at, span, two) >= advance(at, span, stopped(two)) >= at + span


def test_holidays_of_either_side_stop_the_grace() -> None:
    mentor = member("Europe/Berlin", holidays=frozenset({date(2026, 4, 3)}))
    mentee = member("America/New_York", holidays=frozenset({date(2026, 4, 6)}))
    two = pair(mentor, mentee)
    # Berlin's Friday ends at 22:00 UTC, before New York's Monday begins at 04:00 UTC.
    assert deadline(utc(2026, 4, 2, 12), 48 * HOUR, two) == utc(2026, 4, 5, 12)
    assert deadline(utc(2026, 4, 2, 12), 72 * HOUR, two) == utc(2026, 4, 7, 12)


@given(members(), instants)
def test_the_next_open_day_keeps_the_local_time(who: Member, at: datetime) -> None:
    zone = ZoneInfo(who.zone)
    moved = next_open(at, who)
    assert moved >= at
    assert away(who, moved) is None
    if away(who, at) is None:
        assert moved == at
        return
    before, after = at.astimezone(zone), moved.astimezone(zone)
    gap = after.replace(tzinfo=None) - datetime.combine(after.date(), before.time())
    # None, or what the clocks skip on that day.
    assert timedelta(0) <= gap <= HOUR
    between = (before.date() + n * DAY for n in range((after.date() - before.date()).days))
    assert all(away(who, datetime.combine(day, time(12), zone)) for day in between)


def test_the_next_open_day_may_be_after_the_clocks_change() -> None:
    berlin = member("Europe/Berlin", (date(2026, 3, 20), date(2026, 3, 30)))
    assert next_open(utc(2026, 3, 25, 16), berlin) == utc(2026, 3, 30, 15)
    skipped = member("Europe/Berlin", (date(2026, 3, 20), date(2026, 3, 29)))
    assert next_open(utc(2026, 3, 25, 1, 30), skipped) == utc(2026, 3, 29, 1, 30)


def test_holidays_after_a_leave_are_skipped_too() -> None:
    easter = frozenset({date(2026, 4, 3), date(2026, 4, 6)})
    who = member(
        "UTC",
        (date(2026, 3, 30), date(2026, 4, 3)),
        (date(2026, 4, 4), date(2026, 4, 6)),
        holidays=easter,
    )
    assert next_open(utc(2026, 3, 31, 9), who) == utc(2026, 4, 7, 9)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        pytest.param("UTC", "holiday", id="the day itself"),
        pytest.param("America/New_York", None, id="not there yet"),
        pytest.param("Asia/Tokyo", "holiday", id="there too"),
    ],
)
def test_a_holiday_is_a_local_day(zone: str, expected: str | None) -> None:
    holiday = frozenset({date(2026, 5, 1)})
    assert away(member(zone, holidays=holiday), utc(2026, 5, 1, 2)) == expected


def test_a_holiday_in_a_leave_is_a_leave() -> None:
    who = member("UTC", (date(2026, 5, 1), None), holidays=frozenset({date(2026, 5, 1)}))
    assert away(who, utc(2026, 5, 1, 12)) == "leave"


def test_what_is_never_due_stays_so() -> None:
    alone = pair(member())
    assert advance(NEVER, DAY, ()) == NEVER
    assert deadline(NEVER, DAY, alone) == NEVER
    assert next_open(NEVER, alone.mentor) == NEVER
