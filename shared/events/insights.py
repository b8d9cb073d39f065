"""Facts that insights publishes: the newest trust of a pair."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.events.fact import Code, Instant, PairFact, Part, Probability
from shared.events.topics import TRUST, Topic

Facet = Literal["E", "L", "H", "R", "B", "P"]
Band = Literal["too_early", "steady", "watch", "strained"]
Weight = Annotated[float, Field(ge=0)]


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
