"""Words: every workflow has them, and no name can become anything but a name."""

from __future__ import annotations

import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from services.notifications.domain.message import Message
from services.notifications.domain.rules import messages_for
from services.notifications.domain.workflows import WORKFLOWS
from services.notifications.rendering import (
    FOLDER,
    LONGEST_NAME,
    SOMEBODY,
    Reader,
    Templates,
    plain_name,
)
from services.notifications.rendering import told as told_of
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


LANGUAGES = sorted(TEMPLATES.languages)
# One of each workflow and side: the channel changes no word.
ONCE = {(each.workflow, each.to): each for each in MESSAGES}.values()
# These are about what one did oneself.
NOT_ABOUT_THE_OTHER = {"session_cancelled", "session_rescheduled", "session_scheduled"}
# What no language of mentoring needs.
COLD = ("score", "fail", "fault", "violat", "punkte", "versagen", "schuld", "faute", "échec")


def test_every_workflow_has_words_in_every_language() -> None:
    wanted = {f"{name}.txt" for name in (*WORKFLOWS, "digest")}

    assert {"en", "de", "fr"} <= set(LANGUAGES)
    for language in LANGUAGES:
        assert {file.name for file in (FOLDER / language).glob("*.txt")} == wanted, language


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("message", ONCE, ids=describe)
def test_words_are_short_warm_and_whole(message: Message, language: str) -> None:
    words = TEMPLATES.render(message, replace(READER, locale=language))

    assert words.subject[0].isupper()
    assert 10 < len(words.subject) <= 78
    assert f'<html lang="{language}"' in words.html
    assert words.short in words.text.replace("\n", " ")
    for text in (words.subject, words.text, words.html, words.short):
        assert not any(mark in text for mark in ("{{", "{%", "None", "  ", " ,", "—"))
        assert not any(cold in text.lower() for cold in COLD)
    # No number but of what was agreed: when, how long, how often.
    agreed = " ".join(map(str, told_for(message, language).values()))
    assert set(re.findall(r"\d+", words.text)) <= set(re.findall(r"\d+", agreed))


def told_for(message: Message, language: str) -> dict[str, object]:
    return told_of(message.params, Locale(language), ZoneInfo(READER.timezone))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("message", ONCE, ids=describe)
def test_words_hold_when_nobody_is_known_by_name(message: Message, language: str) -> None:
    words = TEMPLATES.render(message, Reader(None, None, language, "UTC"))

    role = "mentor" if message.to == MENTEE else "mentee"
    assert "None" not in words.text
    assert not words.text.startswith(" ")
    if SOMEBODY[language][role].lower() not in (words.subject + words.text).lower():
        assert message.workflow in NOT_ABOUT_THE_OTHER


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_digest_holds_what_matters_of_each(language: str) -> None:
    messages = list(ONCE)[:4]
    reader = replace(READER, locale=language)

    words = TEMPLATES.render_digest(messages, reader)

    for message in messages:
        one = TEMPLATES.render(message, reader)
        assert one.subject in words.text
        assert one.short in words.text
    assert words.html.count("<li>") == 4
    assert TEMPLATES.render_digest(messages[:1], reader).subject == (
        TEMPLATES.render(messages[0], reader).subject
    )


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

    assert "Tuesday, March 3, 2026, 10:00 AM (Europe/Berlin)" in words.text
    assert "45 minutes" in words.text


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en-GB", "Tuesday, 3 March 2026, 10:00 (Europe/Berlin)"),
        ("de-AT", "Dienstag, 3. März 2026, 10:00 (Europe/Berlin)"),
        ("fr-CA", "mardi 3 mars 2026, 10 h 00 (Europe/Berlin)"),
    ],
)
def test_times_are_written_as_at_home(locale: str, expected: str) -> None:
    message = messages_for(happened(scheduled()))[0]

    assert expected in TEMPLATES.render(message, replace(READER, locale=locale)).text


@pytest.mark.parametrize("locale", ["nl", "zh-Hant-TW", "../../etc", "", "tlh"])
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
    assert not {"must", "late", "bad", "again"} & set(text.split())


def test_a_name_ends_somewhere() -> None:
    assert len(plain_name("é" * 5_000)) == LONGEST_NAME
    assert plain_name("  \t\n ") == ""
