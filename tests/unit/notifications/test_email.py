"""The mail itself: headers, parts, and what a hostile name or address can do to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage

import pytest
from icalendar import Calendar

from services.notifications.channels import Invitation, Letter
from services.notifications.channels.email import (
    EmailChannel,
    Envelope,
    Server,
    compose,
    envelope_address,
)
from services.notifications.domain.rules import messages_for
from services.notifications.rendering import Reader, Templates
from tests.unit.notifications.builders import DAY, SESSION, START, happened, scheduled, started

SENDER = Address("Trustfold", addr_spec="no-reply@mentoring.example")
ENVELOPE = Envelope(SENDER)
INVITATION = Invitation(
    session_id=SESSION,
    sequence=7,
    told_at=START,
    starts_at=START + DAY,
    duration=timedelta(minutes=45),
    is_cancelled=False,
    other_name="Zoë",
)


def letter(name: str = "Bo", other: str = "Zoë", address: str = "bo@acme.example") -> Letter:
    message = messages_for(happened(scheduled()))[0]
    words = Templates().render(message, Reader(name, other, "en", "UTC"))
    return Letter(message.message_id, message.thread, address, name, words)


def received(given: Letter) -> EmailMessage:
    """The mail after a trip over the wire."""
    mail = compose(given, ENVELOPE, to=envelope_address(given.address), now=START)
    return message_from_bytes(mail.as_bytes(), policy=policy.default)


def test_a_mail_says_who_when_and_that_nobody_wrote_it_by_hand() -> None:
    given = letter()
    mail = received(given)

    assert mail["From"] == "Trustfold <no-reply@mentoring.example>"
    assert mail["To"] == "Bo <bo@acme.example>"
    assert mail["Date"].datetime == START
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<{given.message_id}@mentoring.example>"
    assert mail["References"] == f"<{given.thread}@mentoring.example>"


def test_a_mail_says_the_same_in_plain_text_and_html() -> None:
    mail = received(letter())

    assert mail.get_content_type() == "multipart/alternative"
    kinds = [part.get_content_type() for part in mail.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    assert all("45 minutes" in part.get_content() for part in mail.iter_parts())


def test_the_same_letter_is_the_same_bytes() -> None:
    to = envelope_address("bo@acme.example")

    first, again = (compose(letter(), ENVELOPE, to=to, now=START) for _ in range(2))

    assert first.as_bytes() == again.as_bytes()


def test_mails_about_one_session_are_one_thread_and_the_pair_has_another() -> None:
    session, moved = messages_for(happened(scheduled()))[0], messages_for(happened(scheduled()))[1]
    pair = messages_for(happened(started()))[0]

    assert session.thread == moved.thread != pair.thread


@pytest.mark.parametrize(
    "name",
    ["Zoë Ångström", "李小龍", 'O"Brien, Bo; <bo@evil.example>', "😀"],
)
def test_a_name_arrives_as_it_is(name: str) -> None:
    mail = received(letter(name=name, other=name))

    (to,) = mail["To"].addresses
    assert to.display_name == name
    assert to.addr_spec == "bo@acme.example"
    assert name in mail["Subject"]


def test_a_long_name_is_folded_and_still_one_name() -> None:
    name = "Ö" * 90
    mail = received(letter(name=name, other=name))

    (to,) = mail["To"].addresses
    # Python's parser puts spaces between the folded words of a phrase.
    assert to.display_name.replace(" ", "") == name
    assert name in mail["Subject"]
    assert max(len(line) for line in mail.as_bytes(policy=policy.SMTP).splitlines()) <= 100


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x85"])
def test_a_name_cannot_add_a_header(end: str) -> None:
    name = f"Bo{end}Bcc: eve@evil.example{end}{end}<h1>"
    mail = received(letter(name=name, other=name))

    assert "Bcc" not in mail
    assert len(mail["To"].addresses) == 1
    assert mail.defects == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("bo@acme.example", "bo@acme.example"),
        ("bo@bücher.example", "bo@xn--bcher-kva.example"),
        ("jörg@acme.example", "jörg@acme.example"),
    ],
)
def test_an_address_is_read(given: str, expected: str) -> None:
    assert envelope_address(given).addr_spec == expected


@pytest.mark.parametrize(
    "given",
    [
        "bo@acme.example,eve@evil.example",
        "<bo@acme.example>",
        "bo@acme.example>\r\nRCPT TO:<eve@evil.example",
        "bo\x00@acme.example",
        "@acme.example",
        "bo@",
        "bo@a..b",
        "bo eve@acme.example",
    ],
)
def test_what_is_not_one_address_is_refused(given: str) -> None:
    with pytest.raises((ValueError, HeaderParseError)):
        envelope_address(given)


def test_the_channel_carries_mails_and_the_invitations_in_them() -> None:
    server = Server("smtp.example", 25, starttls=True, username=None, password=None, timeout_s=1)

    assert EmailChannel(server, ENVELOPE).carries == ("email", "calendar")


def test_a_mail_that_can_be_stopped_says_how_in_one_click() -> None:
    link = "https://mentoring.example/v1/unsubscribe/abc.def"
    mail = received(replace(letter(), unsubscribe=link))

    assert mail["List-Unsubscribe"] == f"<{link}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "List-Unsubscribe" not in received(letter())


def test_a_mail_that_comes_back_names_its_message() -> None:
    given = letter()
    envelope = Envelope(SENDER, Address(addr_spec="bounces@mentoring.example"))

    assert envelope.return_path(given) == f"bounces+{given.message_id.hex}@mentoring.example"
    assert Envelope(SENDER).return_path(given) == SENDER.addr_spec


def test_an_invitation_is_shown_by_clients_and_is_there_as_a_file() -> None:
    mail = received(replace(letter(), invitation=INVITATION))

    assert mail.get_content_type() == "multipart/mixed"
    body, file = mail.iter_parts()
    kinds = [part.get_content_type() for part in body.iter_parts()]
    assert kinds == ["text/plain", "text/html", "text/calendar"]
    shown = list(body.iter_parts())[-1]
    assert shown.get_param("method") == "REQUEST"
    assert shown.get_content_charset() == "utf-8"
    assert file.get_filename() == "invite.ics"
    assert file.get_content_type() == "application/ics"
    entries = [part.get_payload(decode=True) for part in (shown, file)]
    assert all(isinstance(entry, bytes) and Calendar.from_ical(entry) for entry in entries)
    assert entries[0] == entries[1]


def test_the_same_invitation_is_the_same_bytes() -> None:
    given = replace(letter(), invitation=INVITATION)
    to = envelope_address("bo@acme.example")

    first, again = (compose(given, ENVELOPE, to=to, now=START).as_bytes() for _ in range(2))

    assert first == again
