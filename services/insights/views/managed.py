"""What a programme manager may see of a pair: bands, and codes of what both sides saw happen.

Private answers may have moved a band, but only in batches of three and more, fourteen days old.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from services.insights.domain.evidence import from_us
from services.insights.domain.explain import explain
from services.insights.domain.trust import DirectionTrust, fold
from services.insights.domain.weights import Scope
from services.insights.views.asked import Asked
from shared.events import insights as wire

# Numbers are told in twentieths.
STEPS = 20


class ManagerReason(BaseModel):
    """Something that both sides saw happen, and which way it points."""

    code: str
    facet: wire.Facet
    event_id: UUID
    direction: Literal["up", "down"]


class ManagerDirection(BaseModel):
    """One direction as a programme manager may see it.

    The band may have been moved by private answers; no number may, for a number moves too finely.
    So `low` and `high` are the 90 % interval of what both sides saw happen, to 0.05.
    """

    band: wire.Band
    low: float
    high: float
    reasons: list[ManagerReason]
    next_step: str | None


class ForManager(BaseModel):
    """A pair's trust for a programme manager."""

    view: Literal["managed"] = "managed"
    pair_id: UUID
    mentor_id: str
    mentee_id: str
    at: AwareDatetime
    about_mentor: ManagerDirection
    about_mentee: ManagerDirection


def managed_trust(asked: Asked) -> ForManager:
    """Both directions; reasons and the next step come from observed evidence alone."""
    pair, evidence, at_us, model = asked
    trust = fold(evidence, model, at_us, Scope.MANAGED)
    observed = fold(evidence, model, at_us, Scope.OBSERVED)

    def direction(judged: DirectionTrust, seen: DirectionTrust, side: int) -> ManagerDirection:
        why = explain(evidence, model, at_us, side, Scope.OBSERVED)
        found = [
            ManagerReason(
                code=reason.code,
                facet=reason.facet.name,
                event_id=reason.event_id,
                direction="up" if reason.delta > 0 else "down",
            )
            for reason in (*why.down, *why.up)
        ]
        step = why.next_step
        return ManagerDirection(
            band=judged.band,
            low=_coarse(seen.low),
            high=_coarse(seen.high),
            reasons=found,
            next_step=None if step is None else step.code,
        )

    return ForManager(
        pair_id=pair.subject.pair_id,
        mentor_id=pair.subject.mentor_id,
        mentee_id=pair.subject.mentee_id,
        at=from_us(at_us),
        about_mentor=direction(trust.about_mentor, observed.about_mentor, 0),
        about_mentee=direction(trust.about_mentee, observed.about_mentee, 1),
    )


def _coarse(value: float) -> float:
    return round(round(value * STEPS) / STEPS, 2)
