"""What each reader gets to see of a pair's trust, as answers of the API. Reads only.

Members and managers see what observable evidence says, and nothing that a private answer moved.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from services.insights import bulk, queries
from services.insights.domain import projections
from services.insights.domain.evidence import Evidence, from_us, to_us
from services.insights.domain.explain import Explanation, Reason, explain
from services.insights.domain.trust import DirectionTrust, fold
from services.insights.domain.weights import Scope
from services.insights.handlers import MODEL
from services.insights.queries import PairRow, Status
from shared.errors import NotFound, Rejected
from shared.events import insights as wire
from shared.http import Caller
from shared.ids import PairId, TenantId
from shared.postgres.pool import Pool

MENTOR, MENTEE = 0, 1


class InTheFuture(Rejected):
    """Trust can be asked for as of now or of a past instant."""

    slug = "in-the-future"


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


class MemberDirection(BaseModel):
    """One direction as the pair may see it."""

    score: float
    low: float
    high: float
    band: wire.Band
    weakest: wire.Facet | None
    why: Explained


class ForMember(BaseModel):
    """A pair's trust for its two members: both directions, from what both saw happen."""

    view: Literal["member"] = "member"
    pair_id: UUID
    you_are: Literal["mentor", "mentee"]
    at: AwareDatetime
    about_mentor: MemberDirection
    about_mentee: MemberDirection


class ManagerDirection(BaseModel):
    """One direction as a programme manager may see it: a band, and codes of what both saw."""

    band: wire.Band
    reasons: list[str]


class ForManager(BaseModel):
    """A pair's trust for a programme manager."""

    view: Literal["manager"] = "manager"
    pair_id: UUID
    at: AwareDatetime
    about_mentor: ManagerDirection
    about_mentee: ManagerDirection


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


async def pair_trust(
    pool: Pool, caller: Caller, pair_id: PairId, at: datetime, now: datetime
) -> ForService | ForManager | ForMember:
    """One pair at an instant, for this caller. Raises NotFound or InTheFuture."""
    if at > now:
        raise InTheFuture(field="at")
    async with pool.acquire() as conn:
        pair = await queries.find_pair(conn, caller.tenant, pair_id)
        if pair is None or not _may_see(caller, pair):
            raise NotFound("there is no such pair")
        evidence = (await queries.evidence_of(conn, [pair.key]))[pair.key]
    at_us = to_us(at)
    if caller.role == "service":
        return _for_service(pair, evidence, at_us)
    if caller.role == "manager":
        return _for_manager(pair, evidence, at_us)
    return _for_member(pair, evidence, at_us, caller)


def _may_see(caller: Caller, pair: PairRow) -> bool:
    members = (pair.subject.mentor_id, pair.subject.mentee_id)
    return caller.role != "participant" or caller.person in members


async def trust_page(pool: Pool, tenant: TenantId, after: PairId | None, limit: int) -> TrustPage:
    """Pairs of a tenant with their newest trust, after the pair `after`."""
    async with (
        pool.acquire() as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        rows = await queries.pairs_page(conn, tenant, after, limit + 1)
        found = await bulk.states_of(conn, rows[:limit], MODEL)
        facts = await bulk.trust_changed(conn, found)
    items = [
        TrustItem(programme_id=pair.programme_id, status=pair.status, trust=fact)
        for (pair, _), fact in zip(found, facts, strict=True)
    ]
    return TrustPage(items=items, next=items[-1].trust.pair_id if len(rows) > limit else None)


def _for_service(pair: PairRow, evidence: list[Evidence], at_us: int) -> ForService:
    trust = fold(evidence, MODEL, at_us)
    seen = [item.at_us for item in evidence if item.at_us <= at_us]

    def direction(judged: DirectionTrust, side: int) -> ServiceDirection:
        why = _explained(explain(evidence, MODEL, at_us, side, Scope.EVERYTHING))
        return ServiceDirection(**projections.full(judged).model_dump(), why=why)

    return ForService(
        pair_id=pair.subject.pair_id,
        mentor_id=pair.subject.mentor_id,
        mentee_id=pair.subject.mentee_id,
        model=MODEL.name,
        at=from_us(at_us),
        as_of=from_us(max(seen)) if seen else None,
        half_life_days=trust.half_life_days,
        health=projections.rounded(trust.health),
        gap=None if trust.gap is None else projections.rounded(trust.gap),
        about_mentor=direction(trust.about_mentor, MENTOR),
        about_mentee=direction(trust.about_mentee, MENTEE),
    )


def _for_manager(pair: PairRow, evidence: list[Evidence], at_us: int) -> ForManager:
    trust = fold(evidence, MODEL, at_us, Scope.OBSERVABLE)

    def direction(judged: DirectionTrust, side: int) -> ManagerDirection:
        why = explain(evidence, MODEL, at_us, side)
        codes = dict.fromkeys(reason.code for reason in (*why.down, *why.up))
        return ManagerDirection(band=judged.band, reasons=list(codes))

    return ForManager(
        pair_id=pair.subject.pair_id,
        at=from_us(at_us),
        about_mentor=direction(trust.about_mentor, MENTOR),
        about_mentee=direction(trust.about_mentee, MENTEE),
    )


def _for_member(pair: PairRow, evidence: list[Evidence], at_us: int, caller: Caller) -> ForMember:
    trust = fold(evidence, MODEL, at_us, Scope.OBSERVABLE)

    def direction(judged: DirectionTrust, side: int) -> MemberDirection:
        return MemberDirection(
            score=projections.rounded(judged.score),
            low=projections.rounded(judged.low),
            high=projections.rounded(judged.high),
            band=judged.band,
            weakest=None if judged.weakest is None else judged.weakest.name,
            why=_explained(explain(evidence, MODEL, at_us, side)),
        )

    return ForMember(
        pair_id=pair.subject.pair_id,
        you_are="mentor" if caller.person == pair.subject.mentor_id else "mentee",
        at=from_us(at_us),
        about_mentor=direction(trust.about_mentor, MENTOR),
        about_mentee=direction(trust.about_mentee, MENTEE),
    )


def _explained(why: Explanation) -> Explained:
    fading, step = why.fading, why.next_step
    return Explained(
        up=[_reason(reason) for reason in why.up],
        down=[_reason(reason) for reason in why.down],
        fading=fading
        and SeenFading(facet=fading.facet.name, per_day=projections.rounded(fading.per_day)),
        next_step=step and SeenStep(code=step.code, score=projections.rounded(step.score)),
    )


def _reason(reason: Reason) -> SeenReason:
    return SeenReason(
        code=reason.code,
        facet=reason.facet.name,
        delta=projections.rounded(reason.delta),
        event_id=reason.event_id,
    )
