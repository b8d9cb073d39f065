"""From a message's codes to words. Reads templates at start; sends, stores and decides nothing.

A template is `templates/<language>/<workflow>.txt`: the first line is the subject, what follows are
paragraphs between blank lines. The HTML form is made of the same paragraphs by `layout.html`, which
escapes all of them: no name can become mark-up, whatever it holds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notifications.domain.message import Message

FOLDER = Path(__file__).parent / "templates"
LANGUAGE = "en"
LONGEST_NAME = 100
BLANK_LINES = re.compile(r"\n\s*\n")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
# Control characters, line and paragraph separators, and what turns the direction of a line.
_UNWANTED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a message, as the templates need them; names are None when they are not known."""

    name: str | None
    other_name: str | None
    locale: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Words:
    """A message that can be read: `text` and `html` say the same."""

    subject: str
    text: str
    html: str


class Templates:
    """All templates. `render` is a pure function of its arguments."""

    def __init__(self, folder: Path = FOLDER) -> None:
        loader = FileSystemLoader(folder)
        self._text = ImmutableSandboxedEnvironment(
            loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._text.filters["first_up"] = lambda words: words[:1].upper() + words[1:]
        html = ImmutableSandboxedEnvironment(
            loader=loader, undefined=StrictUndefined, autoescape=True
        )
        self._layout = html.get_template("layout.html")
        self._names = frozenset(self._text.list_templates(extensions=["txt"]))

    def has(self, workflow: str) -> bool:
        """Whether this release has words for the workflow."""
        return f"{LANGUAGE}/{workflow}.txt" in self._names

    def render(self, message: Message, reader: Reader) -> Words:
        """The message in the reader's language, or in English where we do not speak it."""
        language, name = self._find(message.workflow, reader.locale)
        filled = self._text.get_template(name).render(_context(message, reader))
        subject, _, body = filled.strip().partition("\n")
        body = BLANK_LINES.sub("\n\n", body.strip())
        paragraphs = [part.split("\n") for part in body.split("\n\n")]
        html = self._layout.render(
            language=language, subject=subject, paragraphs=[_block(lines) for lines in paragraphs]
        )
        return Words(subject.strip(), body + "\n", html)

    def render_digest(self, messages: Sequence[Message], reader: Reader) -> Words:
        """Several messages as one: the subject of each, under one another."""
        each = [self.render(message, reader) for message in messages]
        body = "\n\n".join(words.text for words in each)
        return Words(each[0].subject, body, "".join(words.html for words in each))

    def _find(self, workflow: str, locale: str) -> tuple[str, str]:
        for language in (locale, locale.partition("-")[0]):
            if f"{language}/{workflow}.txt" in self._names:
                return language, f"{language}/{workflow}.txt"
        return LANGUAGE, f"{LANGUAGE}/{workflow}.txt"


def _block(lines: list[str]) -> dict[str, object]:
    if all(line.startswith("- ") for line in lines):
        return {"items": [line.removeprefix("- ") for line in lines], "text": ""}
    return {"items": [], "text": " ".join(lines)}


def _context(message: Message, reader: Reader) -> Mapping[str, object]:
    role, other_role = (
        ("mentor", "mentee") if message.to == message.mentor_id else ("mentee", "mentor")
    )
    zone = ZoneInfo(reader.timezone)
    filled = {
        name: local_time(datetime.fromisoformat(str(value)), zone)
        if name.endswith("_at")
        else value
        for name, value in message.params.items()
    }
    return {
        "name": plain_name(reader.name or ""),
        "other": plain_name(reader.other_name or "") or f"your {other_role}",
        "role": role,
        "other_role": other_role,
        **filled,
    }


def local_time(at: datetime, zone: ZoneInfo) -> str:
    """For example `Tuesday 3 March 2026 at 15:00 (Europe/Berlin)`."""
    there = at.astimezone(zone)
    day = f"{DAYS[there.weekday()]} {there.day} {MONTHS[there.month - 1]} {there.year}"
    return f"{day} at {there:%H:%M} ({zone.key})"


def plain_name(name: str) -> str:
    """The name on one line, without anything that is not to be seen, and not for ever."""
    kept = "".join(
        " " if unicodedata.category(char) in _UNWANTED or char in _TURNING else char
        for char in name
    )
    return " ".join(kept.split())[:LONGEST_NAME].strip()
