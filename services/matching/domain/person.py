"""A person as matching knows them, and how HR's facts become one. No address, no history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from shared.events.people import (
    Participation,
    PersonLeaveEnded,
    PersonLeaveStarted,
    PersonState,
    WeeklyHours,
)
from shared.ids import PersonId

MENTOR = "mentor"
MENTEE = "mentee"
_TAKES_NO_PART = Participation(roles=())


@dataclass(frozen=True, slots=True)
class Person:
    """Someone in one tenant. `roles` is empty for a person who takes no part."""

    person_id: PersonId
    display_name: str
    timezone: str
    manager_id: PersonId | None
    languages: tuple[str, ...]
    hours: tuple[WeeklyHours, ...]
    roles: tuple[str, ...]
    capacity: int
    offers: tuple[str, ...]
    goals: tuple[str, ...]
    org_unit: str | None = None
    grade: int | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Leave:
    """A leave: away from `started_on` until the day of `back_on`, which is not known at first."""

    person_id: PersonId
    leave_id: str
    started_on: date
    back_on: date | None


def leave_of(fact: PersonLeaveStarted | PersonLeaveEnded) -> Leave:
    """The leave that a fact tells whole."""
    back_on = fact.back_on if isinstance(fact, PersonLeaveEnded) else None
    return Leave(fact.person_id, fact.leave_id, fact.started_on, back_on)


def from_fact(fact: PersonState) -> Person:
    """The person HR describes: the fact holds all of them, nothing of before is kept."""
    part = fact.participation or _TAKES_NO_PART
    return Person(
        person_id=fact.person_id,
        display_name=fact.display_name,
        timezone=fact.timezone,
        manager_id=fact.manager_id,
        languages=fact.languages,
        hours=fact.hours,
        roles=tuple(dict.fromkeys(part.roles)),
        capacity=part.capacity,
        offers=part.offers,
        goals=part.goals,
        org_unit=fact.org_unit,
        grade=fact.grade,
    )
