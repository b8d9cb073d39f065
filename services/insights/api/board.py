"""Routes of a programme's board: for its managers, who may see each of its pairs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from services.insights.views import board
from services.insights.views.board import MOST_DAYS, BoardPage, Overview
from shared.clock import Clock
from shared.events.fact import OPAQUE
from shared.events.insights import Band
from shared.http import Authenticated
from shared.ids import PersonId, ProgrammeId
from shared.postgres.pool import Pool

MAX_PAGE = 200
MAX_CURSOR = 64

ProgrammePath = Annotated[str, Path(pattern=OPAQUE.pattern)]


class Which(BaseModel):
    """Which running pairs are asked for."""

    band: Annotated[Band | None, Query(description="only pairs of this band")] = None
    person: Annotated[
        str | None, Query(pattern=OPAQUE.pattern, description="only pairs of this person")
    ] = None
    after: Annotated[
        str | None, Query(max_length=MAX_CURSOR, description="`next` of the page before")
    ] = None
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50


def build_router(pool: Pool, clock: Clock) -> APIRouter:
    """The routes of the board, under /v1/programmes."""
    router = APIRouter()

    @router.get("/v1/programmes/{programme_id}/overview")
    async def overview(
        programme_id: ProgrammePath,
        caller: Authenticated,
        days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="how far back")] = 183,
    ) -> Overview:
        """How many pairs are how, how many people came how far, and what got repaired."""
        of = (caller.tenant, ProgrammeId(programme_id))
        return await board.overview(pool, of, clock.now(), days)

    @router.get("/v1/programmes/{programme_id}/pairs")
    async def programme_pairs(
        programme_id: ProgrammePath, caller: Authenticated, which: Annotated[Which, Query()]
    ) -> BoardPage:
        """Running pairs, those that need help most first, each with why and what would help."""
        person = PersonId(which.person) if which.person else None
        wanted = board.Which(which.band, person, which.after)
        of = (caller.tenant, ProgrammeId(programme_id))
        return await board.pairs_page(pool, of, wanted, which.limit)

    return router
