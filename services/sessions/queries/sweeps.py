"""Statements of the sweeper: who sweeps, what is due, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

import asyncpg

from services.sessions.domain.pair import Pair
from services.sessions.domain.thing import AThing
from services.sessions.queries.pairs import COLUMNS, JOIN_MEMBERS, pair_of
from shared.postgres.pool import Connection


@dataclass(frozen=True, slots=True)
class Swept(Generic[AThing]):
    """A table whose rows time decides about at `sweep_at`, while `open_` (SQL) is so of them.

    It has an index on sweep_at with `open_` as its condition, word for word. From `past` (SQL) on
    the time until `sweep_at` runs: what an outage takes of it is given back, to `sweep_at` and to
    the columns `also`.
    """

    table: str
    open_: str
    read: Callable[[asyncpg.Record], AThing]
    past: str = "sweep_at - interval '2 days'"
    also: tuple[str, ...] = ()


# Advisory locks are the whole database's; the schema's name tells ours from a neighbour's.
_TAKE_TURN = "SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || '.sweeper', 0))"
_FIRST_DUE = """
    (SELECT tenant, pair_id, sweep_at FROM {table}
     WHERE {open_} AND sweep_at <= $1 ORDER BY sweep_at LIMIT $2)
"""
# SKIP LOCKED: the sweeper holds many pairs at once, so it never waits for one. A pair that is in
# use is still due at the next round.
_LOCK_DUE_PAIRS = f"""
    WITH due AS ({{due}}), first AS (
        SELECT tenant, pair_id, min(sweep_at) AS sweep_at FROM due GROUP BY tenant, pair_id
        ORDER BY 3 LIMIT $2
    )
    SELECT {COLUMNS} FROM pair JOIN first USING (tenant, pair_id) {JOIN_MEMBERS}
    ORDER BY first.sweep_at FOR UPDATE OF pair SKIP LOCKED
"""
_DUE = """
    SELECT {table}.* FROM {table}
    JOIN unnest($1::text[], $2::uuid[]) AS held(tenant, pair_id) USING (tenant, pair_id)
    WHERE {open_} AND sweep_at <= $3
"""
_OPEN_OF_PAIR = """
    SELECT {table}.* FROM {table} WHERE tenant = $1 AND pair_id = $2 AND {open_} LIMIT $3
"""
_IS_DUE = "EXISTS (SELECT FROM {table} WHERE {open_} AND sweep_at <= $1)"
_OLDEST = "(SELECT min(sweep_at) AS sweep_at FROM {table} WHERE {open_})"
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


async def lock_due_pairs(
    conn: Connection, kinds: Sequence[Swept[Any]], now: datetime, limit: int
) -> Sequence[Pair]:
    """At most `limit` pairs with something due, the longest due first, held until the end."""
    due = " UNION ALL ".join(_written(_FIRST_DUE, kind) for kind in kinds)
    rows = await conn.fetch(_LOCK_DUE_PAIRS.format(due=due), now, limit)
    return [pair_of(row) for row in rows]


async def due(
    conn: Connection, kind: Swept[AThing], pairs: Sequence[Pair], now: datetime
) -> Sequence[AThing]:
    """What is due of one kind in pairs that are held."""
    tenants, ids = [pair.tenant for pair in pairs], [pair.pair_id for pair in pairs]
    rows = await conn.fetch(_written(_DUE, kind), tenants, ids, now)
    return [kind.read(row) for row in rows]


async def open_of(
    conn: Connection, kind: Swept[AThing], pair: Pair, limit: int
) -> Sequence[AThing]:
    """What of one kind is open in a pair."""
    rows = await conn.fetch(_written(_OPEN_OF_PAIR, kind), pair.tenant, pair.pair_id, limit)
    return [kind.read(row) for row in rows]


async def is_due(conn: Connection, kinds: Sequence[Swept[Any]], now: datetime) -> bool:
    """Whether anything that is due at `now` has not been decided."""
    any_ = " OR ".join(_written(_IS_DUE, kind) for kind in kinds)
    found: bool = await conn.fetchval(f"SELECT {any_}", now)
    return found


async def oldest_due(
    conn: Connection, kinds: Sequence[Swept[Any]], now: datetime
) -> datetime | None:
    """Since when the oldest of what is due at `now` is; None when nothing is."""
    oldest = " UNION ALL ".join(_written(_OLDEST, kind) for kind in kinds)
    statement = f"SELECT min(sweep_at) FROM ({oldest}) AS each WHERE sweep_at <= $1"
    found: datetime | None = await conn.fetchval(statement, now)
    return found


async def mark(conn: Connection, swept_until: datetime) -> None:
    """Say that everything due by then has been decided. Never goes back."""
    await conn.execute(_MARK, swept_until)


async def swept_until(conn: Connection) -> datetime | None:
    """Everything due by this instant has been decided; None before the first sweep."""
    instant: datetime | None = await conn.fetchval(_SWEPT_UNTIL)
    return instant


def _written(statement: str, kind: Swept[Any]) -> str:
    return statement.format(table=kind.table, open_=kind.open_)
