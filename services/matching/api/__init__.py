"""Matching over HTTP: parse, authorise, call one handler, render. Holds no SQL and no rule."""

from __future__ import annotations

from fastapi import FastAPI

from services.matching.api.matches import matches_router
from services.matching.api.pairs import pairs_router
from services.matching.api.people import people_router
from services.matching.api.programmes import programmes_router
from shared.clock import Clock
from shared.http import new_api
from shared.postgres.pool import Pool
from shared.routing import include


def build_api(pool: Pool, clock: Clock) -> FastAPI:
    """The API over these connections and this clock."""
    api = new_api("matching", "People, programmes, fair proposals, and the life of a pair.")
    api.state.clock = clock
    routers = (
        people_router(pool),
        programmes_router(pool),
        matches_router(pool),
        pairs_router(pool),
    )
    include(api, routers, prefix="/v1")
    return api
