"""What the two members of a pair may see of it: one's own part, and both directions partner-safe.

Nothing here is made from an answer that the giver keeps private, not even its date.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from services.insights.domain.evidence import from_us
from services.insights.domain.explain import explain
from services.insights.domain.model import FACETS
from services.insights.domain.projections import rounded
from services.insights.domain.trust import DirectionTrust, fold
from services.insights.domain.weights import Scope
from services.insights.views.asked import Asked
from services.insights.views.why import Explained, explained
from shared.events import insights as wire
from shared.http import Caller

Side = Literal["mentor", "mentee"]


class MemberDirection(BaseModel):
    """One direction as the pair may see it: reasons come before numbers."""

    why: Explained
    band: wire.Band
    weakest: wire.Facet | None
    score: float
    low: float
    high: float


class OwnDirection(MemberDirection):
    """How far the other side can trust you, facet by facet."""

    facets: dict[wire.Facet, float]


class SelfTrust(BaseModel):
    """How your own behaviour stands, from what both of you saw happen."""

    view: Literal["self"] = "self"
    pair_id: UUID
    you_are: Side
    at: AwareDatetime
    about_you: OwnDirection


class SharedPair(BaseModel):
    """Both directions as each of the two may see them: the same answer for both."""

    view: Literal["shared"] = "shared"
    pair_id: UUID
    at: AwareDatetime
    half_life_days: float
    gap: float | None
    about_mentor: MemberDirection
    about_mentee: MemberDirection


def own_trust(asked: Asked, caller: Caller) -> SelfTrust:
    """The caller's own direction, from observed evidence alone."""
    pair, evidence, at_us, model = asked
    side: Side = "mentor" if caller.person == pair.subject.mentor_id else "mentee"
    trust = fold(evidence, model, at_us, Scope.OBSERVED)
    judged = trust.about_mentor if side == "mentor" else trust.about_mentee
    direction = _direction(asked, judged, int(side == "mentee"), Scope.OBSERVED)
    scores = {
        facet.name: rounded(seen.score) for facet, seen in zip(FACETS, judged.facets, strict=True)
    }
    return SelfTrust(
        pair_id=pair.subject.pair_id,
        you_are=side,
        at=from_us(at_us),
        about_you=OwnDirection(**dict(direction), facets=scores),
    )


def shared_trust(asked: Asked) -> SharedPair:
    """Both directions, from what both saw and the answers that both know."""
    pair, evidence, at_us, model = asked
    trust = fold(evidence, model, at_us, Scope.SHARED)
    return SharedPair(
        pair_id=pair.subject.pair_id,
        at=from_us(at_us),
        half_life_days=trust.half_life_days,
        gap=None if trust.gap is None else rounded(trust.gap),
        about_mentor=_direction(asked, trust.about_mentor, 0, Scope.SHARED),
        about_mentee=_direction(asked, trust.about_mentee, 1, Scope.SHARED),
    )


def _direction(asked: Asked, judged: DirectionTrust, side: int, scope: Scope) -> MemberDirection:
    why = explain(asked.evidence, asked.model, asked.at_us, side, scope)
    return MemberDirection(
        why=explained(why),
        band=judged.band,
        weakest=None if judged.weakest is None else judged.weakest.name,
        score=rounded(judged.score),
        low=rounded(judged.low),
        high=rounded(judged.high),
    )
