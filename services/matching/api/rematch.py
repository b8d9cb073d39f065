"""The route by which either side of a pair asks for a new match. It keeps nobody's name."""

from __future__ import annotations

from fastapi import APIRouter

from services.matching import views
from services.matching.api.common import names_of, trust_of
from services.matching.handlers import rematch as commands
from services.matching.handlers.common import actor
from shared.asking import Asked
from shared.ids import PairId
from shared.postgres.pool import Pool


def rematch_router(pool: Pool) -> APIRouter:
    """Asking for a new match."""
    router = APIRouter(prefix="/pairs", tags=["pairs"])

    @router.post("/{pair_id}/rematch")
    async def rematch(asked: Asked, pair_id: PairId) -> views.PairDetail:
        """End the pair, so that both of you can be matched anew, with somebody else.

        Nobody is told which of you asked, or why: it is not kept. Asking again changes nothing.
        """
        ask = asked.ask
        pair = await commands.rematch(pool, ask, pair_id)
        names, known = await names_of(pool, ask, [pair]), await trust_of(pool, ask, pair)
        return asked.answer(lambda it: views.pair_detail(it, actor(ask), names, known), pair)

    return router
