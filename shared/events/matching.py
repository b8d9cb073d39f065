"""Facts that matching publishes: the life of a pair."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from shared.events.fact import Code, Instant, PairFact, Part, Person, Probability, Programme
from shared.events.topics import PAIRS, Topic
from shared.ids import IntroductionId

# A goal, a language tag, or a weekly window such as "mon 09:00-11:30": never a sentence.
Detail = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class MatchReason(Part):
    """Why two people were proposed to each other: a code and what it rests on, never prose."""

    code: Literal["shared_goals", "shared_languages", "shared_hours"]
    detail: tuple[Detail, ...] = Field(default=(), max_length=50)
    weight: Probability


class PairProposed(PairFact):
    """Matching suggested two people to each other."""

    type: ClassVar[str] = "pair.proposed"
    topic: ClassVar[Topic] = PAIRS

    programme_id: Programme
    fit: Probability
    reasons: tuple[MatchReason, ...] = Field(max_length=20)


class PairAccepted(PairFact):
    """One side said yes."""

    type: ClassVar[str] = "pair.accepted"
    topic: ClassVar[Topic] = PAIRS

    by: Person


class PairDeclined(PairFact):
    """One side said no. No reason is asked for and none is kept."""

    type: ClassVar[str] = "pair.declined"
    topic: ClassVar[Topic] = PAIRS

    by: Person


class PairStarted(PairFact):
    """Both said yes and the pair began."""

    type: ClassVar[str] = "pair.started"
    topic: ClassVar[Topic] = PAIRS

    programme_id: Programme
    started_at: Instant


class PairEnded(PairFact):
    """The pair came to its end."""

    type: ClassVar[str] = "pair.ended"
    topic: ClassVar[Topic] = PAIRS

    ended_at: Instant
    reason: Annotated[Code, Field(description="e.g. completed, rematched, person_left")]


class IntroductionMade(PairFact):
    """One side opened their network to the other, and everybody concerned agreed to it."""

    type: ClassVar[str] = "introduction.made"
    topic: ClassVar[Topic] = PAIRS

    introduction_id: IntroductionId
    by: Person
