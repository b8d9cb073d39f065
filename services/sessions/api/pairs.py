"""Routes that only read: pairs, their history, and how far the sweeper is."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.sessions.api.cursors import read_cursor, write_cursor
from services.sessions.api.pair_shapes import (
    HistoryOut,
    PairOut,
    PairsOut,
    SweeperOut,
    history_entry,
    pair_brief,
    pair_out,
)
from services.sessions.handlers import views
from shared.asking import Reading
from shared.ids import PairId
from shared.postgres.pool import Pool

MAX_PAGE = 100


def pairs_router(pool: Pool) -> APIRouter:
    """Read a pair, its history, and the sweeper's mark."""
    router = APIRouter(tags=["pairs"])

    @router.get("/pairs")
    async def list_pairs(asked: Reading) -> PairsOut:
        """The pairs you are in."""
        found = await views.list_pairs(pool, asked.ask)
        return PairsOut(pairs=[pair_brief(pair, asked.ask.person) for pair in found])

    @router.get("/pairs/{pair}")
    async def view_pair(pair: UUID, asked: Reading) -> PairOut:
        """A pair you are in: what is agreed, what comes next, what would help."""
        view = await views.view_pair(pool, asked.ask, PairId(pair))
        return pair_out(view, asked.ask)

    @router.get("/pairs/{pair}/history")
    async def view_history(
        pair: UUID,
        asked: Reading,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        cursor: Annotated[str | None, Query(max_length=100)] = None,
    ) -> HistoryOut:
        """What happened, the newest first. `next_cursor` is null on the last page."""
        after = read_cursor(cursor)
        # One more than asked for tells whether there is a page after this one.
        found = await views.view_history(pool, asked.ask, PairId(pair), after, limit + 1)
        page = found[:limit]
        return HistoryOut(
            entries=[history_entry(entry) for entry in page],
            next_cursor=write_cursor(page[-1]) if len(found) > limit else None,
        )

    @router.get("/sweeper")
    async def sweeper() -> SweeperOut:
        """Everything due by `swept_until` has been decided. For services."""
        return SweeperOut(swept_until=await views.swept_until(pool))

    return router
