"""Makes a used database as good as new: rows go, what the migrations put there comes back.

A database whose schema a test has changed is not repaired: whoever owns it is told, and drops it.
"""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

_OURS = "NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
_TABLES = f"""
    SELECT c.oid::regclass::text FROM pg_class c
    WHERE relkind = 'r' AND relnamespace::regnamespace::text {_OURS}
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')
"""
# Everything a test could do to a schema, as one value.
_SHAPE = f"""
    SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (
        SELECT format('%s %s %s %s %s %s %s', c.oid::regclass, relkind, relowner, relacl,
                      reloptions, relrowsecurity, relforcerowsecurity) AS line
        FROM pg_class c WHERE relnamespace::regnamespace::text {_OURS}
        UNION ALL
        SELECT format('%s %s %s %s %s', attrelid::regclass, attname, atttypid, attnotnull, attacl)
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
        WHERE relkind = 'r' AND relnamespace::regnamespace::text {_OURS}
        UNION ALL SELECT format('%s %s %s', conname, conrelid, convalidated) FROM pg_constraint
        UNION ALL SELECT format('%s %s %s', tgname, tgrelid, tgenabled) FROM pg_trigger
        UNION ALL SELECT format('%s %s %s', polname, polrelid, polqual) FROM pg_policy
        UNION ALL
        SELECT format('%s %s', proname, md5(prosrc)) FROM pg_proc
        WHERE pronamespace::regnamespace::text {_OURS}
        UNION ALL SELECT format('%s %s', nspname, nspacl) FROM pg_namespace
        WHERE nspname NOT LIKE 'pg_t%'
        UNION ALL SELECT format('%s %s', setdatabase, setconfig) FROM pg_db_role_setting
    ) AS everything
"""
_SEQUENCES = f"""
    SELECT c.oid::regclass::text FROM pg_class c
    WHERE relkind = 'S' AND relnamespace::regnamespace::text {_OURS}
"""


@dataclass(frozen=True, slots=True)
class Fresh:
    """What a new database is like."""

    tables: tuple[str, ...]
    sequences: tuple[str, ...]
    rows: dict[str, str]
    shape: str


async def look(dsn: str) -> Fresh:
    """Look at a new database, as its administrator."""
    conn = await asyncpg.connect(dsn)
    try:
        tables = [row[0] for row in await conn.fetch(_TABLES)]
        sequences = [row[0] for row in await conn.fetch(_SEQUENCES)]
        rows = {
            table: found
            for table in tables
            if (found := await conn.fetchval(f"SELECT jsonb_agg(t)::text FROM {table} AS t"))
        }
        return Fresh(tuple(tables), tuple(sequences), rows, await conn.fetchval(_SHAPE))
    finally:
        await conn.close()


async def clean(dsn: str, fresh: Fresh) -> bool:
    """Make it as it was; False, and nothing done, where its schema is not what it was."""
    conn = await asyncpg.connect(dsn)
    try:
        if await conn.fetchval(_SHAPE) != fresh.shape:
            return False
        used = " UNION ALL ".join(
            f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})"
            for table in fresh.tables
            if table not in fresh.rows
        )
        touched = [row[0] for row in await conn.fetch(used)] if used else []
        # One that is being read by a process that is about to end is waited for.
        async with conn.transaction():
            if emptied := [*touched, *fresh.rows]:
                # Past the triggers of the audit trail, which nobody else may pass.
                await conn.execute("SET LOCAL session_replication_role = replica")
                await conn.execute(f"TRUNCATE {', '.join(emptied)} CASCADE")
                await conn.execute("SET LOCAL session_replication_role = origin")
            for table, rows in fresh.rows.items():
                await conn.execute(
                    f"INSERT INTO {table} OVERRIDING SYSTEM VALUE"
                    f" SELECT * FROM jsonb_populate_recordset(NULL::{table}, $1::jsonb)",
                    rows,
                )
            for sequence in fresh.sequences:
                await conn.execute(f"ALTER SEQUENCE {sequence} RESTART")
        return True
    finally:
        await conn.close()
