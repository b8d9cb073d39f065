"""The trust of a pair over time, for a chart: each point is the fold as of that instant.

Each reader gets the points of their own projection, and no more in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from services.insights.domain.evidence import from_us
from services.insights.domain.projections import rounded
from services.insights.domain.trust import DirectionTrust, fold
from services.insights.domain.weights import Scope
from services.insights.views.asked import Asked
from shared.events import insights as wire
from shared.http import Role

MAX_POINTS = 366
SCOPES: dict[Role, Scope] = {
    "participant": Scope.SHARED,
    "manager": Scope.MANAGED,
    "service": Scope.EVERYTHING,
}


class PointDirection(BaseModel):
    """One direction at one instant. A manager sees the band alone."""

    band: wire.Band
    score: float | None
    low: float | None
    high: float | None


class Point(BaseModel):
    """Both directions at one instant."""

    at: AwareDatetime
    about_mentor: PointDirection
    about_mentee: PointDirection


class History(BaseModel):
    """A series, oldest first, evenly spaced, its last point at the instant asked for."""

    view: Literal["history"] = "history"
    pair_id: UUID
    model: str
    points: list[Point]


def history(asked: Asked, from_us_: int, points: int, role: Role) -> History:
    """So many points between `from_us_` and the instant asked for."""
    pair, evidence, until_us, model = asked
    scope = SCOPES[role]
    found = []
    for at_us in _instants(from_us_, until_us, points):
        trust = fold(evidence, model, at_us, scope)
        mentor, mentee = (_point(seen, role) for seen in (trust.about_mentor, trust.about_mentee))
        found.append(Point(at=from_us(at_us), about_mentor=mentor, about_mentee=mentee))
    return History(pair_id=pair.subject.pair_id, model=model.name, points=found)


def _instants(first_us: int, last_us: int, points: int) -> Iterator[int]:
    if points == 1 or first_us >= last_us:
        yield last_us
        return
    for place in range(points):
        yield first_us + (last_us - first_us) * place // (points - 1)


def _point(judged: DirectionTrust, role: Role) -> PointDirection:
    if role == "manager":
        return PointDirection(band=judged.band, score=None, low=None, high=None)
    return PointDirection(
        band=judged.band,
        score=rounded(judged.score),
        low=rounded(judged.low),
        high=rounded(judged.high),
    )
