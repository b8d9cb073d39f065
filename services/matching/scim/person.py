"""Makes a person's state of a SCIM user, and the fact that tells of a change. Pure; no I/O.

What the log was told decides between joined, changed and left: a write that changes nothing of the
person tells nothing. A user without an address is no person of the network yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from pydantic import ValidationError

from services.matching.scim.schemas import ENTERPRISE, MENTORING
from shared.errors import Rejected
from shared.events.fact import PersonFact
from shared.events.people import PersonChanged, PersonJoined, PersonLeft
from shared.ids import PersonId

Role = Literal["mentor", "mentee"]
_ROLES: tuple[Role, ...] = ("mentor", "mentee")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_COUNTRY = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
# One fact of a person is later than the one before, though the clock may stand still.
_LATER = timedelta(microseconds=1)
# The attribute that HR has to correct, by the field of the fact.
_ATTRIBUTES = {
    "email": "emails",
    "display_name": "displayName",
    "timezone": "timezone",
    "org_unit": f"{MENTORING}:orgUnit",
    "country": f"{MENTORING}:country",
    "grade": f"{MENTORING}:grade",
    "roles": f"{MENTORING}:roles",
    "capacity": f"{MENTORING}:capacity",
    "offers": f"{MENTORING}:offers",
    "goals": f"{MENTORING}:goals",
}


@dataclass(frozen=True, slots=True)
class Known:
    """A user as they are kept: what was sent, what their groups and manager say, what was told."""

    id: str
    person_id: PersonId
    data: Mapping[str, Any]
    manager_id: PersonId | None
    group_roles: tuple[Role, ...]
    told: Literal["here", "left"] | None
    digest: str | None
    email: str | None
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class Telling:
    """What the log is to be told of a person, and what to remember of it."""

    id: str
    fact: PersonFact
    at: datetime
    told: Literal["here", "left"]
    digest: str | None
    email: str | None


def tell(known: Known, now: datetime) -> Telling | None:
    """What there is to tell; None when nothing is new. Raises Rejected naming the attribute."""
    at = max(now, known.told_at + _LATER) if known.told_at else now
    if known.data.get("active") is False:
        return leave(known, now)
    fields = state_of(known)
    if fields is None:
        return None
    try:
        joined = PersonJoined.model_validate(fields)
    except ValidationError as error:
        raise _named(error) from error
    digest = sha256(joined.model_dump_json().encode()).hexdigest()
    if known.told == "here" and known.digest == digest:
        return None
    fact = PersonChanged.model_validate(fields) if known.told == "here" else joined
    return Telling(known.id, fact, at, "here", digest, joined.email)


def leave(known: Known, now: datetime) -> Telling | None:
    """That they left; None when nobody knows them, or knows that already."""
    if known.told != "here" or known.told_at is None:
        return None
    fact = PersonLeft(person_id=known.person_id, left_on=now.date())
    at = max(now, known.told_at + _LATER)
    return Telling(known.id, fact, at, "left", None, known.email)


def state_of(known: Known) -> dict[str, Any] | None:
    """The fields of the person's fact; None without an address, which may still come."""
    user = known.data
    ours, theirs = user.get(MENTORING) or {}, user.get(ENTERPRISE) or {}
    email = _email(user) or known.email
    if email is None:
        return None
    language = _language(user)
    return {
        "person_id": known.person_id,
        "email": email,
        "display_name": _display_name(user),
        "locale": language,
        "timezone": user.get("timezone") or "UTC",
        "country": ours.get("country") or _country(user),
        "manager_id": known.manager_id,
        "org_unit": ours.get("orgUnit") or theirs.get("department") or None,
        "grade": ours.get("grade"),
        "languages": (language.partition("-")[0],),
        "participation": _participation(ours, known.group_roles),
    }


def _participation(ours: Mapping[str, Any], of_groups: Iterable[Role]) -> dict[str, Any] | None:
    said = {*_listed(ours.get("roles")), *of_groups}
    if not said:
        return None
    known = [role for role in _ROLES if role in said]
    capacity = ours.get("capacity")
    return {
        "roles": [*known, *sorted(said - set(_ROLES))],
        "capacity": (1 if "mentor" in said else 0) if capacity is None else capacity,
        "offers": _listed(ours.get("offers")),
        "goals": _listed(ours.get("goals")),
    }


def _listed(values: Iterable[str] | None) -> list[str]:
    """Each once, in order. Directories without lists send one text with commas."""
    parts = [part.strip() for value in values or () for part in value.split(",")]
    return list(dict.fromkeys(part for part in parts if part))


def _email(user: Mapping[str, Any]) -> str | None:
    """The work address, then the primary one, then any, then a name that is one."""
    emails = [each for each in user.get("emails") or () if each.get("value")]
    emails.sort(key=lambda each: (each.get("type") != "work", not each.get("primary")))
    if emails:
        return str(emails[0]["value"])
    name = str(user["userName"])
    return name if _ADDRESS.fullmatch(name) else None


def _display_name(user: Mapping[str, Any]) -> str:
    name = user.get("name") or {}
    whole = " ".join(filter(None, (name.get("givenName"), name.get("familyName"))))
    return str(user.get("displayName") or name.get("formatted") or whole or user["userName"])


def _language(user: Mapping[str, Any]) -> str:
    """As a tag, from the language they prefer or the locale; English where neither can be read."""
    for said in (user.get("preferredLanguage"), user.get("locale")):
        first = (said or "").split(",")[0].split(";")[0].strip().replace("_", "-")
        head, dash, tail = first.partition("-")
        tag = head.lower() + dash + tail
        if _LANGUAGE.fullmatch(tag):
            return tag
    return "en"


def _country(user: Mapping[str, Any]) -> str | None:
    addresses = [each for each in user.get("addresses") or () if each.get("country")]
    addresses.sort(key=lambda each: (each.get("type") != "work", not each.get("primary")))
    said = str(addresses[0]["country"]).upper() if addresses else ""
    return said if _COUNTRY.fullmatch(said) else None


def _named(error: ValidationError) -> Rejected:
    """The first thing that is wrong, by the name HR knows it by."""
    first = error.errors()[0]
    fields = [str(part) for part in first["loc"] if not isinstance(part, int)]
    attribute = next((_ATTRIBUTES[each] for each in reversed(fields) if each in _ATTRIBUTES), "")
    said = str(first["msg"]).removeprefix("Value error, ")
    quoted = f"{first['input']!r}: " if isinstance(first["input"], str) else ""
    return Rejected(f"{attribute}: {quoted[:100]}{said}", field=attribute)
