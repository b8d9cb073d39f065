"""Which pairs the managers' stream has to look at: those that moved, those whose day has come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from services.insights.queries.pairs import PAIR_COLUMNS, PairRow, pair_row
from shared.postgres.pool import Connection

_MARK = """
    INSERT INTO managed_pair (pair_key, tenant)
    SELECT pair_key, tenant FROM pair WHERE pair_key = ANY($1::bigint[])
"""
_TAKE = f"""
    WITH taken AS (SELECT pair_key FROM managed_pair WHERE pair_key > $1
                   UNION SELECT pair_key FROM managed_due WHERE pair_key > $1 AND due_at <= $2
                   ORDER BY pair_key LIMIT $3),
         unmarked AS (DELETE FROM managed_pair m USING taken WHERE m.pair_key = taken.pair_key),
         come AS (DELETE FROM managed_due d USING taken WHERE d.pair_key = taken.pair_key)
    SELECT {PAIR_COLUMNS} FROM pair p JOIN taken USING (pair_key) ORDER BY p.pair_key
"""
_COME_BACK = """
    INSERT INTO managed_due (pair_key, tenant, due_at)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::timestamptz[])
"""


async def mark(conn: Connection, keys: Sequence[int]) -> None:
    """Have these pairs looked at at the next tick."""
    await conn.execute(_MARK, keys)


async def take(conn: Connection, after_key: int, now: datetime, limit: int) -> list[PairRow]:
    """Take up to `limit` pairs that are marked or due, in the order of their keys, after a key."""
    return [pair_row(row) for row in await conn.fetch(_TAKE, after_key, now, limit)]


async def come_back(conn: Connection, later: Iterable[tuple[PairRow, datetime]]) -> None:
    """Have pairs that were taken looked at again at an instant each."""
    rows = [(pair.key, pair.tenant, at) for pair, at in later]
    if rows:
        await conn.execute(_COME_BACK, *zip(*rows, strict=True))
