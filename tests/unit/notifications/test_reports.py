"""Reports of mail that came back: what real ones say, and that hostile ones say nothing."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifications.reports import LARGEST, address_hash, gives_up, read
from shared.ids import TenantId

MESSAGE = UUID("11111111-2222-3333-4444-555555555555")


def dsn(
    action: str = "failed",
    status: str = "5.1.1",
    to: str = f"bounces+{MESSAGE.hex}@mentoring.example",
    original: str = "<x@elsewhere.example>",
) -> bytes:
    lines = [
        "From: MAILER-DAEMON@acme.example",
        f"To: {to}",
        "Message-ID: <dsn-1@acme.example>",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "Your mail could not be delivered.",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; acme.example",
        "",
        "Final-Recipient: rfc822; bo@acme.example",
        f"Action: {action}",
        f"Status: {status}",
        "",
        "--b",
        "Content-Type: message/rfc822",
        "",
        f"Message-ID: {original}",
        "Subject: Hello",
        "",
        "Hi",
        "--b--",
        "",
    ]
    return "\r\n".join(lines).encode()


COMPLAINT = (
    dsn()
    .replace(b"message/delivery-status", b"message/feedback-report")
    .replace(b"report-type=delivery-status", b"report-type=feedback-report")
)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        pytest.param(dsn(), "hard", id="there is no such mailbox"),
        pytest.param(dsn("failed", "4.4.7"), "soft", id="tried for days and given up"),
        pytest.param(dsn("delayed", "4.4.1"), "soft", id="not yet"),
        pytest.param(COMPLAINT, "complaint", id="a reader called it spam"),
    ],
)
def test_a_report_says_which_mail_and_how_bad(raw: bytes, kind: str) -> None:
    report = read(raw)

    assert report is not None
    assert (report.kind, report.message_id) == (kind, MESSAGE)


def test_a_report_that_came_elsewhere_is_found_by_the_mail_it_quotes() -> None:
    report = read(dsn(to="no-reply@mentoring.example", original=f"<{MESSAGE}@mentoring.example>"))

    assert report is not None
    assert report.message_id == MESSAGE
    assert report.addresses == {"bo@acme.example"}


def test_the_address_it_came_back_to_counts_before_the_mail_it_quotes() -> None:
    report = read(dsn(original=f"<{UUID(int=9)}@mentoring.example>"))

    assert report is not None
    assert report.message_id == MESSAGE


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_news_of_a_delivery_is_no_bounce(action: str) -> None:
    assert read(dsn(action, "2.0.0")) is None


def test_the_same_report_has_the_same_id() -> None:
    first, again, other = read(dsn()), read(dsn()), read(dsn().replace(b"dsn-1", b"dsn-2"))

    assert first is not None
    assert again is not None
    assert other is not None
    assert first.report_id == again.report_id != other.report_id


def nested(depth: int) -> bytes:
    opened = "".join(
        f'Content-Type: multipart/mixed; boundary="{n}"\r\n\r\n--{n}\r\n' for n in range(depth)
    )
    return opened.encode()


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(nested(90), id="nested"),
        pytest.param(nested(5_000), id="nested far too deep"),
        pytest.param(b"Content-Type: message/rfc822\r\n\r\n" * 5_000, id="mails in mails"),
        pytest.param(b"x" * (LARGEST + 1), id="huge"),
        pytest.param(b"To: \xff\xfe+" + b"0" * 32 + b"@x\r\n\r\n", id="no charset"),
        pytest.param(dsn().replace(b"--b--", b"").replace(b"boundary", b"bound"), id="no boundary"),
    ],
)
def test_a_hostile_mail_raises_nothing(raw: bytes) -> None:
    read(raw)


@given(st.binary(max_size=400), st.integers(0, len(dsn())), st.integers(0, 200))
@settings(max_examples=300, deadline=None)
def test_no_bytes_raise_anything(noise: bytes, at: int, taken: int) -> None:
    raw = dsn()
    read(noise)
    read(raw[:at] + noise + raw[at + taken :])


def test_an_address_is_given_up_at_once_or_after_five_soft_ones() -> None:
    assert gives_up("hard", 0)
    assert gives_up("complaint", 0)
    assert [gives_up("soft", count) for count in (1, 4, 5, 6)] == [False, False, True, True]


def test_an_address_has_another_hash_in_another_tenant() -> None:
    here, there = TenantId("acme"), TenantId("other")

    assert address_hash(here, "Bo@acme.example ") == address_hash(here, "bo@acme.example")
    assert address_hash(here, "bo@acme.example") != address_hash(there, "bo@acme.example")
