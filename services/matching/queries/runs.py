"""Statements on runs: how far they are, what they came to. Opens no transaction, holds no rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from services.matching.domain.run import Chosen, LeftOut, Result, Run
from services.matching.queries.programmes import json_of, settings_of
from shared.ids import PersonId, ProgrammeId, TenantId
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
    SELECT tenant, {_COLUMNS} FROM run WHERE state IN ('queued', 'running', 'committing')
    ORDER BY asked_at, run_id
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
# Not COPY: the database refuses it where row-level security holds.
_KEEP_PAIRS = """
    INSERT INTO run_pair (tenant, run_id, place, mentor_id, mentee_id, rank, parts, stands)
    SELECT $1, $2, place, mentor, mentee, rank, parts::smallint[], stands
    FROM unnest($3::int[], $4::text[], $5::text[], $6::int[], $7::text[], $8::uuid[])
         AS row (place, mentor, mentee, rank, parts, stands)
"""
_KEEP_LEFT_OUT = """
    INSERT INTO run_unmatched (tenant, run_id, person_id, reason, lost)
    SELECT $1, $2, person, reason, lost::jsonb
    FROM unnest($3::text[], $4::text[], $5::text[]) AS row (person, reason, lost)
"""
_AT_ONCE = 10_000
_SAVE_REPORT = """
    INSERT INTO run_report (tenant, run_id, report) VALUES ($1, $2, $3)
    ON CONFLICT (tenant, run_id) DO UPDATE SET report = excluded.report
"""
_REPORT = "SELECT report FROM run_report WHERE tenant = $1 AND run_id = $2"
_PAIR = "place, mentor_id, mentee_id, rank, parts, stands, became"
_PAIRS = f"""
    SELECT {_PAIR} FROM run_pair WHERE tenant = $1 AND run_id = $2 AND place > $3
    ORDER BY place LIMIT $4
"""
_WAITING = f"""
    SELECT {_PAIR} FROM run_pair WHERE tenant = $1 AND run_id = $2 AND became IS NULL
    ORDER BY place LIMIT $3
"""
_BECAME = """
    UPDATE run_pair SET became = told.became
    FROM unnest($3::int[], $4::text[]) AS told (place, became)
    WHERE tenant = $1 AND run_id = $2 AND run_pair.place = told.place
"""
_COUNTS = """
    SELECT became, count(*)::int AS pairs FROM run_pair WHERE tenant = $1 AND run_id = $2
    GROUP BY became
"""
_UNMATCHED = """
    SELECT person_id, reason, lost FROM run_unmatched
    WHERE tenant = $1 AND run_id = $2 AND person_id > $3 ORDER BY person_id LIMIT $4
"""
_LAST_COMMITTED = """
    SELECT run_id FROM run WHERE tenant = $1 AND programme_id = $2 AND state = 'committed'
    ORDER BY run_id DESC LIMIT 1
"""
_MENTEES = "SELECT mentee_id, mentor_id FROM run_pair WHERE tenant = $1 AND run_id = $2"


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


async def still_open(conn: Connection) -> list[tuple[TenantId, Run]]:
    """What waits for a worker, or has one, of all tenants; who asked first stands first."""
    return [(TenantId(row["tenant"]), _run(row)) for row in await conn.fetch(_OPEN)]


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


async def finish(conn: Connection, tenant: TenantId, run: Run, result: Result) -> bool:
    """Keep the result of this attempt; False when it is not wanted any longer."""
    if not await conn.fetchval(_READY, tenant, run.run_id, run.attempt):
        return False
    await conn.execute(_SAVE_REPORT, tenant, run.run_id, orjson.dumps(result.report).decode())
    for at in range(0, len(result.pairs), _AT_ONCE):
        some = result.pairs[at : at + _AT_ONCE]
        parts = ["{" + ",".join(map(str, each.parts)) + "}" for each in some]
        await conn.execute(
            _KEEP_PAIRS,
            tenant,
            run.run_id,
            [each.place for each in some],
            [each.mentor_id for each in some],
            [each.mentee_id for each in some],
            [each.rank for each in some],
            parts,
            [each.stands for each in some],
        )
    for at in range(0, len(result.left_out), _AT_ONCE):
        out = result.left_out[at : at + _AT_ONCE]
        await conn.execute(
            _KEEP_LEFT_OUT,
            tenant,
            run.run_id,
            [each.person_id for each in out],
            [each.reason for each in out],
            [orjson.dumps(each.lost).decode() for each in out],
        )
    return True


async def report(conn: Connection, tenant: TenantId, run_id: UUID) -> dict[str, Any] | None:
    found = await conn.fetchval(_REPORT, tenant, run_id)
    return dict(orjson.loads(found)) if found else None


async def pairs(
    conn: Connection, tenant: TenantId, run_id: UUID, after: int, limit: int
) -> list[Chosen]:
    """What the run would propose, best first."""
    return [_chosen(row) for row in await conn.fetch(_PAIRS, tenant, run_id, after, limit)]


async def waiting(conn: Connection, tenant: TenantId, run_id: UUID, limit: int) -> list[Chosen]:
    """What is still to be committed, best first."""
    return [_chosen(row) for row in await conn.fetch(_WAITING, tenant, run_id, limit)]


async def became(
    conn: Connection, tenant: TenantId, run_id: UUID, told: Sequence[tuple[int, str]]
) -> None:
    """Keep what became of these places."""
    places, words = zip(*told, strict=True)
    await conn.execute(_BECAME, tenant, run_id, list(places), list(words))


async def counts(conn: Connection, tenant: TenantId, run_id: UUID) -> dict[str | None, int]:
    """How many of the run's pairs became what; None is not yet."""
    rows = await conn.fetch(_COUNTS, tenant, run_id)
    return {row["became"]: row["pairs"] for row in rows}


async def left_out(
    conn: Connection, tenant: TenantId, run_id: UUID, after: str, limit: int
) -> list[LeftOut]:
    """Those whom the run found nobody for, by id."""
    rows = await conn.fetch(_UNMATCHED, tenant, run_id, after, limit)
    return [
        LeftOut(row["person_id"], row["reason"], dict(orjson.loads(row["lost"]))) for row in rows
    ]


async def last_committed(
    conn: Connection, tenant: TenantId, programme_id: ProgrammeId
) -> UUID | None:
    """The programme's newest run that was committed."""
    found: UUID | None = await conn.fetchval(_LAST_COMMITTED, tenant, programme_id)
    return found


async def mentor_of(conn: Connection, tenant: TenantId, run_id: UUID) -> dict[PersonId, PersonId]:
    """The run's mentor of each mentee."""
    rows = await conn.fetch(_MENTEES, tenant, run_id)
    return {row["mentee_id"]: row["mentor_id"] for row in rows}


def _run(row: Any) -> Run:
    values = {name: value for name, value in row.items() if name != "tenant"}
    return Run(**{**values, "settings": settings_of(row["settings"])})


def _chosen(row: Any) -> Chosen:
    return Chosen(**{**dict(row), "parts": tuple(row["parts"])})
