"""The route of a run that is answered at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from services.matching import views
from services.matching.api.common import ProgrammeName, names_of
from services.matching.handlers import matches
from services.matching.handlers.common import actor
from shared.asking import Asked
from shared.postgres.pool import Pool
from shared.shapes import Body

MAX_PROPOSALS = 1_000


class MatchRequest(Body):
    """Ask for proposals for everybody who has no mentor yet."""

    programme_id: ProgrammeName
    limit: Annotated[int, Field(ge=1, le=MAX_PROPOSALS)] = MAX_PROPOSALS


def matches_router(pool: Pool) -> APIRouter:
    """Runs that are answered at once."""
    router = APIRouter(tags=["matches"])

    @router.post("/matches")
    async def run_matching(asked: Asked, body: MatchRequest) -> views.MatchesView:
        """Propose a mentor to every mentee who has none; pairs that are open stay as they are."""
        asked.caller.require("manager")
        ask = asked.ask
        run = matches.Run(ask.tenant, body.programme_id, body.limit)
        result = await matches.run_matching(pool, run, ask.now)
        names = await names_of(pool, ask, result.pairs)
        return views.MatchesView(
            proposed=tuple(views.pair_view(pair, actor(ask), names) for pair in result.pairs),
            unmatched=tuple(views.unmatched_view(one) for one in result.unmatched),
        )

    return router
