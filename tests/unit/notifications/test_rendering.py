"""Words: every workflow has them, and no name can become anything but a name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.notifications.domain.message import Message
from services.notifications.domain.rules import messages_for
from services.notifications.rendering import LONGEST_NAME, Reader, Templates, plain_name
from tests.unit.notifications.builders import MENTEE, happened, scheduled, signed, told

TEMPLATES = Templates()
READER = Reader(name="Bo", other_name="Zoë", locale="en", timezone="Europe/Berlin")
MESSAGES = [message for fact in told() for message in messages_for(happened(fact))]
HOSTILE = [
    pytest.param('<script>alert("x")</script>', id="mark-up"),
    pytest.param("{{ 7 * 7 }}{% raw %}", id="template"),
    pytest.param("Bo\r\nBcc: eve@evil.example", id="header"),
    pytest.param("Bo\n\n- item", id="paragraph"),
    pytest.param("a\u2028b\u202egnp.exe", id="separators and turns"),
    pytest.param("&amp;'\"><img src=x>", id="attributes"),
]


def describe(message: Message) -> str:
    return f"{message.workflow}-{message.channel}-{message.to}"


@pytest.mark.parametrize("message", MESSAGES, ids=describe)
def test_every_workflow_has_words_for_each_side(message: Message) -> None:
    words = TEMPLATES.render(message, READER)

    assert words.subject
    assert len(words.subject) <= 100
    assert words.text.startswith("Hello Bo,\n\n")
    assert "<p>Hello Bo,</p>" in words.html
    for text in (words.subject, words.text, words.html):
        assert "{{" not in text
        assert "None" not in text
        assert "score" not in text.lower()


@pytest.mark.parametrize("message", MESSAGES, ids=describe)
def test_words_hold_when_nobody_is_known_by_name(message: Message) -> None:
    words = TEMPLATES.render(message, Reader(None, None, "en", "UTC"))

    role = "mentor" if message.to == MENTEE else "mentee"
    assert words.text.startswith("Hello,\n")
    assert f"your {role}" in words.text
    assert words.subject[0].isupper()


@pytest.mark.parametrize("message", MESSAGES, ids=describe)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_a_name(message: Message, name: str) -> None:
    calm = TEMPLATES.render(message, Reader("A", "B", "en", "UTC"))
    words = TEMPLATES.render(message, Reader(name, name, "en", "UTC"))

    assert "\n" not in words.subject
    assert "\r" not in words.text
    assert "49" not in words.text
    assert words.text.count("\n") == calm.text.count("\n")
    for mark in ("<script", "<img", "<p>", "<li>"):
        assert words.html.count(mark) == calm.html.count(mark)


def test_times_are_told_in_the_readers_zone() -> None:
    message = messages_for(happened(scheduled()))[0]

    words = TEMPLATES.render(message, READER)

    assert "Tuesday 3 March 2026 at 10:00 (Europe/Berlin)" in words.text
    assert "45 minutes" in words.text


@pytest.mark.parametrize("locale", ["de", "en-GB", "zh-Hant-TW", "../../etc"])
def test_a_language_we_do_not_speak_gets_english(locale: str) -> None:
    words = TEMPLATES.render(MESSAGES[0], replace(READER, locale=locale))

    assert words == TEMPLATES.render(MESSAGES[0], READER)


@pytest.mark.parametrize(
    ("cadence", "notice", "expected"),
    [
        (14, 24, "every 14 days, and you tell each other 24 hours ahead"),
        (1, 1, "every 1 day, and you tell each other 1 hour ahead"),
        (7, 0, "every 7 days."),
    ],
)
def test_terms_are_told_as_they_were_signed(cadence: int, notice: int, expected: str) -> None:
    message = messages_for(happened(signed(cadence_days=cadence, notice_hours=notice)))[0]

    assert expected in TEMPLATES.render(message, READER).text


def test_a_missed_promise_is_told_without_blame() -> None:
    message = next(message for message in MESSAGES if message.workflow == "commitment_missed")

    text = TEMPLATES.render(message, READER).text.lower()

    assert "a short word today" in text
    assert not {"fail", "fault", "must", "late", "violat", "bad"} & set(text.split())


def test_a_name_ends_somewhere() -> None:
    assert len(plain_name("é" * 5_000)) == LONGEST_NAME
    assert plain_name("  \t\n ") == ""
