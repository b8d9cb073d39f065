"""Insights over HTTP. Each file holds the routes of one part; no SQL, no rules."""

from __future__ import annotations

from fastapi import FastAPI

from services.insights.access import ACCESS
from services.insights.api import (
    alerts,
    board,
    exports,
    models,
    pages,
    pairs,
    programmes,
    sign_in,
    stream,
)
from services.insights.api.examples import show
from services.insights.api.fresh import FreshAnswers
from services.insights.freshness import Freshness
from services.insights.page_files import Page
from services.insights.signing_in import Providers
from services.insights.streams.live import Live
from shared.audit.api import audit_router
from shared.clock import Clock
from shared.http import EntityTags, new_api
from shared.postgres.pool import Pool
from shared.routing import include


def build_api(
    pool: Pool, clock: Clock, live: Live, freshness: Freshness, page: Page, providers: Providers
) -> FastAPI:
    """The service's routes. What is about a pair is personal: nobody on the way may keep it."""
    app = new_api("insights", "What the facts say about trust, and who may see it")
    routers = (
        pairs.build_router(pool, clock),
        programmes.build_router(pool),
        board.build_router(pool, clock),
        exports.build_router(pool),
        alerts.build_router(pool),
        models.build_router(pool, clock),
        stream.build_router(pool, live),
        audit_router(pool, "/v1"),
        pages.build_router(page),
        sign_in.build_router(providers),
    )
    include(app, routers, access=ACCESS)
    show(app)
    app.add_middleware(EntityTags)
    app.add_middleware(FreshAnswers, freshness=freshness)
    return app
