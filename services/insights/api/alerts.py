"""Routes about alerts: what is open, for those who may help."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from services.insights.views.alerts import AlertPage, alert_page
from shared.http import Authenticated
from shared.postgres.pool import Pool

MAX_PAGE = 200


def build_router(pool: Pool) -> APIRouter:
    """The routes under /v1/alerts."""
    router = APIRouter()

    @router.get("/v1/alerts")
    async def open_alerts(
        caller: Authenticated,
        programme: Annotated[str | None, Query(max_length=64)] = None,
        after: Annotated[str | None, Query(description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    ) -> AlertPage:
        """Alerts that are open, each with its reasons and the one thing to suggest."""
        return await alert_page(pool, caller.tenant, after, programme, limit)

    return router
