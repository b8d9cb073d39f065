"""Routes about one pair: four projections, each with its own shape, and the series for a chart."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.insights.domain.evidence import to_us
from services.insights.views import asked, pairs
from services.insights.views.asked import Asked, Question
from services.insights.views.history import MAX_POINTS, History, history
from services.insights.views.managed import ForManager, managed_trust
from services.insights.views.members import SelfTrust, SharedPair, own_trust, shared_trust
from services.insights.views.pairs import ForService, TrustPage
from services.insights.views.timeline import MOST, Timeline, timeline
from shared.clock import Clock
from shared.errors import Rejected
from shared.http import Authenticated, Caller
from shared.ids import PairId
from shared.postgres.pool import Pool
from shared.shapes import Instant

MAX_PAGE = 200
DEFAULT_POINTS = 60

At = Annotated[Instant | None, Query(description="as of this past instant")]
Version = Annotated[str | None, Query(description="under this version of the model", max_length=64)]


def build_router(pool: Pool, clock: Clock) -> APIRouter:
    """The routes under /v1/pairs and /v1/trust."""
    router = APIRouter()
    ask = _Ask(pool, clock)
    _for_services(router, pool, ask)
    _for_people(router, ask)
    _over_time(router, ask)
    return router


class _Ask:
    """Who may ask what about a pair."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def __call__(
        self, caller: Caller, pair_id: UUID, at: datetime | None, model: str | None = None
    ) -> Asked:
        question = Question(PairId(pair_id), at, self._clock.now(), model)
        return await asked.ask(self._pool, caller, question)


def _for_services(router: APIRouter, pool: Pool, ask: _Ask) -> None:
    @router.get("/v1/pairs/{pair_id}/trust")
    async def pair_trust(
        pair_id: UUID, caller: Authenticated, at: At = None, model: Version = None
    ) -> ForService:
        """Everything about one pair, now or as of a past instant; never for a person as it is."""
        return pairs.for_service(await ask(caller, pair_id, at, model))

    @router.get("/v1/trust")
    async def all_trust(
        caller: Authenticated,
        after: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    ) -> TrustPage:
        """Every pair of the tenant that has evidence, each as of its newest."""
        return await pairs.trust_page(pool, caller.tenant, PairId(after) if after else None, limit)


def _for_people(router: APIRouter, ask: _Ask) -> None:
    @router.get("/v1/pairs/{pair_id}/trust/self")
    async def own(pair_id: UUID, caller: Authenticated, at: At = None) -> SelfTrust:
        """How your own behaviour stands in this pair, with reasons."""
        return own_trust(await ask(caller, pair_id, at), caller)

    @router.get("/v1/pairs/{pair_id}/trust/shared")
    async def shared(pair_id: UUID, caller: Authenticated, at: At = None) -> SharedPair:
        """Both directions as the two members may see them."""
        return shared_trust(await ask(caller, pair_id, at))

    @router.get("/v1/pairs/{pair_id}/trust/managed")
    async def managed(pair_id: UUID, caller: Authenticated, at: At = None) -> ForManager:
        """Bands and reasons, for the manager of a programme."""
        return managed_trust(await ask(caller, pair_id, at))


def _over_time(router: APIRouter, ask: _Ask) -> None:
    @router.get("/v1/pairs/{pair_id}/timeline")
    async def what_happened(
        pair_id: UUID,
        caller: Authenticated,
        at: At = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    ) -> Timeline:
        """What both sides saw happen, newest first."""
        return timeline(await ask(caller, pair_id, at), limit, caller.role)

    @router.get("/v1/pairs/{pair_id}/trust/history")
    async def series(
        pair_id: UUID,
        caller: Authenticated,
        since: Annotated[Instant | None, Query(description="first point")] = None,
        until: Annotated[Instant | None, Query(description="last point, else now")] = None,
        points: Annotated[int, Query(ge=1, le=MAX_POINTS)] = DEFAULT_POINTS,
        model: Version = None,
    ) -> History:
        """The trust of a pair over time, as the caller may see it; from its beginning, else."""
        if model is not None:
            caller.require("service")
        found = await ask(caller, pair_id, until, model)
        began_us = asked.beginning_us(found.pair, caller, found.evidence)
        assert began_us is not None
        first_us = max(began_us, to_us(since)) if since else began_us
        if first_us > found.at_us:
            raise Rejected("since lies after until", field="since")
        # A fold for each point: the event loop has other callers to answer.
        return await asyncio.to_thread(history, found, first_us, points, caller.role)
