"""Swapping the tables of the projection between schemas, in the caller's transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime

from services.insights.queries.loading import LIVE
from services.insights.queries.projection import PROJECTION
from shared.ids import TenantId
from shared.postgres.pool import Connection

PREVIOUS = "insights_previous"

_ALONE = "SELECT pg_try_advisory_lock(hashtextextended('trustfold insights rebuild', 0))"
_PATIENCE = "SET LOCAL lock_timeout = '{s}s'"
# First what a delivery locks first: its transactions are then over, and new ones have not begun.
# Then the letters, where a redrive begins; reading them stays possible.
_STOP = f"LOCK TABLE {LIVE}.consumer_offset IN ACCESS EXCLUSIVE MODE"
_STOP_REDRIVES = f"LOCK TABLE {LIVE}.dead_letter IN EXCLUSIVE MODE"
_STOP_WORK = "SELECT pg_advisory_xact_lock(hashtextextended('trustfold insights ' || $1, 0))"
_TAKE = "LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"
_HOLD_STILL = "LOCK TABLE {tables} IN ACCESS SHARE MODE"
_MOVE = "ALTER TABLE {schema}.{table} SET SCHEMA {to}"
_OWNER = "SELECT format('%I', nspowner::regrole::text) FROM pg_namespace WHERE nspname = $1"
_NEXT_KEY = """
    SELECT setval(pg_get_serial_sequence($1::text || '.pair', 'pair_key'),
                  nextval(pg_get_serial_sequence($2::text || '.pair', 'pair_key')))
"""
_SEED = """
    INSERT INTO {to}.pair (pair_key, tenant, pair_id, mentor_id, mentee_id)
    OVERRIDING SYSTEM VALUE
    SELECT n.pair_key, n.tenant, n.pair_id, n.mentor_id, n.mentee_id FROM {schema}.pair n
    WHERE NOT EXISTS (SELECT FROM {to}.pair p
                      WHERE p.tenant = n.tenant AND p.pair_id = n.pair_id)
    RETURNING pair_key, tenant
"""
_MARK = f"""
    INSERT INTO {LIVE}.dirty_pair (pair_key, tenant)
    SELECT pair_key, tenant FROM {LIVE}.pair WHERE pair_key = ANY($1::bigint[])
"""
_SAY_WHEN = "SELECT format('COMMENT ON SCHEMA %I IS %L', $1::text, now()::text)"
_WHEN = "SELECT obj_description($1::regnamespace, 'pg_namespace')::timestamptz"
# A redrive that had begun is dated by its beginning; to redrive one letter too many is harmless.
_REDRIVE_AGAIN = f"""
    UPDATE {LIVE}.dead_letter SET status = 'redriving'
    WHERE status = 'redriven' AND decided_at > $1::timestamptz - interval '1 hour'
"""
_THERE = """
    SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace($1)
    AND relname = ANY($2::text[])
"""
_SHAPE = """
    SELECT c.relname || ' ' || coalesce(string_agg(
        a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull, ', '
        ORDER BY a.attname), '')
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                                       AND NOT a.attisdropped
    WHERE c.relnamespace = to_regnamespace($1) AND c.relname = ANY($2::text[])
    GROUP BY c.relname ORDER BY c.relname
"""
# What would go on pointing at the tables that were swapped out.
_OBSTACLES = f"""
    WITH moved AS (SELECT c.oid, c.relname FROM pg_class c
                   WHERE c.relnamespace = '{LIVE}'::regnamespace AND c.relname = ANY($1::text[]))
    SELECT format('%s has the trigger %s', m.relname, t.tgname)
    FROM pg_trigger t JOIN moved m ON m.oid = t.tgrelid WHERE NOT t.tgisinternal
    UNION ALL
    SELECT format('%s refers to %s', f.conrelid::regclass, f.confrelid::regclass)
    FROM pg_constraint f WHERE f.contype = 'f' AND
        (f.conrelid IN (SELECT oid FROM moved)) <> (f.confrelid IN (SELECT oid FROM moved))
    UNION ALL
    SELECT DISTINCT format('the view %s reads %s', r.ev_class::regclass, m.relname)
    FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
    JOIN moved m ON m.oid = d.refobjid
"""


async def alone(conn: Connection) -> bool:
    """Whether this session is the only one that rebuilds; it stays so until it is closed."""
    return bool(await conn.fetchval(_ALONE))


async def drop(conn: Connection, schema: str) -> None:
    """Drop a schema that is not in service."""
    await conn.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


async def obstacles(conn: Connection) -> list[str]:
    """What stands in the way of swapping, in words."""
    found = [row[0] for row in await conn.fetch(_OBSTACLES, PROJECTION)]
    return [f"{each}: a rebuild cannot move that along" for each in found]


async def same_shape(conn: Connection, one: str, other: str) -> bool:
    """Whether the projections of two schemas have the same columns."""
    return bool(
        await conn.fetch(_SHAPE, one, PROJECTION) == await conn.fetch(_SHAPE, other, PROJECTION)
    )


async def is_there(conn: Connection, schema: str) -> bool:
    """Whether a schema holds a whole projection."""
    return bool(await conn.fetchval(_THERE, schema, PROJECTION) == len(PROJECTION))


async def stop_writers(conn: Connection, works: Iterable[str], patience_s: int) -> None:
    """Let nobody write to the live projection until the transaction ends; reading goes on.

    Raises LockNotAvailableError when somebody holds it for longer than `patience_s`.
    """
    await conn.execute(_PATIENCE.format(s=patience_s))
    await conn.execute(_STOP)
    await conn.execute(_STOP_REDRIVES)
    for work in works:
        await conn.execute(_STOP_WORK, work)


async def hold_still(conn: Connection) -> None:
    """Let nobody swap the live projection until the transaction ends. Its first statement."""
    await conn.execute(_HOLD_STILL.format(tables=_all_of(LIVE)))


async def swap(conn: Connection, *, incoming: str, outgoing: str) -> None:
    """Put the projection of one schema in service, the live one into another, which is new.

    Live workers find the new tables by the same names in their next statement.
    """
    await conn.execute(_TAKE.format(tables=_all_of(LIVE)))
    owner = await conn.fetchval(_OWNER, LIVE)
    await drop(conn, outgoing)
    await conn.execute(f"CREATE SCHEMA {outgoing} AUTHORIZATION {owner}")
    await conn.execute(await conn.fetchval(_SAY_WHEN, outgoing))
    await conn.fetchval(_NEXT_KEY, incoming, LIVE)
    for table in PROJECTION:
        await conn.execute(_MOVE.format(schema=LIVE, table=table, to=outgoing))
        await conn.execute(_MOVE.format(schema=incoming, table=table, to=LIVE))
    await drop(conn, incoming)


@asynccontextmanager
async def within(conn: Connection, schema: str) -> AsyncIterator[None]:
    """Have unqualified names mean a schema's tables, and the live one's where it has none."""
    await conn.execute(f"SET LOCAL search_path = {schema}, {LIVE}")
    try:
        yield
    finally:
        await conn.execute(f"SET LOCAL search_path = {LIVE}")


async def seed(conn: Connection, schema: str) -> list[tuple[int, TenantId]]:
    """Give a schema the pairs of the live one that it lacks, under the same keys; those."""
    rows = await conn.fetch(_SEED.format(schema=LIVE, to=schema))
    return [(row[0], row[1]) for row in rows]


async def mark(conn: Connection, keys: Iterable[int]) -> None:
    """Have pairs looked at by who publishes."""
    await conn.execute(_MARK, list(keys))


async def swapped_at(conn: Connection) -> datetime:
    """When the previous projection was swapped out."""
    at: datetime = await conn.fetchval(_WHEN, PREVIOUS)
    return at


async def redrive_again(conn: Connection, since: datetime) -> None:
    """Have letters redriven that were so since then: it was the other projection that counted."""
    await conn.execute(_REDRIVE_AGAIN, since)


def _all_of(schema: str) -> str:
    return ", ".join(f"{schema}.{table}" for table in PROJECTION)
