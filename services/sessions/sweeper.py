"""The sweeper: decides what only time decides. Time is its argument; it holds no state of its own.

One instance at a time in the whole network, in bounded batches, each one transaction: killed at any
point, it goes on from what was committed. What it publishes depends on when things were due, never
on when it ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.domain.thing import replies
from services.sessions.handlers.common import announce
from services.sessions.handlers.kinds import KINDS
from services.sessions.handlers.outages import give_back
from services.sessions.queries import sweeps
from shared.once import REMEMBERED
from shared.postgres import requests
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import act_for_all

BATCH_PAIRS = 200
FORGET_REQUESTS = 1_000
_TABLES = tuple(kind.kept.SWEPT for kind in KINDS)


async def sweep(
    pool: Pool,
    now: datetime,
    batch_pairs: int = BATCH_PAIRS,
    *,
    outage_after: timedelta | None = None,
) -> int:
    """Decide what was due by `now` in at most `batch_pairs` pairs; how many things were decided.

    Returns 0 when nothing is due, or when another instance is sweeping. When no sweeper has run for
    longer than `outage_after`, nothing is decided before everything has its time back.
    """
    async with pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        if not await sweeps.take_turn(conn):
            return 0
        if outage_after is not None:
            given = await give_back(conn, now, outage_after, batch_pairs)
            if given is not None:
                return given
        due = await sweeps.lock_due_pairs(conn, _TABLES, now, batch_pairs)
        decided = await _close(conn, due, now) if due else 0
        await requests.forget(conn, now - REMEMBERED, FORGET_REQUESTS)
        # Looked up after the batch: a pair that was in use, and so passed over, is still due.
        if not await sweeps.is_due(conn, _TABLES, now):
            await sweeps.mark(conn, now)
        return decided


async def _close(conn: Connection, due: Sequence[Pair], now: datetime) -> int:
    pairs = {(pair.tenant, pair.pair_id): pair for pair in due}
    # Sorted as a sweeper that is never late would have decided them, the id breaking ties.
    decided: list[tuple[datetime, UUID, tuple[Happened, ...]]] = []
    for kind in KINDS:
        closed = []
        for thing in await sweeps.due(conn, kind.kept.SWEPT, due, now):
            pair = pairs[thing.tenant, thing.pair_id]
            after, happened = kind.close(pair, thing)
            told = (*happened, *replies(pair, thing, after, thing.sweep_at))
            decided.append((thing.sweep_at, thing.id, told))
            closed.append(replace(after, revision=thing.revision + 1))
        await kind.kept.save(conn, closed)
    decided.sort(key=lambda each: each[:2])
    await announce(conn, (each for _, _, happened in decided for each in happened))
    return len(decided)
