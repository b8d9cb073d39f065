"""Statements of the sweeper: who sweeps, what is due, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.sessions.domain.commitment import Commitment
from services.sessions.domain.pair import Pair
from services.sessions.domain.session import Session
from services.sessions.queries.commitments import commitment_of
from services.sessions.queries.pairs import COLUMNS, JOIN_MEMBERS, pair_of
from services.sessions.queries.sessions import session_of
from shared.postgres.pool import Connection

# Advisory locks are the whole database's; the schema's name tells ours from a neighbour's.
_TAKE_TURN = "SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || '.sweeper', 0))"
# SKIP LOCKED: the sweeper holds many pairs at once, so it never waits for one. A pair that is in
# use is still due at the next round.
_LOCK_DUE_PAIRS = f"""
    WITH due AS (
        (SELECT tenant, pair_id, sweep_at FROM commitment
         WHERE state = 'open' AND sweep_at <= $1 ORDER BY sweep_at LIMIT $2)
        UNION ALL
        (SELECT tenant, pair_id, sweep_at FROM session
         WHERE state = 'scheduled' AND sweep_at <= $1 ORDER BY sweep_at LIMIT $2)
    ), first AS (
        SELECT tenant, pair_id, min(sweep_at) AS sweep_at FROM due GROUP BY tenant, pair_id
        ORDER BY 3 LIMIT $2
    )
    SELECT {COLUMNS} FROM pair JOIN first USING (tenant, pair_id) {JOIN_MEMBERS}
    ORDER BY first.sweep_at FOR UPDATE OF pair SKIP LOCKED
"""
_DUE_COMMITMENTS = """
    SELECT commitment.* FROM commitment
    JOIN unnest($1::text[], $2::uuid[]) AS held(tenant, pair_id) USING (tenant, pair_id)
    WHERE state = 'open' AND sweep_at <= $3
"""
_DUE_SESSIONS = """
    SELECT session.* FROM session
    JOIN unnest($1::text[], $2::uuid[]) AS held(tenant, pair_id) USING (tenant, pair_id)
    WHERE state = 'scheduled' AND sweep_at <= $3
"""
_IS_DUE = """
    SELECT EXISTS (SELECT FROM commitment WHERE state = 'open' AND sweep_at <= $1)
        OR EXISTS (SELECT FROM session WHERE state = 'scheduled' AND sweep_at <= $1)
"""
_MARK = """
    INSERT INTO sweep_mark (swept_until) VALUES ($1)
    ON CONFLICT (only_row) DO UPDATE
    SET swept_until = greatest(sweep_mark.swept_until, excluded.swept_until)
"""
_SWEPT_UNTIL = "SELECT swept_until FROM sweep_mark"


async def take_turn(conn: Connection) -> bool:
    """Whether this transaction is the network's one sweeper; given back when it ends."""
    mine: bool = await conn.fetchval(_TAKE_TURN)
    return mine


async def lock_due_pairs(conn: Connection, now: datetime, limit: int) -> Sequence[Pair]:
    """At most `limit` pairs with something due, the longest due first, held until the end."""
    return [pair_of(row) for row in await conn.fetch(_LOCK_DUE_PAIRS, now, limit)]


async def due_commitments(
    conn: Connection, pairs: Sequence[Pair], now: datetime
) -> Sequence[Commitment]:
    tenants, ids = [pair.tenant for pair in pairs], [pair.pair_id for pair in pairs]
    return [commitment_of(row) for row in await conn.fetch(_DUE_COMMITMENTS, tenants, ids, now)]


async def due_sessions(conn: Connection, pairs: Sequence[Pair], now: datetime) -> Sequence[Session]:
    tenants, ids = [pair.tenant for pair in pairs], [pair.pair_id for pair in pairs]
    return [session_of(row) for row in await conn.fetch(_DUE_SESSIONS, tenants, ids, now)]


async def is_due(conn: Connection, now: datetime) -> bool:
    """Whether anything that is due at `now` has not been decided."""
    due: bool = await conn.fetchval(_IS_DUE, now)
    return due


async def mark(conn: Connection, swept_until: datetime) -> None:
    """Say that everything due by then has been decided. Never goes back."""
    await conn.execute(_MARK, swept_until)


async def swept_until(conn: Connection) -> datetime | None:
    """Everything due by this instant has been decided; None before the first sweep."""
    instant: datetime | None = await conn.fetchval(_SWEPT_UNTIL)
    return instant
