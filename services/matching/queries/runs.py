"""Statements on runs: who asked for what, and how far they are. Holds no rule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from services.matching.domain.run import Run, State
from services.matching.queries.programmes import json_of, settings_of
from shared.ids import ProgrammeId, TenantId
from shared.postgres.pool import Connection

_COLUMNS = """run_id, programme_id, version, settings, what_if, incremental, at_most, ranking_id,
    asked_at, state, attempt, stage, done, total, ended_at, failure, revision"""
_FIND = f"SELECT {_COLUMNS} FROM run WHERE tenant = $1 AND run_id = $2"
_LOCK = _FIND + " FOR UPDATE"
_PAGE = f"""
    SELECT {_COLUMNS} FROM run
    WHERE tenant = $1 AND programme_id = $2 AND ($3::uuid IS NULL OR run_id < $3)
    ORDER BY run_id DESC LIMIT $4
"""
_SAVE = f"""
    INSERT INTO run (tenant, {_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
    ON CONFLICT (tenant, run_id) DO UPDATE
    SET (state, attempt, stage, done, total, ended_at, failure, revision)
      = (excluded.state, excluded.attempt, excluded.stage, excluded.done, excluded.total,
         excluded.ended_at, excluded.failure, excluded.revision)
"""
_OPEN = f"""
    SELECT tenant, {_COLUMNS} FROM run
    WHERE state IN ('queued', 'running', 'committing') AND state = ANY($1::text[])
    ORDER BY asked_at, run_id
"""
_WAITING = """
    SELECT count(*) FROM run WHERE tenant = $1 AND state IN ('queued', 'running')
"""
# A lock of the session: it dies with the process that works on the run, and needs no time-out.
_TAKE = "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || '.run.' || $1::text, 0))"
_GIVE_BACK = (
    "SELECT pg_advisory_unlock(hashtextextended(current_schema() || '.run.' || $1::text, 0))"
)
_NOTE = """
    UPDATE run SET stage = $4, done = $5, total = $6
    WHERE tenant = $1 AND run_id = $2 AND attempt = $3 AND state = 'running' RETURNING true
"""
_READY = """
    UPDATE run SET state = 'ready', stage = 'ready', done = total, revision = revision + 1
    WHERE tenant = $1 AND run_id = $2 AND attempt = $3 AND state = 'running' RETURNING true
"""


async def find(conn: Connection, tenant: TenantId, run_id: UUID) -> Run | None:
    row = await conn.fetchrow(_FIND, tenant, run_id)
    return _run(row) if row else None


async def lock(conn: Connection, tenant: TenantId, run_id: UUID) -> Run | None:
    """The run, which nobody else changes until the transaction ends."""
    row = await conn.fetchrow(_LOCK, tenant, run_id)
    return _run(row) if row else None


async def save(conn: Connection, tenant: TenantId, run: Run) -> None:
    await conn.execute(
        _SAVE,
        tenant,
        run.run_id,
        run.programme_id,
        run.version,
        json_of(run.settings),
        run.what_if,
        run.incremental,
        run.at_most,
        run.ranking_id,
        run.asked_at,
        run.state,
        run.attempt,
        run.stage,
        run.done,
        run.total,
        run.ended_at,
        run.failure,
        run.revision,
    )


async def page(
    conn: Connection, tenant: TenantId, programme_id: ProgrammeId, before: UUID | None, limit: int
) -> list[Run]:
    """The programme's runs, newest first."""
    rows = await conn.fetch(_PAGE, tenant, programme_id, before, limit)
    return [_run(row) for row in rows]


async def still_open(conn: Connection, states: Iterable[State]) -> list[tuple[TenantId, Run]]:
    """What waits for a worker, or has one, in these states, of all tenants; the first asked for
    stands first.
    """
    rows = await conn.fetch(_OPEN, list(states))
    return [(TenantId(row["tenant"]), _run(row)) for row in rows]


async def waiting(conn: Connection, tenant: TenantId) -> int:
    """How many runs of the tenant are not worked out yet."""
    return int(await conn.fetchval(_WAITING, tenant))


async def take(conn: Connection, run_id: UUID) -> bool:
    """Whether this connection is now the only one that works on the run, until it gives it back."""
    return bool(await conn.fetchval(_TAKE, str(run_id)))


async def give_back(conn: Connection, run_id: UUID) -> None:
    await conn.execute(_GIVE_BACK, str(run_id))


async def note(
    conn: Connection, tenant: TenantId, run: Run, progress: tuple[str, int, int]
) -> bool:
    """Note how far this attempt is; False when it is not wanted any longer."""
    return bool(await conn.fetchval(_NOTE, tenant, run.run_id, run.attempt, *progress))


async def finish(conn: Connection, tenant: TenantId, run: Run) -> bool:
    """This attempt has its result; False when it is not wanted any longer."""
    return bool(await conn.fetchval(_READY, tenant, run.run_id, run.attempt))


def _run(row: Any) -> Run:
    values = {name: value for name, value in row.items() if name != "tenant"}
    return Run(**{**values, "settings": settings_of(row["settings"])})
