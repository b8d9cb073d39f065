"""Matching over HTTP: parse, authorise, call one handler, render. Holds no SQL and no rule."""

from __future__ import annotations

from fastapi import FastAPI

from services.matching.api.asks import asks_router
from services.matching.api.exclusions import exclusions_router
from services.matching.api.introductions import introductions_router
from services.matching.api.lessons import lessons_router
from services.matching.api.pairs import pairs_router
from services.matching.api.people import people_router
from services.matching.api.places import places_router
from services.matching.api.profiles import profiles_router
from services.matching.api.programmes import programmes_router
from services.matching.api.rankings import rankings_router
from services.matching.api.rematch import rematch_router
from services.matching.api.runs import runs_router
from services.matching.api.shortlists import shortlists_router
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
        profiles_router(pool),
        programmes_router(pool),
        lessons_router(pool),
        exclusions_router(pool),
        runs_router(pool),
        pairs_router(pool),
        shortlists_router(pool),
        asks_router(pool),
        rankings_router(pool),
        rematch_router(pool),
        places_router(pool),
        introductions_router(pool),
    )
    include(api, routers, prefix="/v1")
    return api
