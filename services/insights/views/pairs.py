"""A pair's trust with everything in it, and every pair of a tenant: for services alone."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from services.insights import bulk
from services.insights.domain import projections
from services.insights.domain.evidence import from_us
from services.insights.domain.explain import explain
from services.insights.domain.trust import DirectionTrust, fold
from services.insights.domain.weights import Scope
from services.insights.queries import pairs
from services.insights.queries.pairs import Status
from services.insights.views.asked import Asked
from services.insights.views.why import Explained, explained
from shared.events import insights as wire
from shared.ids import PairId, TenantId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for


class ServiceDirection(wire.DirectionTrust):
    """One direction with everything in it, and why."""

    why: Explained


class ForService(BaseModel):
    """A pair's trust with everything in it: never to be shown to a person as it is."""

    view: Literal["service"] = "service"
    pair_id: UUID
    mentor_id: str
    mentee_id: str
    model: str
    at: AwareDatetime
    as_of: AwareDatetime | None
    half_life_days: float
    health: float
    gap: float | None
    about_mentor: ServiceDirection
    about_mentee: ServiceDirection


class TrustItem(BaseModel):
    """A pair and its newest trust, exactly as it is published."""

    programme_id: str | None
    status: Status
    trust: wire.TrustChanged


class TrustPage(BaseModel):
    """Pairs in the order of their ids; `next` is the `after` of the next page, if there is one."""

    items: list[TrustItem]
    next: UUID | None


def for_service(asked: Asked) -> ForService:
    """Everything, private evidence included."""
    pair, evidence, at_us, model = asked
    trust = fold(evidence, model, at_us)
    seen = [item.at_us for item in evidence if item.at_us <= at_us]

    def direction(judged: DirectionTrust, side: int) -> ServiceDirection:
        why = explained(explain(evidence, model, at_us, side, Scope.EVERYTHING))
        return ServiceDirection(**projections.full(judged), why=why)

    return ForService(
        pair_id=pair.subject.pair_id,
        mentor_id=pair.subject.mentor_id,
        mentee_id=pair.subject.mentee_id,
        model=model.name,
        at=from_us(at_us),
        as_of=from_us(max(seen)) if seen else None,
        half_life_days=trust.half_life_days,
        health=projections.rounded(trust.health),
        gap=None if trust.gap is None else projections.rounded(trust.gap),
        about_mentor=direction(trust.about_mentor, 0),
        about_mentee=direction(trust.about_mentee, 1),
    )


async def trust_page(pool: Pool, tenant: TenantId, after: PairId | None, limit: int) -> TrustPage:
    """Pairs of a tenant with their newest trust, after the pair `after`."""
    async with reading_for(pool, tenant) as conn:
        rows = await pairs.pairs_page(conn, tenant, after, limit + 1)
        found = await bulk.states_of(conn, rows[:limit])
        # A pair of which nothing but a leave is known has no trust to show.
        found = [(pair, state) for pair, state in found if state.newest() is not None]
        facts = await bulk.trust_changed(conn, found)
    items = [
        TrustItem(programme_id=pair.programme_id, status=pair.status, trust=fact)
        for (pair, _), fact in zip(found, facts, strict=True)
    ]
    last = rows[:limit][-1].subject.pair_id if len(rows) > limit else None
    return TrustPage(items=items, next=last)
