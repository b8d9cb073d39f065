"""Facts that HR sends about people. The topic is compacted: each carries the whole state."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import available_timezones

from pydantic import Field, StringConstraints, field_validator, model_validator

from shared.events.fact import OPAQUE, Code, Part, Person, PersonFact
from shared.events.topics import PEOPLE, Topic

Minute = Annotated[int, Field(ge=0, le=24 * 60)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


class WeeklyHours(Part):
    """One weekly window, in the person's own zone. `weekday` 1 is Monday; minutes of the day."""

    weekday: Annotated[int, Field(ge=1, le=7)]
    from_minute: Minute
    until_minute: Minute


class Participation(Part):
    """How a person takes part: `capacity` is how many mentees they would take on."""

    roles: tuple[Literal["mentor", "mentee"], ...] = Field(max_length=2)
    capacity: Annotated[int, Field(ge=0, le=50)] = 0
    offers: tuple[Code, ...] = Field(default=(), max_length=50)
    goals: tuple[Code, ...] = Field(default=(), max_length=50)


class PersonState(PersonFact):
    """A person as HR knows them now. Addresses are in no other fact."""

    topic: ClassVar[Topic] = PEOPLE

    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
    display_name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    locale: Language = "en"
    timezone: Annotated[str, StringConstraints(min_length=1, max_length=64)] = "UTC"
    country: Country | None = Field(
        default=None, description="ISO 3166-1, or 3166-2 where holidays differ: DE, DE-BY"
    )
    manager_id: Person | None = None
    org_unit: Annotated[str, StringConstraints(max_length=100)] | None = None
    grade: Annotated[int, Field(ge=0, le=100)] | None = Field(
        default=None, description="seniority, higher is more senior, on the tenant's own scale"
    )
    languages: tuple[Language, ...] = Field(default=("en",), max_length=20)
    hours: tuple[WeeklyHours, ...] = Field(default=(), max_length=50)
    participation: Participation | None = None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in _zones():
            raise ValueError("not an IANA time zone")
        return value


class PersonJoined(PersonState):
    """Someone joined the organisation, or became known to the network."""

    type: ClassVar[str] = "person.joined"
    version: ClassVar[int] = 3


class PersonChanged(PersonState):
    """Something about a person changed; the fact holds all of them as they are now."""

    type: ClassVar[str] = "person.changed"
    version: ClassVar[int] = 3


class PersonLeft(PersonFact):
    """Someone left the organisation."""

    type: ClassVar[str] = "person.left"
    topic: ClassVar[Topic] = PEOPLE

    left_on: date


class PersonErased(PersonFact):
    """Someone's personal data is to go everywhere. What they did stays, under an id nobody knows.

    It has the key of the person's state: the topic is compacted, and so forgets their name.
    """

    type: ClassVar[str] = "person.erased"
    topic: ClassVar[Topic] = PEOPLE

    erased_on: date


class LeaveFact(PersonFact):
    """About one leave of a person. It has a key of its own, `<tenant>/<person>/<leave>`: the topic
    is compacted, and a leave must replace neither the person nor another leave.
    """

    topic: ClassVar[Topic] = PEOPLE

    record_key: ClassVar[str] = "tenant/person/leave"

    leave_id: Annotated[str, OPAQUE]

    @property
    def subject(self) -> str:
        return f"{self.person_id}/{self.leave_id}"


class PersonLeaveStarted(LeaveFact):
    """Someone is away from `started_on` on: the clock of their pairs stands still."""

    type: ClassVar[str] = "person.leave_started"

    started_on: date


class PersonLeaveEnded(LeaveFact):
    """Someone is back, from `back_on` on. It holds the whole leave: the newest record is enough."""

    type: ClassVar[str] = "person.leave_ended"

    started_on: date
    back_on: date

    @model_validator(mode="after")
    def _back_after_it_started(self) -> Self:
        if self.back_on < self.started_on:
            raise ValueError("back_on lies before started_on")
        return self
