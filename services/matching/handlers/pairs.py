"""Commands on pairs. Each is one transaction; no SQL and no rule stands here."""

from __future__ import annotations

from services.matching.domain import pair as life
from services.matching.domain.pair import Pair
from services.matching.handlers.commands import change
from services.matching.handlers.common import actor
from services.matching.queries import pairs
from shared.asking import Ask
from shared.ids import PairId
from shared.postgres.pool import Pool


async def accept(pool: Pool, ask: Ask, pair_id: PairId) -> Pair:
    """A member says yes. Raises NotFound, Forbidden or MovedOn; so do the next four."""
    return await change(
        pool, ask, pairs, pair_id, ("accept",), lambda _, it: life.accept(it, actor(ask), ask.now)
    )


async def decline(pool: Pool, ask: Ask, pair_id: PairId) -> Pair:
    """A member says no. No reason is asked for and none is kept."""
    return await change(
        pool, ask, pairs, pair_id, ("decline",), lambda _, it: life.decline(it, actor(ask), ask.now)
    )


async def take_back(pool: Pool, ask: Ask, pair_id: PairId) -> Pair:
    """Who asked takes the ask back, before it is answered."""
    return await change(
        pool,
        ask,
        pairs,
        pair_id,
        ("withdraw",),
        lambda _, it: life.take_back(it, actor(ask), ask.now),
    )


async def start(pool: Pool, ask: Ask, pair_id: PairId) -> Pair:
    """The pair begins, once both said yes."""
    return await change(
        pool, ask, pairs, pair_id, ("start",), lambda _, it: life.start(it, actor(ask), ask.now)
    )


async def end(pool: Pool, ask: Ask, pair_id: PairId, reason: str) -> Pair:
    """The pair comes to its end."""
    return await change(
        pool,
        ask,
        pairs,
        pair_id,
        ("end", reason),
        lambda _, it: life.end(it, actor(ask), ask.now, reason),
    )
