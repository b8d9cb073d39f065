"""Invitations: what real readers of iCalendar make of them, and of hostile names in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.headerregistry import Address

import icalevents.icalevents
import pytest
import x_wr_timezone  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from services.notifications.channels import Invitation
from services.notifications.channels.calendar import render
from services.notifications.channels.mail import envelope_address, written
from services.sessions.calendar_feed import Meeting
from services.sessions.calendar_feed import render as render_feed
from tests.unit.notifications.builders import PAIR, START
from tests.unit.notifications.test_email import SENDER, letter

STARTS = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
INVITED = Invitation(PAIR, 7, START, STARTS, timedelta(minutes=45), False, "Zoë")
BO = Address("Bo", addr_spec="bo@acme.example")


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


def test_an_invitation_says_what_a_calendar_needs() -> None:
    lines = unfolded(render(INVITED, organizer=SENDER.address, attendee=BO))

    assert {
        "METHOD:REQUEST",
        f"UID:{PAIR}@trustfold",
        "SEQUENCE:7",
        f"DTSTAMP:{START:%Y%m%dT%H%M%SZ}",
        "DTSTART:20260329T003000Z",
        "DTEND:20260329T011500Z",
        "STATUS:CONFIRMED",
        "SUMMARY:Mentoring session with Zoë",
        "ORGANIZER;CN=Trustfold:mailto:no-reply@mentoring.example",
    } <= set(lines)
    (attendee,) = (line for line in lines if line.startswith("ATTENDEE"))
    assert attendee.endswith(":mailto:bo@acme.example")
    assert set(attendee.partition(":mailto:")[0].split(";")[1:]) == {
        "CN=Bo",
        "CUTYPE=INDIVIDUAL",
        "ROLE=REQ-PARTICIPANT",
        "PARTSTAT=NEEDS-ACTION",
        "RSVP=FALSE",
    }


def test_a_cancellation_takes_the_same_entry_out() -> None:
    lines = unfolded(
        render(replace(INVITED, is_cancelled=True), organizer=SENDER.address, attendee=BO)
    )

    assert {"METHOD:CANCEL", "STATUS:CANCELLED", f"UID:{PAIR}@trustfold"} <= set(lines)


def test_the_feed_of_sessions_and_the_invitation_are_the_same_entry() -> None:
    meeting = Meeting(PAIR, STARTS, STARTS + INVITED.duration, "confirmed", 1, START)
    feed = Calendar.from_ical(render_feed([meeting], [], "UTC"))
    invited = Calendar.from_ical(render(INVITED, organizer=SENDER.address, attendee=BO))

    assert feed.events[0]["uid"] == invited.events[0]["uid"]


def test_other_readers_see_the_session_when_it_is() -> None:
    text = render(INVITED, organizer=SENDER.address, attendee=BO)
    day = timedelta(days=1)

    (event,) = icalevents.icalevents.events(
        string_content=text.encode(), start=STARTS - day, end=STARTS + day
    )
    (standard,) = x_wr_timezone.to_standard(Calendar.from_ical(text)).walk("VEVENT")

    assert (event.start, event.end) == (STARTS, STARTS + INVITED.duration)
    assert standard.start == STARTS


@given(st.text(max_size=150))
@settings(max_examples=150, deadline=None)
def test_no_name_can_break_a_line_or_add_one(name: str) -> None:
    reader = Address(name.replace("\r", "").replace("\n", ""), addr_spec="bo@acme.example")
    text = render(replace(INVITED, other_name=name), organizer=SENDER.address, attendee=reader)

    plain = render(INVITED, organizer=SENDER.address, attendee=BO)
    names = [line.partition(":")[0].partition(";")[0] for line in unfolded(text)]
    assert names == [line.partition(":")[0].partition(";")[0] for line in unfolded(plain)]
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert "\n" not in text.replace("\r\n", "")
    (event,) = Calendar.from_ical(text).events
    assert event["attendee"] == "mailto:bo@acme.example"


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_a_mail_holds_the_invitation_in_place_and_as_a_file(*, is_cancelled: bool) -> None:
    given = replace(letter(), invitation=replace(INVITED, is_cancelled=is_cancelled))
    to = envelope_address(given.address)
    raw, again = (written(given, sender=SENDER, to=to, now=START) for _ in range(2))

    mail = message_from_bytes(raw, policy=policy.default)
    whole, file = mail.iter_parts()
    kinds = [part.get_content_type() for part in whole.iter_parts()]
    in_place = list(whole.iter_parts())[-1]

    assert raw == again
    assert kinds == ["text/plain", "text/html", "text/calendar"]
    assert in_place["Content-Type"].params == {
        "charset": "utf-8",
        "method": "CANCEL" if is_cancelled else "REQUEST",
    }
    assert file.get_filename() == "invite.ics"
    assert file.get_content() == in_place.get_content()
    assert Calendar.from_ical(file.get_content()).events
