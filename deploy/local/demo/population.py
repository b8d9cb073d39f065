"""The people of the demo, as HR would send them: structured CloudEvents, one a line. Pure.

The same seed makes the same people. Everybody here is made up; `.example` is nobody's domain.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import orjson

from deploy.local.demo.size import DemoSize
from shared.events.people import Participation, PersonJoined, WeeklyHours
from shared.ids import PersonId, TenantId

DOMAIN = "northwind.example"
HR_SOURCE = "urn:northwind:hr"
CONTENT_TYPE = b"application/cloudevents+json; charset=utf-8"
UNIT_SIZE = 12
FIRST_NUMBER = 1001

_FIRST_NAMES = """
    Amara Anneli Aylin Bastian Bo Camille Carlos Chidi Chloe Dariusz Deniz Elena Emil Esther Eva
    Farid Fiona Giulia Hana Henrik Ida Ines Ivan Jasper Joana Jonas Kaja Kenji Lars Leila Linh
    Lucia Maeve Marco Maria Mateo Mei Mira Nadia Niko Nora Olu Oscar Paula Pavel Priya Quentin
    Rafael Rosa Samir Sara Selin Sofia Stefan Tara Tom Uma Viktor Wanda Yara Yusuf Zoe
"""
_LAST_NAMES = """
    Adeyemi Almeida Andersen Bauer Bergmann Bianchi Castro Chen Costa Dahl Demir Dubois Eriksen
    Fischer Flores Fontaine Garcia Greco Haddad Hansen Hoffmann Iyer Jensen Kaya Keller Kim Koch
    Kowalski Larsen Lefevre Lind Lopez Maier Marin Mensah Moreau Nakamura Nguyen Novak Okafor
    Olsen Patel Pereira Petrov Ricci Rossi Santos Sato Schmidt Silva Singh Sousa Tanaka Vega
    Vogel Weber Winter Yilmaz Zhang
"""
UNITS = (
    "Platform", "Data", "Payments", "Customer Care", "Logistics", "Finance", "People", "Design",
    "Security", "Marketing", "Research", "Operations", "Legal", "Sales", "Quality", "Mobile",
)  # fmt: skip
SKILLS = (
    "leading_teams", "giving_feedback", "public_speaking", "system_design", "data_analysis",
    "negotiation", "career_change", "time_management", "hiring", "project_planning",
)  # fmt: skip
# Zone and home language, near enough to each other for every two working days to overlap.
HOMES = (
    ("Europe/Berlin", "de"), ("Europe/Lisbon", "pt"), ("Europe/Paris", "fr"),
    ("Europe/Madrid", "es"), ("Europe/Istanbul", "tr"), ("Europe/Warsaw", "pl"),
    ("Asia/Dubai", "ar"), ("Asia/Kolkata", "hi"), ("Africa/Lagos", "en"),
)  # fmt: skip
# What no mentor here speaks, and what none offers: matching has to say so.
UNSPOKEN = "fi"
UNOFFERED = "patent_law"


@dataclass(frozen=True, slots=True)
class Employee:
    """One person as HR describes them, and their line of the file."""

    fact: PersonJoined
    line: bytes


def population(size: DemoSize, seed: int, tenant: TenantId) -> tuple[Employee, ...]:
    """Everybody, by employee number. Mentees without a possible mentor are among them."""
    chance = Random(f"{seed}/people")
    parts = _participations(size, chance)
    chance.shuffle(parts)
    units = _units(size)
    # Whoever leads a unit takes no part, so that nobody's only possible mentor is their manager.
    parts.sort(key=lambda part: part is not None)
    led = parts[units:]
    chance.shuffle(led)
    parts[units:] = led
    names = _names(size.people, chance)
    return tuple(
        _employee(number, name, part, size, chance, tenant)
        for number, (name, part) in enumerate(zip(names, parts, strict=True))
    )


def ndjson(employees: Iterable[Employee]) -> bytes:
    """The file that HR sends."""
    return b"".join(employee.line + b"\n" for employee in employees)


def key_of(employee: Employee, tenant: TenantId) -> bytes:
    """The key of the person's record."""
    return f"{tenant}/{employee.fact.person_id}".encode()


def cloud_event(fact: Any, *, ce_id: str, time: str, tenant: TenantId) -> bytes:
    """A fact about a person as HR writes it: one JSON object, structured mode."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": ce_id,
            "source": HR_SOURCE,
            "type": fact.type,
            "time": time,
            "subject": fact.subject,
            "tenant": tenant,
            "datacontenttype": "application/json",
            "data": fact.model_dump(mode="json", exclude_none=True),
        }
    )


def _units(size: DemoSize) -> int:
    return max(2, size.people // UNIT_SIZE)


def _employee(
    number: int,
    name: str,
    part: Participation | None,
    size: DemoSize,
    chance: Random,
    tenant: TenantId,
) -> Employee:
    zone, language = HOMES[number % len(HOMES)]
    languages = ("en", language) if language != "en" else ("en",)
    if part and part.roles == ("mentee",) and part.capacity:  # marked by _unplaced
        languages, part = (UNSPOKEN,), part.model_copy(update={"capacity": 0})
    units = _units(size)
    unit = number % units
    fact = PersonJoined(
        person_id=_id(number),
        email=f"{_ascii(name)}@{DOMAIN}",
        display_name=name,
        timezone=zone,
        manager_id=None if number == 0 else _id(unit if number >= units else 0),
        org_unit=UNITS[unit % len(UNITS)],
        languages=languages,
        hours=_hours(chance) if part else (),
        participation=part,
    )
    # HR's export of the night before: a second apart, in the order of the numbers.
    at = size.starts_at - timedelta(hours=6) + timedelta(seconds=number)
    time = at.isoformat().replace("+00:00", "Z")
    line = cloud_event(fact, ce_id=f"export-1/{fact.person_id}", time=time, tenant=tenant)
    return Employee(fact, line)


def _participations(size: DemoSize, chance: Random) -> list[Participation | None]:
    mentors = [_mentor(place, chance) for place in range(size.mentors)]
    offered = sorted({skill for mentor in mentors for skill in mentor.offers})
    mentees = [
        Participation(roles=("mentee",), goals=tuple(chance.sample(offered, chance.randint(2, 3))))
        for _ in range(size.pairs)
    ]
    # A capacity on a mentee marks who speaks a language of their own; it is taken off again.
    unplaced = [
        Participation(roles=("mentee",), goals=tuple(offered[:1]), capacity=1)
        if place % 2 == 0
        else Participation(roles=("mentee",), goals=(UNOFFERED,))
        for place in range(size.unplaced)
    ]
    others = size.people - len(mentors) - len(mentees) - len(unplaced)
    return [*mentors, *mentees, *unplaced, *[None] * others]


def _mentor(place: int, chance: Random) -> Participation:
    # Offers go round, so that every skill has several mentors in a company of any size.
    first = SKILLS[place * 3 % len(SKILLS)], SKILLS[(place * 3 + 1) % len(SKILLS)]
    offers = dict.fromkeys((*first, *chance.sample(SKILLS, 3)))
    return Participation(roles=("mentor",), capacity=chance.choice((2, 3, 3)), offers=tuple(offers))


def _hours(chance: Random) -> tuple[WeeklyHours, ...]:
    """Some working days, each from the morning on or from noon on, in the person's own zone."""
    days = sorted(chance.sample(range(1, 6), chance.randint(4, 5)))
    start = chance.choice((9, 9, 10, 12))
    return tuple(
        WeeklyHours(weekday=day, from_minute=start * 60, until_minute=18 * 60) for day in days
    )


def _names(count: int, chance: Random) -> Sequence[str]:
    every = [f"{first} {last}" for first in _FIRST_NAMES.split() for last in _LAST_NAMES.split()]
    return chance.sample(every, count)


def _id(number: int) -> PersonId:
    return PersonId(f"e{FIRST_NUMBER + number}")


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return plain.lower().replace(" ", ".")
