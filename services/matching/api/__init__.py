"""Matching over HTTP: parse, authorise, call one handler, render. Holds no SQL and no rule."""

from __future__ import annotations

from typing import NamedTuple

from fastapi import FastAPI

from services.matching.access import ACCESS, SCIM
from services.matching.api.asks import asks_router
from services.matching.api.door import Limit, door_router
from services.matching.api.erasures import erasures_router
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
from services.matching.receipts import Receipts
from services.matching.scim.door import ScimDoor
from services.matching.scim.rules import ScimRules
from shared.audit.api import audit_router
from shared.clock import Clock
from shared.http import new_api
from shared.postgres.pool import Pool
from shared.routing import include


class Doors(NamedTuple):
    """What settings say of how HR comes in: how fast, under which ids, with which receipts."""

    limit: Limit
    scim: ScimRules
    receipts: Receipts


def build_api(pool: Pool, clock: Clock, doors: Doors) -> FastAPI:
    """The API over these connections and this clock; HR comes in by these doors."""
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
        door_router(pool, doors.limit),
        erasures_router(pool, doors.receipts),
        audit_router(pool),
    )
    include(api, routers, access=ACCESS, prefix="/v1")
    api.mount(SCIM, ScimDoor(pool, clock, doors.scim))
    return api
