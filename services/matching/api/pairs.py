"""Routes on pairs. Participants see their own; managers and services those of their tenant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from fastapi import APIRouter

from services.matching import views
from services.matching.api.common import DEFAULT_PAGE, Limit, names_of, trust_of
from services.matching.domain.pair import EndReason, Pair, State, by_now, check_visible
from services.matching.handlers import pairs as commands
from services.matching.handlers.common import actor
from services.matching.queries import pairs
from services.matching.queries.pairs import PairFilter
from shared.asking import Ask, Asked, Asking, Reading
from shared.errors import NotFound
from shared.ids import PairId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for
from shared.shapes import Body

Say: TypeAlias = Callable[[Pool, Ask, PairId], Awaitable[Pair]]

# What is said without another word, and what the API says of it.
_PLAIN: Mapping[str, tuple[Say, str]] = {
    "accept": (commands.accept, "Say yes. The pair is accepted with the second yes."),
    "decline": (commands.decline, "Say no before the pair has started. Nobody is asked why."),
    "withdraw": (commands.take_back, "Take your own ask back, before it is answered."),
    "start": (commands.start, "Begin, once both have said yes."),
}


class EndRequest(Body):
    """End a pair that is running. No reason blames anybody."""

    reason: EndReason


def pairs_router(pool: Pool) -> APIRouter:
    """Reading pairs, and what is said about one."""
    router = APIRouter(prefix="/pairs", tags=["pairs"])
    _read(router, pool)
    for verb, (say, words) in _PLAIN.items():
        _plain(router, pool, verb, say, words)

    @router.post("/{pair_id}/end")
    async def end(asked: Asked, pair_id: PairId, body: EndRequest) -> views.PairDetail:
        """End a pair that is running."""
        pair = await commands.end(pool, asked.ask, pair_id, body.reason)
        return await _detail(pool, asked, pair)

    return router


def _read(router: APIRouter, pool: Pool) -> None:
    @router.get("")
    async def list_pairs(
        asked: Reading,
        state: State | None = None,
        limit: Limit = DEFAULT_PAGE,
        cursor: PairId | None = None,
    ) -> views.PairPage:
        """Pairs, newest first: a participant's own, or all of the tenant's."""
        ask = asked.ask
        chosen = PairFilter(ask.now, None if actor(ask).oversees else ask.person, state)
        async with reading_for(pool, ask.tenant) as conn:
            # One more than asked for tells whether there is a next page.
            more = await pairs.page(conn, ask.tenant, chosen, cursor, limit + 1)
        found = more[:limit]
        names = await names_of(pool, ask, found)
        return views.PairPage(
            pairs=tuple(
                views.pair_view(by_now(pair, ask.now), actor(ask), names) for pair in found
            ),
            next_cursor=found[-1].pair_id if len(more) > limit else None,
        )

    @router.get("/{pair_id}")
    async def get_pair(asked: Reading, pair_id: PairId) -> views.PairDetail:
        """One pair, why it was proposed, and what would help it now."""
        async with reading_for(pool, asked.ask.tenant) as conn:
            pair = await pairs.find(conn, asked.ask.tenant, pair_id)
        if pair is None:
            raise NotFound
        check_visible(pair, actor(asked.ask))
        return await _detail(pool, asked, pair)


def _plain(router: APIRouter, pool: Pool, verb: str, say: Say, words: str) -> None:
    @router.post(f"/{{pair_id}}/{verb}", name=f"pair_{verb}", description=words)
    async def said(asked: Asked, pair_id: PairId) -> views.PairDetail:
        return await _detail(pool, asked, await say(pool, asked.ask, pair_id))


async def _detail(pool: Pool, asked: Asking, pair: Pair) -> views.PairDetail:
    names = await names_of(pool, asked.ask, [pair])
    known = await trust_of(pool, asked.ask, pair)
    # A retry gets the pair as it is now, and time may have closed it since.
    pair = by_now(pair, asked.ask.now)
    return asked.answer(lambda it: views.pair_detail(it, actor(asked.ask), names, known), pair)
