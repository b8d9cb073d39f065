"""Facts that insights publishes: the newest trust of a pair, alerts, and how programmes do."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.events.fact import Code, Fact, Instant, PairFact, Part, Probability, Programme
from shared.events.topics import PROGRAMMES, TRUST, Topic

Facet = Literal["E", "L", "H", "R", "B", "P"]
Band = Literal["too_early", "steady", "watch", "strained"]
Weight = Annotated[float, Field(ge=0)]
Side = Literal["mentor", "mentee"]
Benefit = Literal["clarity", "growth", "problem_solving", "network"]
AtLeastFive = Annotated[int, Field(ge=5)]
# Codes of reasons, strongest first.
Codes = Annotated[tuple[Code, ...], Field(max_length=3)]


class FacetTrust(Part):
    """One facet in one direction: evidence for (`r`) and against (`s`), and what it makes."""

    r: Weight
    s: Weight
    score: Probability
    low: Probability
    high: Probability


class DirectionTrust(Part):
    """How far one side can trust the other: all six facets, private evidence included."""

    score: Probability
    low: Probability
    high: Probability
    band: Band
    facets: dict[Facet, FacetTrust]


class SharedTrust(Part):
    """One direction from observable evidence alone: what the pair themselves may be shown."""

    score: Probability
    low: Probability
    high: Probability
    band: Band
    top_reason: Code | None = None
    weakest: Facet | None = None
    up: Codes = ()
    down: Codes = ()


class PartnerSafe(Part):
    """The part of a pair's trust that holds no private answer, not even in its date."""

    as_of: Instant | None
    about_mentor: SharedTrust
    about_mentee: SharedTrust


class TrustChanged(PairFact):
    """The newest trust of a pair. State, not history: a newer one replaces it.

    `as_of` is the time of the pair's newest evidence, so the same evidence always gives the same
    fact. `revision` grows with each change: a reader keeps the highest it has seen.
    """

    type: ClassVar[str] = "trust.changed"
    version: ClassVar[int] = 2
    topic: ClassVar[Topic] = TRUST

    model: Code
    revision: Annotated[int, Field(ge=1)]
    as_of: Instant
    half_life_days: Annotated[float, Field(gt=0)]
    health: Probability
    gap: Probability | None
    about_mentor: DirectionTrust
    about_mentee: DirectionTrust
    partner_safe: PartnerSafe


class Reason(Part):
    """Why: a code, and the id of the event that both sides saw happen."""

    code: Code
    facet: Facet
    event_id: UUID


class AlertFact(PairFact):
    """About one direction of a pair. It has a key of its own, `<tenant>/<pair>/<side>`: the topic
    is compacted, and an alert must not replace the pair's trust.
    """

    topic: ClassVar[Topic] = TRUST

    record_key: ClassVar[str] = "tenant/pair/side"

    about: Side
    model: Code
    epoch: date

    @property
    def subject(self) -> str:
        return f"{self.pair_id}/{self.about}"


class TrustAlerted(AlertFact):
    """On two days running trust in one side was very probably low. A suggestion to a human.

    `reasons` are events that both sides saw happen; nothing that was said in private is in it
    before three answers and fourteen days have gone by.
    """

    type: ClassVar[str] = "trust.alerted"

    band: Band
    probability_low: Probability
    reasons: tuple[Reason, ...] = Field(max_length=3)
    next_step: Code


class TrustResolved(AlertFact):
    """What an alert was about is no longer so."""

    type: ClassVar[str] = "trust.resolved"

    band: Band
    alerted_on: date
    reason: Literal["recovered", "too_early", "ended"]


class ProgrammeMeasured(Fact):
    """How a programme, or one unit of it, did by the end of an epoch. Never about fewer than five.

    Every cell is a union of cohorts of at least five pairs, five mentors and five mentees, so no
    difference of cells is about fewer either. Counts are rounded down to fives, shares to 0.05.
    `bands` and `benefits` are shares of the pairs.
    """

    type: ClassVar[str] = "programme.measured"
    topic: ClassVar[Topic] = PROGRAMMES

    programme_id: Programme
    org_unit: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    epoch: Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    as_of: Instant
    model: Code
    pairs: AtLeastFive
    mentors: AtLeastFive
    mentees: AtLeastFive
    health: Probability
    bands: dict[Band, Probability]
    facets: dict[Facet, Probability]
    benefits: dict[Benefit, Probability]

    @property
    def subject(self) -> str:
        return self.programme_id
