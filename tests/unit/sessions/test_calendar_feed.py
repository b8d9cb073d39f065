"""What the calendar's bytes say to parsers that are not ours."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import x_wr_timezone  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as some
from icalendar import Calendar
from icalevents.icalevents import events as read_events

from services.sessions.calendar_feed import Due, Meeting, render
from shared.ids import derived_id

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NASTY = "read; the book, \\n and\nanswer: “it’s fine” \U0001f468\u200d\U0001f469\u200d\U0001f467 é "


def meeting(starts_at: datetime = NOW + DAY, **changed: object) -> Meeting:
    given: dict[str, object] = {
        "session_id": derived_id("session"),
        "starts_at": starts_at,
        "ends_at": starts_at + HOUR,
        "state": "confirmed",
        "moved": 0,
        "changed_at": NOW,
        "partner": "Maria Weber",
    }
    return Meeting(**{**given, **changed})  # type: ignore[arg-type]


def due(due_at: datetime = NOW + DAY, title: str | None = "read it") -> Due:
    return Due(derived_id("commitment"), due_at, 0, NOW, title, "Maria Weber")


def events_of(feed: bytes) -> Sequence[Any]:
    return Calendar.from_ical(feed).walk("VEVENT")


def read_by_another(feed: bytes, zone: ZoneInfo = BERLIN) -> list[Any]:
    """As icalevents reads it, within 400 days, for somebody in `zone`."""
    return list(read_events(string_content=feed, start=NOW - DAY, end=NOW + 400 * DAY, tzinfo=zone))


def test_a_session_is_where_and_when_it_was_said() -> None:
    (event,) = events_of(render([meeting(channel="video")], [], "Europe/Berlin"))
    assert event["SUMMARY"] == "Mentoring session with Maria Weber"
    assert event["LOCATION"] == "video"
    assert event.start == NOW + DAY
    assert event.end == NOW + DAY + HOUR
    assert (event["STATUS"], event["TRANSP"]) == ("CONFIRMED", "OPAQUE")
    assert event["UID"] == f"{derived_id('session')}@trustfold"
    assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt == NOW


def test_a_partner_whose_name_is_not_known_is_not_made_up() -> None:
    (event,) = events_of(render([meeting(partner=None)], [], "UTC"))
    assert event["SUMMARY"] == "Mentoring session"


def test_a_cancelled_session_is_said_to_be_cancelled_and_takes_no_time() -> None:
    (event,) = events_of(render([meeting(state="cancelled", moved=2)], [], "UTC"))
    assert (event["STATUS"], event["TRANSP"]) == ("CANCELLED", "TRANSPARENT")
    assert event["SEQUENCE"] == 2


def test_a_promise_ends_when_it_is_due_and_keeps_nobody_from_meeting() -> None:
    (event,) = events_of(render([], [due()], "UTC"))
    assert event["SUMMARY"] == "Due: read it"
    assert event.end == NOW + DAY
    assert event["TRANSP"] == "TRANSPARENT"
    assert event["CATEGORIES"].to_ical() == b"COMMITMENT"


def test_a_promise_without_a_title_names_whom_it_is_to() -> None:
    (event,) = events_of(render([], [due(title=None)], "UTC"))
    assert event["SUMMARY"] == "Due: what you promised to Maria Weber"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize(
    "at",
    [
        pytest.param(datetime(2026, 3, 28, 15, tzinfo=BERLIN), id="the day before clocks change"),
        pytest.param(datetime(2026, 3, 29, 15, tzinfo=BERLIN), id="the day they change"),
        pytest.param(datetime(2026, 3, 29, 1, 30, tzinfo=BERLIN), id="the hour before"),
        pytest.param(datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN), id="the first of two"),
        pytest.param(datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN), id="the second"),
        pytest.param(datetime(2026, 10, 26, 15, tzinfo=BERLIN), id="the day after"),
    ],
)
def test_every_client_shows_its_own_local_time_when_clocks_change(at: datetime, zone: str) -> None:
    feed = render([meeting(at.astimezone(UTC))], [], zone)
    (event,) = events_of(feed)
    assert event.start.astimezone(UTC) == at.astimezone(UTC)
    (seen,) = read_by_another(feed, ZoneInfo(zone))
    assert seen.start.astimezone(UTC) == at.astimezone(UTC)
    # A client that moves what it shows to the zone of the calendar shows the same instant.
    (moved,) = x_wr_timezone.to_standard(Calendar.from_ical(feed)).walk("VEVENT")
    assert moved["DTSTART"].dt.astimezone(UTC) == at.astimezone(UTC)
    assert str(moved["DTSTART"].dt.tzinfo) == zone


def test_who_moves_to_another_zone_finds_the_same_sessions() -> None:
    at = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN).astimezone(UTC)
    before, after = (
        events_of(render([meeting(at)], [due(at)], zone)) for zone in ("Asia/Tokyo", "Europe/Rome")
    )
    assert [each.to_ical() for each in before] == [each.to_ical() for each in after]


@pytest.mark.parametrize(
    "title",
    [
        pytest.param(NASTY, id="everything at once"),
        pytest.param("a" * 200, id="one long word"),
        pytest.param("\U0001f600" * 60, id="four octets each, where a line would be cut"),
        pytest.param("é" * 200, id="two octets each"),
        pytest.param("BEGIN:VEVENT\r\nSUMMARY:not ours\r\nEND:VEVENT", id="an event of its own"),
        pytest.param("one\rtwo\u2028three\x00four", id="what would end a line"),
    ],
)
def test_a_title_is_read_as_it_was_written_and_ends_no_line(title: str) -> None:
    feed = render([], [due(title=title)], "UTC")
    assert_well_formed(feed)
    (event,) = events_of(feed)
    (seen,) = read_by_another(feed)
    expected = "Due: " + title.replace("\r\n", "\n").replace("\r", "\n")
    for odd in "\x00\u2028":
        expected = expected.replace(odd, " ")
    assert str(event["SUMMARY"]) == expected
    assert seen.summary == expected


@given(some.text(max_size=200), some.text(min_size=1, max_size=80))
def test_nothing_that_people_write_breaks_the_calendar(title: str, partner: str) -> None:
    feed = render([meeting(partner=partner)], [due(title=title or None)], "Europe/Berlin")
    assert_well_formed(feed)
    session, promise = events_of(feed)
    assert session.start == NOW + DAY
    assert promise.end == NOW + DAY


def test_other_parsers_see_the_same_entries() -> None:
    feed = render([meeting(), meeting(NOW + 9 * DAY, session_id=derived_id("b"))], [due()], "UTC")
    seen = sorted(each.uid for each in read_by_another(feed))
    assert seen == sorted(str(each["UID"]) for each in events_of(feed))


def test_clients_are_told_the_name_and_when_to_look_again() -> None:
    calendar: Any = Calendar.from_ical(render([], [], "Europe/Berlin"))
    assert calendar["X-WR-CALNAME"] == "Mentoring"
    assert calendar["X-WR-TIMEZONE"] == "Europe/Berlin"
    assert calendar["REFRESH-INTERVAL"].dt == HOUR
    assert calendar["X-PUBLISHED-TTL"] == "PT1H"


def test_the_same_data_gives_the_same_bytes() -> None:
    assert render([meeting()], [due()], "UTC") == render([meeting()], [due()], "UTC")


def assert_well_formed(feed: bytes) -> None:
    assert feed.endswith(b"END:VCALENDAR\r\n")
    lines = feed.split(b"\r\n")
    assert not [line for line in lines if len(line) > 75]
    # No line is cut within a character, and none ends but with CRLF.
    for line in lines:
        assert not [
            c for c in line.decode("utf-8") if unicodedata.category(c) == "Cc" and c != "\t"
        ]
