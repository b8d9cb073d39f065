"""The base of every fact. Facts are frozen, in the past tense, and never carry free text.

Readers ignore fields they do not know (a newer producer may send them); the committed JSON Schemas
are closed, so that adding an optional field is a compatible change under every registry's rules.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.events.topics import Topic
from shared.ids import PairId, PersonId, ProgrammeId

# Opaque ids of a tenant's own making: no spaces, no "/" (it separates the parts of a key).
OPAQUE = StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}$")

Person = Annotated[PersonId, OPAQUE]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Programme = Annotated[ProgrammeId, OPAQUE]


def _on_the_calendar(at: datetime) -> datetime:
    # In another zone the calendar's first and last days lie outside of it: nothing can store them.
    if not date.min.year < at.year < date.max.year:
        raise ValueError("lies at an end of the calendar")
    return at


Instant = Annotated[AwareDatetime, AfterValidator(_on_the_calendar)]


class Part(BaseModel):
    """A value inside a fact."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Fact(Part):
    """Something that happened. Its class says where it is published and which version it is.

    `version` grows with a compatible change and travels in `ce_dataschema`; an incompatible change
    is a new class with a new `type`. `record_key` is for a fact whose key is not its topic's: on a
    compacted topic, what must not replace each other has keys of its own.
    """

    type: ClassVar[str]
    topic: ClassVar[Topic]
    version: ClassVar[int] = 1
    record_key: ClassVar[str] = ""

    @property
    def subject(self) -> str:
        """The id of what the fact is about; with the tenant it makes the record's key."""
        raise TypeError(f"{type(self).__name__} does not say what it is about")


@lru_cache(maxsize=20_000)
def _text(subject: UUID) -> str:
    # Asked for once per record, and mostly about the same pairs.
    return str(subject)


class PersonFact(Fact):
    """A fact about one person."""

    person_id: Person

    @property
    def subject(self) -> str:
        return self.person_id


class PairFact(Fact):
    """A fact about one pair. It names both sides, so that no reader has to look them up."""

    pair_id: PairId
    mentor_id: Person
    mentee_id: Person

    @property
    def subject(self) -> str:
        return _text(self.pair_id)


Probability = Annotated[float, Field(ge=0, le=1)]
