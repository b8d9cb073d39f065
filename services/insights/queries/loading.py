"""Filling a new projection in bulk, in a schema of its own beside the live one.

Every statement but the first two runs with the new schema first in the search path.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from services.insights.queries.binary import COLUMNS
from services.insights.queries.pairs import PairOf
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

LIVE, NEXT = "insights", "insights_next"
# What is read while facts are applied and is not told by the log: the new one needs it, too.
CONFIGURATION = ("model", "model_in_force")

_COPY_CONFIGURATION = "INSERT INTO {new}.{table} SELECT * FROM {live}.{table}"
_STAGE = "CREATE UNLOGGED TABLE staged_{n} (LIKE evidence INCLUDING DEFAULTS, seq bigint NOT NULL)"
_CONSTRAINTS = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = 'evidence'::regclass AND contype IN ('p', 'u')
"""
_INDEXES = """
    SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'evidence'::regclass
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
"""
# Under the key it has in the live projection, for other tables name pairs by it; one that the live
# one has lost gets a number that the live one will not draw either. Two readers may add one pair at
# once: whichever of its keys they then meet on, it is there.
_ADD_PAIRS = f"""
    INSERT INTO pair (pair_key, tenant, pair_id, mentor_id, mentee_id) OVERRIDING SYSTEM VALUE
    SELECT coalesce(live.pair_key, nextval(pg_get_serial_sequence('{LIVE}.pair', 'pair_key'))),
           asked.*
    FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[])
         AS asked (tenant, pair_id, mentor_id, mentee_id)
    LEFT JOIN {LIVE}.pair live ON live.tenant = asked.tenant AND live.pair_id = asked.pair_id
    WHERE NOT EXISTS (SELECT FROM pair p
                      WHERE p.tenant = asked.tenant AND p.pair_id = asked.pair_id)
    ORDER BY asked.tenant COLLATE "C", asked.pair_id
    ON CONFLICT DO NOTHING RETURNING pair_key, tenant
"""
_KEYS = """
    SELECT p.tenant, p.pair_id, p.pair_key
    FROM unnest($1::text[], $2::uuid[]) AS asked (tenant, pair_id)
    JOIN pair p ON p.tenant = asked.tenant AND p.pair_id = asked.pair_id
"""
# In the order of the pairs, so that a pair's evidence stands together; of one told twice the first.
_MERGE = """
    INSERT INTO evidence ({columns})
    SELECT DISTINCT ON (pair_key, event_id) {columns}
    FROM ({staged}) AS staged WHERE pair_key > $1 AND pair_key <= $2
    ORDER BY pair_key, event_id, reader, seq
"""
_ADD_LEAVES = """
    INSERT INTO evidence (pair_key, event_id, at_us, tenant, kind, about, detail, ref)
    SELECT p.pair_key, l.event_id, l.at_us, p.tenant, l.kind, side.about, 0, l.ref
    FROM pair p
    CROSS JOIN LATERAL (VALUES (1, p.mentor_id), (2, p.mentee_id)) AS side (about, person_id)
    JOIN leave l ON l.tenant = p.tenant AND l.person_id = side.person_id
    WHERE $1::bigint[] IS NULL OR p.pair_key = ANY($1)
    ORDER BY p.pair_key
"""
_RANGES = """
    SELECT max(pair_key) FROM (SELECT pair_key, ntile($1) OVER (ORDER BY pair_key) AS part
                               FROM pair) AS parts GROUP BY part ORDER BY part
"""
_PAIRS_AFTER = """
    SELECT pair_key, tenant FROM pair WHERE pair_key > $1 AND pair_key <= $2
    ORDER BY pair_key LIMIT $3
"""
_SAVE_STATES = """
    UPDATE pair SET state = new.state
    FROM unnest($1::bigint[], $2::bytea[]) AS new (pair_key, state)
    WHERE pair.pair_key = new.pair_key
"""
_TOUCHED = """
    SELECT p.pair_key FROM unnest($1::text[], $2::uuid[]) AS asked (tenant, pair_id)
    JOIN pair p ON p.tenant = asked.tenant AND p.pair_id = asked.pair_id
    UNION
    SELECT p.pair_key FROM unnest($3::text[], $4::text[]) AS who (tenant, person_id)
    JOIN pair p ON p.tenant = who.tenant
               AND (p.mentor_id = who.person_id OR p.mentee_id = who.person_id)
"""

Members = Mapping[PairOf, tuple[PersonId, PersonId]]


class Index(NamedTuple):
    """How to make something of evidence again that is in the way while it is filled."""

    drop: str
    make: str


async def copy_configuration(conn: Connection) -> None:
    """Give the new schema the configuration of the live one."""
    for table in CONFIGURATION:
        await conn.execute(_COPY_CONFIGURATION.format(new=NEXT, live=LIVE, table=table))


async def unindex(conn: Connection) -> list[str]:
    """Take keys and indexes off evidence; the statements that make them again."""
    found = [
        Index(
            f'ALTER TABLE evidence DROP CONSTRAINT "{name}"',
            f'ALTER TABLE evidence ADD CONSTRAINT "{name}" {definition}',
        )
        for name, definition in await conn.fetch(_CONSTRAINTS)
    ]
    found += [
        Index(f'DROP INDEX "{name}"', definition) for name, definition in await conn.fetch(_INDEXES)
    ]
    for index in found:
        await conn.execute(index.drop)
    return [index.make for index in found]


async def stage(conn: Connection, readers: int) -> None:
    """Make a table for each reader to put evidence in, in the order it is read."""
    for n in range(readers):
        await conn.execute(_STAGE.format(n=n))


async def merge(conn: Connection, readers: int, after: int, up_to: int) -> None:
    """Staged evidence of a range of pairs into its table, each piece once."""
    staged = " UNION ALL ".join(f"SELECT *, {n} AS reader FROM staged_{n}" for n in range(readers))
    statement = _MERGE.format(columns=", ".join(COLUMNS), staged=staged)
    await conn.execute(statement, after, up_to)


async def unstage(conn: Connection, readers: int) -> None:
    """Let go of what was staged."""
    await conn.execute("DROP TABLE " + ", ".join(f"staged_{n}" for n in range(readers)))


async def add_leaves(conn: Connection, keys: Iterable[int] | None = None) -> None:
    """Make the leaves of both members evidence of their pairs (None: of every pair), once."""
    await conn.execute(_ADD_LEAVES, None if keys is None else list(keys))


async def make(conn: Connection, statements: Iterable[str]) -> None:
    """Make keys and indexes again, and tell the planner what there is."""
    for statement in statements:
        await conn.execute(statement)
    await conn.execute("ANALYZE pair, evidence, leave, person")


async def add_pairs(conn: Connection, members: Members) -> list[tuple[int, TenantId]]:
    """Add pairs that are not there, under the live projection's keys; key and tenant of those."""
    rows = [(*of, *who) for of, who in members.items()]
    return [(row[0], row[1]) for row in await conn.fetch(_ADD_PAIRS, *zip(*rows, strict=True))]


async def keys_of(conn: Connection, pairs: Iterable[PairOf]) -> dict[PairOf, int]:
    """The key of each pair that is there."""
    tenants, ids = _columns(pairs)
    rows = await conn.fetch(_KEYS, tenants, ids)
    return {(TenantId(tenant), pair_id): key for tenant, pair_id, key in rows}


async def ranges(conn: Connection, parts: int) -> list[tuple[int, int]]:
    """The keys of all pairs in about `parts` ranges of equal size: after, up to."""
    ends = [row[0] for row in await conn.fetch(_RANGES, parts)]
    return list(zip([0, *ends], ends, strict=False))


async def pairs_after(
    conn: Connection, after: int, up_to: int, limit: int
) -> list[tuple[int, TenantId]]:
    """Keys and tenants of pairs in the order of their keys."""
    return [(row[0], row[1]) for row in await conn.fetch(_PAIRS_AFTER, after, up_to, limit)]


async def save_states(conn: Connection, packed: Sequence[tuple[int, bytes]]) -> None:
    """Store states; nothing is marked for surfacing."""
    if packed:
        await conn.execute(_SAVE_STATES, [key for key, _ in packed], [state for _, state in packed])


async def touched(
    conn: Connection, pairs: Iterable[PairOf], people: Iterable[tuple[TenantId, PersonId]]
) -> list[int]:
    """The keys of pairs, and of the pairs of people."""
    who = list(people)
    columns = *_columns(pairs), [tenant for tenant, _ in who], [person for _, person in who]
    return [row[0] for row in await conn.fetch(_TOUCHED, *columns)]


def _columns(pairs: Iterable[PairOf]) -> tuple[list[TenantId], list[UUID]]:
    listed = list(pairs)
    return [tenant for tenant, _ in listed], [pair_id for _, pair_id in listed]
