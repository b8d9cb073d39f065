"""Surfacing: which pairs changed, and which revision of each is in the outbox."""

from __future__ import annotations

from collections.abc import Sequence

from services.insights.queries.pairs import PAIR_COLUMNS, PairRow, pair_row
from shared.postgres.pool import Connection

# All marks of the pairs taken, as far as they stand among the oldest: a pair that changes with
# every batch is marked many times, and one look is enough.
_TAKE_DIRTY = """
    WITH oldest AS (SELECT ctid AS mark, pair_key FROM dirty_pair LIMIT $2),
         taken AS (SELECT pair_key FROM oldest GROUP BY pair_key ORDER BY min(mark) LIMIT $1),
         gone AS (DELETE FROM dirty_pair WHERE ctid = ANY (ARRAY (
                      SELECT mark FROM oldest JOIN taken USING (pair_key))))
    SELECT pair_key FROM taken
"""
_PAIRS_BY_KEY = f"""
    SELECT {PAIR_COLUMNS}, coalesce(s.revision, 0) AS surfaced
    FROM pair p LEFT JOIN surfaced s USING (pair_key)
    WHERE p.pair_key = ANY($1::bigint[]) ORDER BY p.pair_key
"""
_SAVE_SURFACED = """
    INSERT INTO surfaced (pair_key, tenant, revision)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[])
    ON CONFLICT (pair_key) DO UPDATE SET revision = excluded.revision
"""


async def take_dirty(conn: Connection, pairs: int, marks: int) -> list[int]:
    """Take the marks off up to `pairs` pairs, the oldest first, looking at `marks` marks."""
    return [row[0] for row in await conn.fetch(_TAKE_DIRTY, pairs, marks)]


async def pairs_by_key(conn: Connection, keys: Sequence[int]) -> list[PairRow]:
    """Pairs as they are committed now, with the revision that was last surfaced."""
    return [pair_row(row) for row in await conn.fetch(_PAIRS_BY_KEY, keys)]


async def save_surfaced(conn: Connection, done: Sequence[tuple[PairRow, int]]) -> None:
    """Note which revision of each pair is in the outbox."""
    if done:
        columns = zip(*[(pair.key, pair.tenant, revision) for pair, revision in done], strict=True)
        await conn.execute(_SAVE_SURFACED, *columns)
