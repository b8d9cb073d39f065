"""Insights over HTTP: the trust of a pair, as much as the caller may see. No SQL, no rules."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import FastAPI, Query, Response
from pydantic import AwareDatetime

from services.insights import views
from services.insights.views import ForManager, ForMember, ForService, TrustPage
from shared.clock import Clock
from shared.http import Authenticated, new_api
from shared.ids import PairId
from shared.postgres.pool import Pool

MAX_PAGE = 200


def build_api(pool: Pool, clock: Clock) -> FastAPI:
    """The service's routes. What is returned is personal: nobody on the way may keep it."""
    app = new_api("insights", "What the facts say about trust, and who may see it")

    @app.get("/v1/pairs/{pair_id}/trust")
    async def pair_trust(
        pair_id: UUID,
        caller: Authenticated,
        response: Response,
        at: Annotated[AwareDatetime | None, Query(description="as of this past instant")] = None,
    ) -> ForService | ForManager | ForMember:
        """One pair, now or as of a past instant."""
        response.headers["Cache-Control"] = "no-store"
        caller.require("participant", "manager", "service")
        now = clock.now()
        return await views.pair_trust(pool, caller, PairId(pair_id), at or now, now)

    @app.get("/v1/trust")
    async def all_trust(
        caller: Authenticated,
        response: Response,
        after: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    ) -> TrustPage:
        """Every pair of the tenant that has evidence, each as of its newest."""
        response.headers["Cache-Control"] = "no-store"
        caller.require("service")
        return await views.trust_page(pool, caller.tenant, PairId(after) if after else None, limit)

    return app
