"""Facts about what a pair agreed."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from shared.events.fact import Code, PairFact, Part, Person
from shared.events.people import Minute
from shared.events.topics import SESSIONS, Topic

CadenceDays = Annotated[int, Field(ge=1, le=366)]


class AgreedHours(Part):
    """One weekly window of one side, in that person's own zone. `weekday` 1 is Monday."""

    person_id: Person
    weekday: Annotated[int, Field(ge=1, le=7)]
    from_minute: Minute
    until_minute: Minute


class AgreementProposed(PairFact):
    """One side put a version of the agreement before the other. It is not in force yet."""

    type: ClassVar[str] = "agreement.proposed"
    topic: ClassVar[Topic] = SESSIONS

    agreement_version: Annotated[int, Field(ge=1)]
    by: Person


class AgreementSigned(PairFact):
    """Both sides signed the same version of their agreement.

    `hours` are when each can be met and written to; none means at any time. `off_limits` are hours
    at which neither wants to hear of it. Topics that are off limits stay between the two.
    """

    type: ClassVar[str] = "agreement.signed"
    version: ClassVar[int] = 2
    topic: ClassVar[Topic] = SESSIONS

    agreement_version: Annotated[int, Field(ge=1)]
    cadence_days: CadenceDays
    notice_hours: Annotated[int, Field(ge=0, le=14 * 24)]
    channels: tuple[Code, ...] = Field(max_length=10)
    hours: tuple[AgreedHours, ...] = Field(default=(), max_length=100)
    off_limits: tuple[AgreedHours, ...] = Field(default=(), max_length=100)
    feedback: Code | None = None
    review_on: date | None = None


class AgreementReviewed(PairFact):
    """Both sides looked at their agreement again; `on_time` is by the review date in it."""

    type: ClassVar[str] = "agreement.reviewed"
    topic: ClassVar[Topic] = SESSIONS

    agreement_version: Annotated[int, Field(ge=1)]
    on_time: bool
