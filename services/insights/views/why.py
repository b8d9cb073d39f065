"""Why a direction stands where it stands, as answers say it. Codes and ids only."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from services.insights.domain.explain import Explanation, Reason
from services.insights.domain.projections import rounded
from shared.events import insights as wire


class SeenReason(BaseModel):
    """The facet's score would differ by `delta` without this event."""

    code: str
    facet: wire.Facet
    delta: float
    event_id: UUID


class SeenFading(BaseModel):
    """The facet that time alone moves fastest."""

    facet: wire.Facet
    per_day: float


class SeenStep(BaseModel):
    """What would help most, and the score it would lead to."""

    code: str
    score: float


class Explained(BaseModel):
    """Why a direction stands where it stands."""

    up: list[SeenReason]
    down: list[SeenReason]
    fading: SeenFading | None
    next_step: SeenStep | None


def explained(why: Explanation) -> Explained:
    """An explanation as it is answered."""
    fading, step = why.fading, why.next_step
    return Explained(
        up=[_reason(reason) for reason in why.up],
        down=[_reason(reason) for reason in why.down],
        fading=fading and SeenFading(facet=fading.facet.name, per_day=rounded(fading.per_day)),
        next_step=step and SeenStep(code=step.code, score=rounded(step.score)),
    )


def _reason(reason: Reason) -> SeenReason:
    return SeenReason(
        code=reason.code,
        facet=reason.facet.name,
        delta=rounded(reason.delta),
        event_id=reason.event_id,
    )
