"""What a session would break of an agreement: by the minute, in everybody's own zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from services.sessions.domain.member import Away, Member
from services.sessions.domain.pair import Pair
from services.sessions.domain.presence import away
from services.sessions.domain.session import Slot
from services.sessions.domain.terms import (
    BreaksAgreement,
    Terms,
    Window,
    broken_term,
    require_terms,
    require_unbroken,
)
from shared.errors import Rejected
from shared.ids import PersonId
from tests.unit.sessions.given import MENTEE, MENTOR, PAIR, STRANGER

MINUTE = timedelta(minutes=1)
MON, TUE, SUN = 1, 2, 7
BARE = Terms(14, 24, ("video", "email"))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def clock(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def window(weekday: int, since: str, until: str, person: PersonId = MENTOR) -> Window:
    return Window(person, weekday, clock(since), clock(until))


def pair(mentor_zone: str = "UTC", mentee_zone: str = "UTC") -> Pair:
    return replace(PAIR, mentor=Member(MENTOR, mentor_zone), mentee=Member(MENTEE, mentee_zone))


def at_home(zone: str, *parts: int, minutes: int = 60, fold: int = 0) -> Slot:
    """A slot that begins at a local time of a zone."""
    local = datetime(*parts, tzinfo=ZoneInfo(zone), fold=fold)  # type: ignore[arg-type,misc]
    return Slot(local.astimezone(UTC), minutes)


def broken(
    terms: Terms | None, pair: Pair, slot: Slot, channel: str | None = None
) -> tuple[str, PersonId | None] | None:
    """The term that is broken, and whose."""
    found = broken_term(terms, pair, slot, channel)
    return (found.term, found.whose) if found else None


# Monday 2 March 2026, nine to ten in UTC.
NINE = Slot(utc(2026, 3, 2, 9), 60)


def test_without_an_agreement_any_time_and_channel_will_do() -> None:
    assert broken(None, pair(), NINE, "pigeon") is None
    assert broken(BARE, pair(), NINE, "video") is None
    assert broken(BARE, pair(), NINE, None) is None


def test_a_channel_that_is_not_agreed_is_of_neither_side() -> None:
    assert broken(BARE, pair(), NINE, "chat") == ("channel", None)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        pytest.param("09:00", "10:00", None, id="it just fits"),
        pytest.param("09:01", "10:00", "hours", id="it begins a minute early"),
        pytest.param("09:00", "09:59", "hours", id="it ends a minute late"),
        pytest.param("13:00", "14:00", "hours", id="another time"),
    ],
)
def test_a_session_is_wholly_inside_the_hours(since: str, until: str, expected: str | None) -> None:
    terms = replace(BARE, hours=(window(MON, since, until),))

    assert broken(terms, pair(), NINE) == (expected and (expected, MENTOR))


def test_hours_are_of_one_side_and_the_other_is_free() -> None:
    terms = replace(BARE, hours=(window(TUE, "09:00", "10:00", MENTEE),))

    assert broken(terms, pair(), NINE) == ("hours", MENTEE)
    assert broken(terms, pair(), Slot(utc(2026, 3, 3, 9), 60)) is None


def test_hours_that_touch_are_one() -> None:
    halves = (window(MON, "09:30", "12:00"), window(MON, "08:00", "09:30"))

    assert broken(replace(BARE, hours=halves), pair(), NINE) is None


def test_a_session_over_local_midnight_needs_both_nights() -> None:
    night = Slot(utc(2026, 3, 2, 23, 30), 60)
    monday, tuesday = window(MON, "22:00", "24:00"), window(TUE, "00:00", "02:00")

    assert broken(replace(BARE, hours=(monday, tuesday)), pair(), night) is None
    assert broken(replace(BARE, hours=(monday,)), pair(), night) == ("hours", MENTOR)
    assert broken(replace(BARE, hours=(tuesday,)), pair(), night) == ("hours", MENTOR)


def test_the_night_from_sunday_to_monday_is_one_night() -> None:
    night = Slot(utc(2026, 3, 1, 23, 30), 60)
    hours = (window(SUN, "22:00", "24:00"), window(MON, "00:00", "02:00"))

    assert broken(replace(BARE, hours=hours), pair(), night) is None


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        pytest.param("08:00", "09:00", None, id="it ends as the session begins"),
        pytest.param("10:00", "11:00", None, id="it begins as the session ends"),
        pytest.param("09:59", "11:00", "off_limits", id="the last minute"),
        pytest.param("08:00", "09:01", "off_limits", id="the first minute"),
        pytest.param("09:20", "09:21", "off_limits", id="a minute in it"),
    ],
)
def test_no_minute_is_off_limits(since: str, until: str, expected: str | None) -> None:
    terms = replace(BARE, off_limits=(window(MON, since, until, MENTEE),))

    assert broken(terms, pair(), NINE) == (expected and (expected, MENTEE))


def test_off_limits_is_so_inside_the_hours_too() -> None:
    terms = replace(
        BARE,
        hours=(window(MON, "08:00", "18:00"),),
        off_limits=(window(MON, "12:00", "13:00"),),
    )

    assert broken(terms, pair(), Slot(utc(2026, 3, 2, 12), 30)) == ("off_limits", MENTOR)


def test_everybody_s_hours_are_where_they_are() -> None:
    hours = (window(MON, "09:00", "17:00"), window(MON, "14:00", "20:00", MENTEE))
    apart = pair("America/New_York", "Asia/Kathmandu")
    terms = replace(BARE, hours=hours)

    # 09:00 in New York is 19:45 in Kathmandu, before the clocks change in New York.
    assert broken(terms, apart, at_home("America/New_York", 2026, 3, 2, 9, minutes=15)) is None
    late = at_home("America/New_York", 2026, 3, 2, 9, minutes=16)
    assert broken(terms, apart, late) == ("hours", MENTEE)
    early = at_home("Asia/Kathmandu", 2026, 3, 2, 19, 44, minutes=5)
    assert broken(terms, apart, early) == ("hours", MENTOR)


@pytest.mark.parametrize(
    ("zone", "sundays"),
    [
        # In each: the Sunday before the clocks change, and the one after.
        pytest.param("America/New_York", ((2026, 3, 1), (2026, 3, 15)), id="forward"),
        pytest.param("America/New_York", ((2026, 10, 25), (2026, 11, 8)), id="back"),
        pytest.param("Australia/Lord_Howe", ((2026, 9, 27), (2026, 10, 11)), id="by half an hour"),
    ],
)
def test_hours_stay_what_the_clock_on_the_wall_says(
    zone: str, sundays: tuple[tuple[int, int, int], ...]
) -> None:
    terms = replace(BARE, hours=(window(SUN, "09:00", "10:00"),))

    for day in sundays:
        assert broken(terms, pair(zone), at_home(zone, *day, 9)) is None
        assert broken(terms, pair(zone), at_home(zone, *day, 9, 1)) == ("hours", MENTOR)


def test_over_skipped_time_there_is_nothing_to_be_outside_of() -> None:
    # 02:00 to 03:00 is not there on 8 March in New York.
    zone = "America/New_York"
    around = at_home(zone, 2026, 3, 8, 1, 30, minutes=60)
    terms = replace(BARE, hours=(window(SUN, "01:30", "02:00"), window(SUN, "03:00", "03:30")))

    assert broken(terms, pair(zone), around) is None
    skipped = replace(BARE, off_limits=(window(SUN, "02:00", "03:00"),))
    assert broken(skipped, pair(zone), around) is None


def test_a_repeated_hour_is_that_hour_both_times() -> None:
    # 01:00 to 02:00 comes twice on 1 November in New York.
    zone = "America/New_York"
    both_times = at_home(zone, 2026, 11, 1, 1, minutes=120)
    agreed = replace(BARE, hours=(window(SUN, "01:00", "02:00"),))
    quiet = replace(BARE, off_limits=(window(SUN, "01:00", "01:10"),))

    assert broken(agreed, pair(zone), both_times) is None
    assert broken(agreed, pair(zone), replace(both_times, duration_minutes=121)) is not None
    second = at_home(zone, 2026, 11, 1, 1, minutes=5, fold=1)
    assert broken(quiet, pair(zone), second) == ("off_limits", MENTOR)


def test_lord_howe_repeats_half_an_hour() -> None:
    zone = "Australia/Lord_Howe"
    agreed = replace(BARE, hours=(window(SUN, "01:30", "02:00"),))
    twice = at_home(zone, 2026, 4, 5, 1, 30, minutes=60)

    assert broken(agreed, pair(zone), twice) is None
    assert broken(agreed, pair(zone), replace(twice, duration_minutes=61)) == ("hours", MENTOR)


def test_nobody_meets_on_a_holiday_or_a_leave_whatever_is_agreed() -> None:
    day = date(2026, 3, 2)
    off = replace(pair(), mentee=Member(MENTEE, holidays=frozenset({day})))
    gone = replace(pair(), mentor=Member(MENTOR, away=(Away(day, day + timedelta(days=3)),)))

    assert broken(None, off, NINE) == ("holiday", MENTEE)
    assert broken(None, gone, NINE) == ("leave", MENTOR)
    assert broken(BARE, gone, Slot(utc(2026, 3, 5, 9), 60)) is None


def test_a_holiday_is_a_day_where_the_person_is() -> None:
    # Monday 2 March begins on Sunday at 10:00 UTC in Kiritimati, fourteen hours ahead.
    far = replace(
        pair(), mentee=Member(MENTEE, "Pacific/Kiritimati", holidays=frozenset({date(2026, 3, 2)}))
    )

    assert broken(None, far, Slot(utc(2026, 3, 1, 9), 60)) is None
    assert broken(None, far, Slot(utc(2026, 3, 1, 9), 61)) == ("holiday", MENTEE)
    assert broken(None, far, Slot(utc(2026, 3, 2, 10), 60)) is None


def test_what_is_refused_says_why_whose_it_is_and_what_helps() -> None:
    terms = replace(BARE, hours=(window(MON, "10:00", "12:00"), window(MON, "08:00", "08:30")))

    with pytest.raises(BreaksAgreement) as refused:
        require_unbroken(terms, pair(), NINE, None)

    assert str(refused.value) == (
        "outside the hours that are agreed for maria: Mondays 08:00-08:30, 10:00-12:00, UTC; "
        "the other side can allow it this once: propose the time to them, and it is allowed when "
        "they accept"
    )
    assert (refused.value.slug, refused.value.field) == ("breaks-agreement", "starts_at")
    assert refused.value.allowed == ("propose",)
    with pytest.raises(BreaksAgreement, match="meet by video, email;") as wrong:
        require_unbroken(BARE, pair(), NINE, "chat")
    assert wrong.value.field == "channel"


def test_a_session_that_breaks_nothing_is_not_refused() -> None:
    require_unbroken(BARE, pair(), NINE, "video")


@pytest.mark.parametrize(
    ("window", "field"),
    [
        pytest.param(Window(MENTOR, 1, 600, 600), "hours.1.until_minute", id="empty"),
        pytest.param(Window(MENTOR, 1, 1320, 120), "hours.1.until_minute", id="over midnight"),
        pytest.param(Window(MENTOR, 0, 0, 60), "hours.1.weekday", id="no weekday"),
        pytest.param(Window(MENTOR, 8, 0, 60), "hours.1.weekday", id="an eighth day"),
        pytest.param(Window(MENTOR, 1, -1, 60), "hours.1.from_minute", id="before the day"),
        pytest.param(Window(MENTOR, 1, 0, 1441), "hours.1.until_minute", id="after the day"),
        pytest.param(Window(STRANGER, 1, 0, 60), "hours.1.person_id", id="somebody else's"),
    ],
)
def test_a_window_that_is_none_is_named(window: Window, field: str) -> None:
    good = Window(MENTEE, 1, 0, 1440)

    with pytest.raises(Rejected) as refused:
        require_terms(replace(BARE, hours=(good, window)), PAIR)

    assert refused.value.field == field


def test_the_off_limits_are_looked_at_too() -> None:
    with pytest.raises(Rejected) as refused:
        require_terms(replace(BARE, off_limits=(Window(MENTOR, 1, 60, 0),)), PAIR)
    assert refused.value.field == "off_limits.0.until_minute"
    with pytest.raises(Rejected, match="at most 100 windows"):
        require_terms(replace(BARE, off_limits=(Window(MENTOR, 1, 0, 60),) * 101), PAIR)


ZONES = (
    "UTC",
    "Asia/Kathmandu",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Pacific/Chatham",
    "Africa/Casablanca",
)


def changes(zone: str) -> list[datetime]:
    """The instants of 2026 at which the clocks of a zone change; its middle where they do not."""
    quarters = [utc(2026, 1, 1) + n * 15 * MINUTE for n in range(365 * 24 * 4)]
    offsets = [each.astimezone(ZoneInfo(zone)).utcoffset() for each in quarters]
    found = [
        at for at, one, two in zip(quarters[1:], offsets, offsets[1:], strict=False) if one != two
    ]
    return found or [utc(2026, 7, 1)]


CHANGES = {zone: changes(zone) for zone in ZONES}


@some.composite
def slots(draw: some.DrawFn, zone: str) -> Slot:
    """About a change of clocks; for who is in another zone that is any other time."""
    around = draw(some.sampled_from(CHANGES[zone]))
    begins = around + draw(some.one_of(some.integers(-90, 30), some.integers(-1440, 360))) * MINUTE
    return Slot(begins, draw(some.one_of(some.integers(5, 150), some.integers(5, 24 * 60))))


@some.composite
def hours(draw: some.DrawFn, person: PersonId) -> tuple[Window, ...]:
    """Days cut into windows that touch, of which a few are left out, and perhaps a weekday."""
    quarters = some.integers(0, 16).map(lambda n: n * 15)
    cuts = {0, 1440, *draw(some.sets(some.one_of(quarters, some.integers(0, 1440)), max_size=4))}
    windows = [
        Window(person, weekday, *each)
        for each in pairwise(sorted(cuts))
        for weekday in draw(some.permutations(range(1, 8)))
    ]
    no_day = draw(some.one_of(some.just(0), some.integers(1, 7)))
    no_time = draw(some.sets(some.sampled_from(sorted(cuts)), max_size=1))
    return tuple(
        each for each in windows if each.weekday != no_day and each.from_minute not in no_time
    )


@some.composite
def members(draw: some.DrawFn, person: PersonId) -> Member:
    zone = draw(some.sampled_from(ZONES))
    days = frozenset(each.astimezone(ZoneInfo(zone)).date() for each in CHANGES[zone])
    return Member(person, zone, holidays=days if draw(some.integers(0, 5)) == 0 else frozenset())


@some.composite
def situations(draw: some.DrawFn) -> tuple[Terms, Pair, Slot]:
    mentor, mentee = draw(members(MENTOR)), draw(members(MENTEE))
    agreed = draw(hours(MENTOR)), draw(some.one_of(some.just(()), hours(MENTEE)))
    quiet: tuple[Window, ...] = ()
    if draw(some.booleans()):
        every = draw(hours(MENTOR))
        quiet = tuple(each for each in every if each.from_minute == every[-1].from_minute)
        agreed = (), agreed[1]
    terms = replace(BARE, hours=agreed[0] + agreed[1], off_limits=quiet)
    return terms, replace(PAIR, mentor=mentor, mentee=mentee), draw(slots(mentor.zone))


def minute_suits(terms: Terms, member: Member, at: datetime) -> bool:
    """Whether one minute is allowed, by the clock on that person's wall."""
    local = at.astimezone(ZoneInfo(member.zone))
    minute = local.hour * 60 + local.minute

    def inside(each: Window) -> bool:
        return (
            each.person_id == member.person_id
            and each.weekday == local.isoweekday()
            and each.from_minute <= minute < each.until_minute
        )

    hours = [each for each in terms.hours if each.person_id == member.person_id]
    return (
        (not hours or any(map(inside, hours)))
        and not any(map(inside, terms.off_limits))
        and away(member, at) is None
    )


@settings(max_examples=200)
@given(situations())
def test_a_session_is_allowed_if_every_minute_of_it_is(it: tuple[Terms, Pair, Slot]) -> None:
    terms, both, slot = it
    every_minute = all(
        minute_suits(terms, member, slot.starts_at + n * MINUTE)
        for n in range(slot.duration_minutes)
        for member in (both.mentor, both.mentee)
    )

    found = broken_term(terms, both, slot, None)

    assert (found is None) == every_minute


@given(situations(), some.integers(1, 59))
def test_a_session_between_two_minutes_is_judged_by_all_it_touches(
    it: tuple[Terms, Pair, Slot], seconds: int
) -> None:
    terms, both, slot = it
    shifted = replace(slot, starts_at=slot.starts_at + timedelta(seconds=seconds))
    longer = replace(slot, duration_minutes=slot.duration_minutes + 1)

    found, whole = (broken_term(terms, both, each, None) for each in (shifted, longer))

    assert (found is None) == (whole is None)
