"""Facts that matching publishes: the life of a pair."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.events.fact import (
    Code,
    Instant,
    PairFact,
    Part,
    Person,
    PersonFact,
    Probability,
    Programme,
)
from shared.events.topics import PAIRS, Topic
from shared.ids import IntroductionId

# A goal, a language tag, or a weekly window such as "mon 09:00-11:30": never a sentence.
Detail = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class MatchReason(Part):
    """Why two people were proposed to each other: a code and what it rests on, never prose."""

    code: Literal["shared_goals", "shared_languages", "shared_hours"]
    detail: tuple[Detail, ...] = Field(default=(), max_length=50)
    weight: Probability


class Ground(Part):
    """One part of a fit: an open code, what it rests on, and how much of the fit it is."""

    code: Code
    detail: tuple[Detail, ...] = Field(default=(), max_length=50)
    weight: Probability


class PairProposed(PairFact):
    """Two people were suggested to each other: by a run, or by one of them asking the other.

    `grounds` are all parts of the fit and add up to it; `reasons` are those with a code of the
    first version. `asked_by` is whoever asked, and has said yes with it.
    """

    type: ClassVar[str] = "pair.proposed"
    version: ClassVar[int] = 2
    topic: ClassVar[Topic] = PAIRS

    programme_id: Programme
    fit: Probability
    reasons: tuple[MatchReason, ...] = Field(max_length=20)
    grounds: tuple[Ground, ...] = Field(default=(), max_length=20)
    run_id: UUID | None = None
    asked_by: Person | None = None
    answer_until: Instant | None = None


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


class PairExpired(PairFact):
    """A proposal came to nothing without a no: it was not answered in time, or was taken back.

    Never says who did not answer, nor who took it back.
    """

    type: ClassVar[str] = "pair.expired"
    topic: ClassVar[Topic] = PAIRS

    expired_at: Instant
    reason: Annotated[
        Code,
        Field(description="e.g. not_answered, withdrawn, reassigned, person_left, place_gone"),
    ]


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


class RankingFact(PersonFact):
    """About one person's private ranking. The key is the person's: it is of no pair."""

    topic: ClassVar[Topic] = PAIRS
    record_key: ClassVar[str] = "tenant/person"

    programme_id: Programme
    ranking_id: UUID


class RankingRequested(RankingFact):
    """A person was shown some people whom they could meet, to put in an order of their own."""

    type: ClassVar[str] = "ranking.requested"

    until: Instant


class RankingClosed(RankingFact):
    """A person's ranking can no longer be changed. Never what it was."""

    type: ClassVar[str] = "ranking.closed"

    closed_at: Instant


class IntroductionOffered(PairFact):
    """One side would open their network: the other side and the contact are asked whether they
    want it. Neither is told what the other answers before both have said yes.
    """

    type: ClassVar[str] = "introduction.offered"
    topic: ClassVar[Topic] = PAIRS

    introduction_id: IntroductionId
    by: Person
    contact: Person
    until: Instant


class IntroductionLapsed(PairFact):
    """An introduction came to nothing. A no and no answer look the same, in time and in words."""

    type: ClassVar[str] = "introduction.lapsed"
    topic: ClassVar[Topic] = PAIRS

    introduction_id: IntroductionId
    lapsed_at: Instant


class IntroductionConcluded(PairFact):
    """It is known what became of an introduction."""

    type: ClassVar[str] = "introduction.concluded"
    topic: ClassVar[Topic] = PAIRS

    introduction_id: IntroductionId
    outcome: Annotated[Code, Field(description="e.g. met, not_met, useful")]
    concluded_at: Instant


class IntroductionMade(PairFact):
    """One side opened their network to the other, and everybody concerned agreed to it."""

    type: ClassVar[str] = "introduction.made"
    topic: ClassVar[Topic] = PAIRS

    introduction_id: IntroductionId
    by: Person
