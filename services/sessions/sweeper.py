"""The sweeper: decides what only time decides. Time is its argument; it holds no state of its own.

One instance at a time in the whole network, in bounded batches, each one transaction: killed at any
point, it goes on from what was committed. What it publishes depends on when things were due, never
on when it ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.sessions.domain import commitment as commitment_rules
from services.sessions.domain import session as session_rules
from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.handlers.common import announce
from services.sessions.handlers.once import REMEMBERED
from services.sessions.queries import commitments, requests, sessions, sweeps
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import act_for_all

BATCH_PAIRS = 200
FORGET_REQUESTS = 1_000


async def sweep(pool: Pool, now: datetime, batch_pairs: int = BATCH_PAIRS) -> int:
    """Decide what was due by `now` in at most `batch_pairs` pairs; how many things were decided.

    Returns 0 when nothing is due, or when another instance is sweeping.
    """
    async with pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        if not await sweeps.take_turn(conn):
            return 0
        due = await sweeps.lock_due_pairs(conn, now, batch_pairs)
        decided = await _close(conn, due, now) if due else 0
        await requests.forget(conn, now - REMEMBERED, FORGET_REQUESTS)
        # Looked up after the batch: a pair that was in use, and so passed over, is still due.
        if not await sweeps.is_due(conn, now):
            await sweeps.mark(conn, now)
        return decided


async def _close(conn: Connection, due: Sequence[Pair], now: datetime) -> int:
    pairs = {(pair.tenant, pair.pair_id): pair for pair in due}
    # Sorted as a sweeper that is never late would have decided them, the id breaking ties.
    decided: list[tuple[datetime, UUID, tuple[Happened, ...]]] = []
    closed_sessions = []
    for session in await sweeps.due_sessions(conn, due, now):
        pair = pairs[session.tenant, session.pair_id]
        closed, happened = session_rules.close(pair, session)
        closed_sessions.append(closed)
        decided.append((session.sweep_at, session.session_id, happened))
    closed_commitments = []
    for commitment in await sweeps.due_commitments(conn, due, now):
        pair = pairs[commitment.tenant, commitment.pair_id]
        ended, happened = commitment_rules.close(pair, commitment)
        closed_commitments.append(ended)
        decided.append((commitment.sweep_at, commitment.commitment_id, happened))
    await sessions.save(conn, closed_sessions)
    await commitments.save(conn, closed_commitments)
    decided.sort(key=lambda each: each[:2])
    await announce(conn, (each for _, _, happened in decided for each in happened))
    return len(decided)
