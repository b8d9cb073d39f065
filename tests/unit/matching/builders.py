"""People and pairs for matching's tests, with the one thing that matters named. Holds no test."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from services.matching.domain.pair import Actor, Pair
from services.matching.domain.person import Person
from shared.events.people import WeeklyHours
from shared.ids import PairId, PersonId, ProgrammeId

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MENTOR = PersonId("mentor-1")
MENTEE = PersonId("mentee-1")
PAIR = Pair(
    pair_id=PairId(UUID(int=1)),
    programme_id=ProgrammeId("spring"),
    mentor_id=MENTOR,
    mentee_id=MENTEE,
    fit_permille=700,
    grounds=(),
    proposed_at=NOW,
)


def window(weekday: int, from_hour: float, until_hour: float) -> WeeklyHours:
    """One weekly window, in hours of the day."""
    return WeeklyHours(
        weekday=weekday, from_minute=int(from_hour * 60), until_minute=int(until_hour * 60)
    )


def person(person_id: str, **changes: object) -> Person:
    """Someone who speaks English in UTC and takes no part, but for the changes."""
    plain = Person(
        person_id=PersonId(person_id),
        display_name=person_id.title(),
        timezone="UTC",
        manager_id=None,
        languages=("en",),
        hours=(),
        roles=(),
        capacity=0,
        offers=(),
        goals=(),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def member(person_id: str) -> Actor:
    return Actor(PersonId(person_id), oversees=False)


def manager() -> Actor:
    return Actor(PersonId("the-manager"), oversees=True)
