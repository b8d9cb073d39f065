"""The sweeper: writes down what only time decides. Time is its argument; it holds no state.

One instance at a time in the whole network, in bounded batches, each one transaction: killed at any
point, it goes on from what was committed. What it publishes depends on when things were over, never
on when it ran.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeAlias

from services.matching.handlers import erasures, introductions, load, rankings
from services.matching.handlers.expiry import expire_due
from services.matching.queries import sweeps, waits
from shared.once import REMEMBERED
from shared.postgres import requests
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import act_for_all

BATCH = 200
FORGET_REQUESTS = 1_000

# Does at most `limit` of what was due at an instant, of all tenants; how many.
Step: TypeAlias = Callable[[Connection, datetime, int], Awaitable[int]]
STEPS: tuple[Step, ...] = (
    expire_due,
    introductions.lapse_due,
    rankings.close_due,
    rankings.tell_closed,
    erasures.settle_due,
)
# Nobody waits for these: what is left over goes next time.
FORGET: tuple[Step, ...] = (load.forget, waits.forget)


async def sweep(pool: Pool, now: datetime, batch: int = BATCH) -> int:
    """Decide what was due by `now`, at most `batch` things of a kind; how many were decided.

    Returns 0 when nothing is due, or when another instance is sweeping.
    """
    async with pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        if not await sweeps.take_turn(conn):
            return 0
        decided = 0
        for step in STEPS:
            decided += await step(conn, now, batch)
        for step in FORGET:
            await step(conn, now, batch)
        await requests.forget(conn, now - REMEMBERED, FORGET_REQUESTS)
        return decided
