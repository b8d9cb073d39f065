"""What a row of HR's file changes of a person, and the fact that says so. Pure; no I/O.

A file says what its columns say: a field without a column stays as it is, an empty cell clears what
may be empty and leaves the rest. What nobody could read for certain is refused, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Literal, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from services.matching.domain.naming import says_who_it_is
from shared.errors import Rejected
from shared.events.envelope import encode_value
from shared.events.fact import Person, PersonFact
from shared.events.people import PersonChanged, PersonJoined, PersonLeft, PersonState
from shared.ids import PersonId, TenantId, derived_id

Kind = Literal["joined", "changed", "left", "unchanged"]
_ID = TypeAdapter(Person)
_YES = {"true", "yes", "y", "1", "active", "a", "ja", "oui", "t"}
_NO = {"false", "no", "n", "0", "inactive", "terminated", "i", "nein", "non", "f"}
_LISTS = {"languages", "roles", "offers", "goals"}
_NUMBERS = {"grade", "capacity"}
_CLEARED = {"manager_id", "org_unit", "grade", "country"}
_PART = {"roles", "capacity", "offers", "goals"}
_BETWEEN = re.compile(r"[;,|]")


class Known(NamedTuple):
    """A person as the network knows them; `said` is None where it has forgotten, or never knew."""

    event_id: UUID
    active: bool
    erased: bool
    said: Mapping[str, Any] | None


class Cells(NamedTuple):
    """A row by our names for its columns. `line` is where it begins in the file, from 1."""

    line: int
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row is left out: `field` is what to correct; `person_id` if it could be read."""

    line: int
    field: str
    message: str
    person_id: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a person by their row. `fields` are those that are new, of `changed`."""

    line: int | None
    person_id: PersonId
    kind: Kind
    fields: tuple[str, ...] = ()
    fact: PersonFact | None = None

    def event_id(self, tenant: TenantId, known: Known | None) -> UUID:
        """The same for the same row after the same facts: a second run tells nothing twice."""
        assert self.fact is not None
        digest = sha256(encode_value(self.fact)).hexdigest()
        before = str(known.event_id) if known else ""
        return derived_id("file", tenant, self.person_id, before, self.fact.type, digest)


@dataclass(frozen=True, slots=True)
class Reading:
    """How values are read: dates as ISO 8601 has them, or in the strptime form `dates`."""

    today: date
    dates: str | None = None


def person_of(cells: Cells) -> PersonId | Refusal:
    """Whom a row is about."""
    said = cells.fields["person_id"].strip()
    try:
        person_id = _ID.validate_python(said)
    except ValidationError:
        wanted = "1 to 64 letters, digits and ._:- are needed"
        return Refusal(cells.line, "person_id", wanted)
    if says_who_it_is(person_id):
        wanted = "it looks like a name; facts hold none: use a number of yours"
        return Refusal(cells.line, "person_id", wanted)
    return PersonId(person_id)


def change_of(cells: Cells, known: Known | None, how: Reading) -> Change | Refusal:
    """What the row changes of what is known."""
    person_id = person_of(cells)
    if isinstance(person_id, Refusal):
        return person_id
    try:
        if known is not None and known.erased:
            raise Rejected("this person was erased, and does not come back", field="person_id")
        if not _is_active(cells.fields):
            return leaving(person_id, known, _left_on(cells.fields, how), cells.line)
        return _staying(person_id, cells, known)
    except Rejected as error:
        return Refusal(cells.line, error.field or "", str(error), person_id)


def leaving(
    person_id: PersonId, known: Known | None, left_on: date, line: int | None = None
) -> Change:
    """That they left; nothing of those who have, or were never here."""
    if known is None or not known.active:
        return Change(line, person_id, "unchanged")
    return Change(line, person_id, "left", fact=PersonLeft(person_id=person_id, left_on=left_on))


def _staying(person_id: PersonId, cells: Cells, known: Known | None) -> Change:
    before = dict(known.said or {}) if known else {}
    wanted = _merged(before, cells.fields) | {"person_id": person_id}
    is_here = known is not None and known.active
    kind: type[PersonState] = PersonChanged if is_here else PersonJoined
    try:
        fact = kind.model_validate(wanted)
    except ValidationError as error:
        raise _named(error) from error
    if not is_here:
        return Change(cells.line, person_id, "joined", fact=fact)
    now = fact.model_dump(mode="json")
    fields = tuple(name for name in now if now[name] != before.get(name))
    if not fields:
        return Change(cells.line, person_id, "unchanged")
    return Change(cells.line, person_id, "changed", fields, fact)


def _merged(before: dict[str, Any], said: Mapping[str, str]) -> dict[str, Any]:
    wanted = dict(before)
    part = dict(before.get("participation") or {})
    for name, text in said.items():
        if name in ("person_id", "active", "left_on"):
            continue
        value = _value(name, text.strip())
        if value is None and name not in _CLEARED:
            continue
        (part if name in _PART else wanted)[name] = value
    if part:
        wanted["participation"] = {"roles": (), **part}
    return wanted


def _value(name: str, text: str) -> Any:
    if name in _LISTS:
        parts = [part.strip() for part in _BETWEEN.split(text)]
        return list(dict.fromkeys(part for part in parts if part))
    if not text:
        return None
    if name in _NUMBERS:
        if not re.fullmatch(r"\d{1,4}", text):
            raise Rejected(f"{name}: {text[:40]!r} is no whole number", field=name)
        return int(text)
    if name == "locale":
        return text.replace("_", "-")
    return text.upper() if name == "country" and len(text) == 2 else text


def _is_active(said: Mapping[str, str]) -> bool:
    text = said.get("active", "").strip().casefold()
    if not text or text in _YES:
        return True
    if text in _NO:
        return False
    raise Rejected(f"active: {text[:40]!r} is neither yes nor no", field="active")


def _left_on(said: Mapping[str, str], how: Reading) -> date:
    text = said.get("left_on", "").strip()
    if not text:
        return how.today
    for form in ("%Y-%m-%d", how.dates):
        with suppress(ValueError, TypeError):
            return datetime.strptime(text, form).date()  # type: ignore[arg-type]  # noqa: DTZ007
    wanted = f"like {how.dates}" if how.dates else "like 2026-12-31; else say --date-format"
    raise Rejected(f"left_on: {text[:40]!r} is no date {wanted}", field="left_on")


def _named(error: ValidationError) -> Rejected:
    first = error.errors()[0]
    names = [str(part) for part in first["loc"] if isinstance(part, str)]
    name = names[-1] if names else ""
    said = str(first["msg"]).removeprefix("Value error, ")
    quoted = f"{first['input'][:40]!r}: " if isinstance(first["input"], str) else ""
    return Rejected(f"{name}: {quoted}{said}", field=name)
