"""Facts that every service publishes when it has erased a person: what was done, in numbers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.events.fact import Part, PersonFact
from shared.events.topics import ERASURES, Topic

Service = Literal["matching", "sessions", "notifications", "insights"]
Table = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Erased(Part):
    """So many rows of a table were deleted, or emptied of what was the person's."""

    table: Table
    rows: Annotated[int, Field(ge=0)]


class ErasureCompleted(PersonFact):
    """A service holds nothing of the person any longer but an id that nobody knows."""

    type: ClassVar[str] = "erasure.completed"
    topic: ClassVar[Topic] = ERASURES

    erasure_id: UUID
    service: Service
    done: tuple[Erased, ...] = Field(max_length=100)
