"""From a message's codes to words. Reads templates at start; sends, stores and decides nothing.

A template is `templates/<language>/<workflow>.txt`: the first line is the subject, what follows are
paragraphs between blank lines. The HTML form is made of the same paragraphs by `layout.html`, which
escapes all of them: no name can become mark-up, whatever it holds. Dates, times and lengths are
written as CLDR has them for the reader's locale.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.units import format_unit
from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notifications.domain.message import Message, Params
from shared.logging import logger

_log = logger("notifications.rendering")
FOLDER = Path(__file__).parent / "templates"
LANGUAGE = "en"
LONGEST_NAME = 100
BLANK_LINES = re.compile(r"\n\s*\n")
# What the other one is called whose name is not known.
SOMEBODY: Mapping[str, Mapping[str, str]] = {
    "en": {"mentor": "your mentor", "mentee": "your mentee"},
    "de": {"mentor": "Ihr Gegenüber", "mentee": "Ihr Gegenüber"},
    "fr": {"mentor": "votre binôme", "mentee": "votre binôme"},
}
# Parameters that end so are lengths: what a template finds them as, and their unit in CLDR.
_LENGTHS = {"duration_minutes": "minute", "cadence_days": "day", "notice_hours": "hour"}
_MADE_UP: Params = {
    **dict.fromkeys(
        ("starts_at", "previous_starts_at", "due_at", "until_at", "answer_until_at"),
        "2030-03-05T14:00:00+00:00",
    ),
    **{"duration_minutes": 45, "cadence_days": 14, "notice_hours": 24, "by_you": 0},
}
# Control characters, line and paragraph separators, and what turns the direction of a line.
_UNWANTED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a message, as the templates need them; names are None when they are not known.

    `words` are their tenant's own for this message in their language, where it has any.
    """

    name: str | None
    other_name: str | None
    locale: str
    timezone: str
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """A message that can be read: `text` and `html` say the same, `short` what matters of it."""

    subject: str
    text: str
    html: str
    short: str = ""


class Templates:
    """All templates. `render` is a pure function of its arguments."""

    def __init__(self, folder: Path = FOLDER) -> None:
        loader = FileSystemLoader(folder)
        self._text = ImmutableSandboxedEnvironment(
            loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._text.filters["first_up"] = lambda words: words[:1].upper() + words[1:]
        self._own = lru_cache(maxsize=1_024)(self._text.from_string)
        html = ImmutableSandboxedEnvironment(
            loader=loader, undefined=StrictUndefined, autoescape=True
        )
        self._layout = html.get_template("layout.html")
        self._names = frozenset(self._text.list_templates(extensions=["txt"]))

    def has(self, workflow: str) -> bool:
        """Whether this release has words for the workflow."""
        return f"{LANGUAGE}/{workflow}.txt" in self._names

    @property
    def languages(self) -> frozenset[str]:
        """The languages that there are words in."""
        return frozenset(name.partition("/")[0] for name in self._names)

    def render(self, message: Message, reader: Reader) -> Words:
        """The message in the reader's language, or in English where we do not speak it."""
        if reader.words is not None:
            language = reader.locale.partition("-")[0]
            try:
                return self._words(
                    language, self._own(reader.words), _context(message, reader, language)
                )
            except TemplateError as error:
                # Checked when they were written, by a release that knew other parameters.
                kind = type(error).__name__
                _log.warning(
                    "own words do not fit",
                    action="own_words",
                    workflow=message.workflow,
                    error=kind,
                )
        language, template = self._find(message.workflow, reader.locale)
        return self._words(language, template, _context(message, reader, language))

    def source(self, workflow: str, language: str) -> str | None:
        """Our template as it is written; None in a language that we do not speak."""
        name = f"{language}/{workflow}.txt"
        if name not in self._names:
            return None
        assert self._text.loader
        return self._text.loader.get_source(self._text, name)[0]

    def tried(self, template: str, language: str, role: str) -> Words:
        """A tenant's template with names and times that are made up."""
        context = {
            "name": "Robin",
            "other": "Kim",
            "role": role,
            "other_role": "mentee" if role == "mentor" else "mentor",
            **told(_MADE_UP, locale_of(language, language), ZoneInfo("UTC")),
        }
        return self._words(language, self._own(template), context)

    def render_digest(self, messages: Sequence[Message], reader: Reader) -> Words:
        """Several messages as one: what each is about and what matters of it."""
        language, template = self._find("digest", reader.locale)
        items = [self.render(message, reader) for message in messages]
        name = plain_name(reader.name or "")
        return self._words(language, template, {"name": name, "items": items})

    def _words(self, language: str, template: Template, context: Mapping[str, object]) -> Words:
        filled = template.render(context)
        subject, _, body = filled.strip().partition("\n")
        body = BLANK_LINES.sub("\n\n", body.strip())
        paragraphs = [part.split("\n") for part in body.split("\n\n")]
        html = self._layout.render(
            language=language, subject=subject, paragraphs=[_block(lines) for lines in paragraphs]
        )
        # The first paragraph greets.
        short = " ".join(paragraphs[1]) if len(paragraphs) > 1 else ""
        return Words(subject.strip(), body + "\n", html, short)

    def _find(self, workflow: str, locale: str) -> tuple[str, Template]:
        language = locale.partition("-")[0]
        if f"{language}/{workflow}.txt" not in self._names:
            language = LANGUAGE
        return language, self._text.get_template(f"{language}/{workflow}.txt")


def _block(lines: list[str]) -> dict[str, object]:
    if all(line.startswith("- ") for line in lines):
        return {"items": [line.removeprefix("- ") for line in lines], "text": ""}
    return {"items": [], "text": " ".join(lines)}


def _context(message: Message, reader: Reader, language: str) -> Mapping[str, object]:
    role, other_role = (
        ("mentor", "mentee") if message.to == message.mentor_id else ("mentee", "mentor")
    )
    somebody = SOMEBODY.get(language, SOMEBODY[LANGUAGE])
    return {
        "name": plain_name(reader.name or ""),
        "other": plain_name(reader.other_name or "") or somebody[other_role],
        "role": role,
        "other_role": other_role,
        **told(message.params, locale_of(reader.locale, language), ZoneInfo(reader.timezone)),
    }


def told(params: Params, locale: Locale, zone: ZoneInfo) -> dict[str, object]:
    """Parameters as one reads them: instants (`*_at`, perhaps empty) on the reader's clock, with a
    short form for a subject (`starts` of `starts_at`); lengths in units (`duration_minutes`), with
    the same in words (`duration`).
    """
    words: dict[str, object] = {}
    for name, value in params.items():
        words[name] = value
        if name.endswith("_at"):
            at = datetime.fromisoformat(str(value)).astimezone(zone) if value else None
            words[name] = f"{_when(at, 'full', locale)} ({zone.key})" if at else ""
            words[name.removesuffix("_at")] = _when(at, "medium", locale) if at else ""
        elif name in _LENGTHS:
            words[name.rpartition("_")[0]] = _plain(
                format_unit(int(value), f"duration-{_LENGTHS[name]}", locale=locale)
            )
    return words


@lru_cache(maxsize=1_024)
def locale_of(wanted: str, language: str) -> Locale:
    """The reader's own locale where it is one of the language that they get, or that language's."""
    for name in (wanted, language):
        with suppress(ValueError, UnknownLocaleError):
            found = Locale.parse(name, sep="-")
            if found.language == language:
                return found
    return Locale(LANGUAGE)


def _when(there: datetime, length: Literal["full", "medium"], locale: Locale) -> str:
    """`Tuesday, 3 March 2026, 15:00`, or `3 Mar 2026, 15:00`."""
    day = format_date(there, length, locale=locale)
    return _plain(f"{day}, {format_time(there, 'short', locale=locale)}")


def _plain(words: str) -> str:
    """Without the narrow spaces of CLDR, which not every mail program shows."""
    return words.replace("\u202f", " ").replace("\u00a0", " ")


def plain_name(name: str) -> str:
    """The name on one line, without anything that is not to be seen, and not for ever."""
    kept = "".join(
        " " if unicodedata.category(char) in _UNWANTED or char in _TURNING else char
        for char in name
    )
    return " ".join(kept.split())[:LONGEST_NAME].strip()
