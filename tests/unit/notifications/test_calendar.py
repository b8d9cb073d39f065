"""Invitations, read as calendars read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from typing import Any
from uuid import UUID

import pytest
from icalendar import Calendar

from services.notifications.channels import Invitation
from services.notifications.channels.calendar import calendar_entry
from services.notifications.rendering import Words, plain_name
from services.sessions.calendar_feed import Meeting, render

SESSION = UUID(int=5)
TOLD = datetime(2026, 3, 2, 9, tzinfo=UTC)
STARTS = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
WORDS = Words("Zoë suggests a session", "Hello Bo,\n\nZoë; suggests, a session\\.\n", "<p></p>")
US = Address("Trustfold", addr_spec="no-reply@mentoring.example")
BO = Address("Bo", addr_spec="bo@acme.example")
INVITATION = Invitation(SESSION, 7, TOLD, STARTS, timedelta(minutes=45), False, "Zoë")


def entry(invitation: Invitation = INVITATION, *, words: Words = WORDS, to: Address = BO) -> bytes:
    return calendar_entry(invitation, words, organiser=US, attendee=to)


def read(data: bytes) -> tuple[Calendar, Any]:
    calendar = Calendar.from_ical(data)
    (event,) = calendar.walk("VEVENT")
    return calendar, event


def test_an_invitation_says_when_to_whom_and_from_whom() -> None:
    calendar, event = read(entry())

    assert calendar["METHOD"] == "REQUEST"
    assert calendar["VERSION"] == "2.0"
    assert event.decoded("DTSTART") == STARTS
    assert event.decoded("DTEND") == STARTS + timedelta(minutes=45)
    assert event.decoded("DTSTAMP") == TOLD
    assert event["STATUS"] == "CONFIRMED"
    assert event["ORGANIZER"] == "mailto:no-reply@mentoring.example"
    assert event["ATTENDEE"] == "mailto:bo@acme.example"
    assert event["ATTENDEE"].params["ROLE"] == "REQ-PARTICIPANT"
    assert str(event["SUMMARY"]) == WORDS.subject
    assert str(event["DESCRIPTION"]) == WORDS.text


def test_what_is_called_off_is_the_same_entry_told_later() -> None:
    later = replace(INVITATION, sequence=8, told_at=TOLD + timedelta(hours=1), is_cancelled=True)

    (_, first), (calendar, last) = read(entry()), read(entry(later))

    assert calendar["METHOD"] == "CANCEL"
    assert last["STATUS"] == "CANCELLED"
    assert last["UID"] == first["UID"]
    assert last["SEQUENCE"] > first["SEQUENCE"]


def test_it_is_the_same_entry_as_in_the_calendar_one_subscribes_to() -> None:
    meeting = Meeting(SESSION, STARTS, STARTS + timedelta(minutes=45), "confirmed", 0, TOLD)
    (_, subscribed) = read(render([meeting], [], "UTC"))

    (_, invited) = read(entry())

    assert invited["UID"] == subscribed["UID"]


@pytest.mark.parametrize(
    "name",
    [
        "Zoë\r\nATTENDEE:mailto:eve@evil.example",
        'O"Brien; CN=x',
        "\u202egnp.exe",
        "END:VEVENT",
        "😀" * 60,
        "a,b;c\\n",
    ],
)
def test_no_name_can_add_a_line(name: str) -> None:
    words = Words(f"{plain_name(name)} suggests", f"Hello {plain_name(name)},\n", "")
    to = Address(plain_name(name), addr_spec="bo@acme.example")
    data = entry(words=words, to=to)

    calendar, event = read(data)

    assert len(calendar.subcomponents) == 1
    assert event["ATTENDEE"] == "mailto:bo@acme.example"
    assert str(event["SUMMARY"]) == words.subject
    # RFC 5545 3.1: lines end with CRLF and are no longer than 75 octets.
    assert data.count(b"\n") == data.count(b"\r\n")
    assert max(map(len, data.split(b"\r\n"))) <= 75
