"""Statements of the sweeper: who sweeps. Opens no transaction, holds no rule."""

from __future__ import annotations

from shared.postgres.pool import Connection

# Advisory locks are the whole database's; the schema's name tells ours from a neighbour's.
_TAKE_TURN = "SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || '.sweeper', 0))"


async def take_turn(conn: Connection) -> bool:
    """Whether this transaction is the network's one sweeper; given back when it ends."""
    mine: bool = await conn.fetchval(_TAKE_TURN)
    return mine
