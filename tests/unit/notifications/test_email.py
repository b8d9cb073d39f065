"""The mail itself: headers, parts, and what a hostile name or address can do to it."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage

import pytest
from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st

from services.notifications.channels import Letter
from services.notifications.channels.email import EmailChannel, Server
from services.notifications.channels.mail import Sender, compose, envelope_address, written
from services.notifications.domain.rules import messages_for
from services.notifications.rendering import Reader, Templates
from tests.unit.notifications.builders import START, happened, scheduled, started

SENDER = Sender(Address("Trustfold", addr_spec="no-reply@mentoring.example"))


def letter(name: str = "Bo", other: str = "Zoë", address: str = "bo@acme.example") -> Letter:
    message = messages_for(happened(scheduled()))[0]
    words = Templates().render(message, Reader(name, other, "en", "UTC"))
    return Letter(message.message_id, message.thread, address, name, words)


def received(given: Letter) -> EmailMessage:
    """The mail after a trip over the wire."""
    sent = written(given, sender=SENDER, to=envelope_address(given.address), now=START)
    return message_from_bytes(sent, policy=policy.default)


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

    first, again = (written(letter(), sender=SENDER, to=to, now=START) for _ in range(2))

    assert first == again


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

    assert EmailChannel(server, SENDER.address.addr_spec, "Trustfold").carries == (
        "email",
        "calendar",
    )


def test_a_mail_that_can_be_stopped_says_how_in_one_click() -> None:
    given = replace(letter(), unsubscribe="https://mentoring.example/v1/unsubscribe/abc")
    to = envelope_address(given.address)
    sender = replace(SENDER, unsubscribe="stop@mentoring.example")

    mail = compose(given, sender=sender, to=to, now=START)
    alone = compose(given, sender=SENDER, to=to, now=START)

    link = "<https://mentoring.example/v1/unsubscribe/abc>"
    assert alone["List-Unsubscribe"] == link
    both = f"{link}, <mailto:stop@mentoring.example?subject=unsubscribe>"
    assert mail["List-Unsubscribe"] == both
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "List-Unsubscribe" not in compose(letter(), sender=sender, to=to, now=START)


def test_each_letter_comes_back_to_an_address_of_its_own() -> None:
    given = letter()

    assert SENDER.envelope(given) == "no-reply@mentoring.example"
    back = replace(SENDER, bounces="bounces@mentoring.example").envelope(given)
    assert back == f"bounces+{given.message_id.hex}@mentoring.example"


def test_a_mail_has_seven_bits_alone() -> None:
    given = letter(name="Zoë Ångström", other="李小龍")
    to = envelope_address(given.address)

    assert written(given, sender=SENDER, to=to, now=START).isascii()


def test_a_long_link_is_not_cut() -> None:
    link = "https://mentoring.example/v1/unsubscribe/" + "a1_-" * 60
    given = replace(letter(), unsubscribe=link)
    raw = written(given, sender=SENDER, to=envelope_address(given.address), now=START)

    assert f"<{link}>".encode() in raw


@given_any(st.text(max_size=120), st.text(max_size=120))
@settings(max_examples=150, deadline=None)
def test_what_goes_over_the_wire_says_the_same_as_the_mail(name: str, other: str) -> None:
    given = replace(letter(name=name, other=other), unsubscribe="https://m.example/" + "u" * 90)
    sender = replace(SENDER, unsubscribe="stop@mentoring.example")
    to = envelope_address(given.address)

    sent = message_from_bytes(
        written(given, sender=sender, to=to, now=START), policy=policy.default
    )
    made = message_from_bytes(
        compose(given, sender=sender, to=to, now=START).as_bytes(), policy=policy.default
    )

    skipped = {"content-type"}
    headers = [
        {key.lower(): str(value) for key, value in mail.items() if key.lower() not in skipped}
        for mail in (sent, made)
    ]
    parts = [
        [part.get_content().splitlines() for part in mail.iter_parts()] for mail in (sent, made)
    ]
    assert headers[0] == headers[1]
    assert parts[0] == parts[1]
    assert sent.defects == []
