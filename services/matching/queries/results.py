"""Statements on what runs came to: pairs, who got nobody, reports. Opens no transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from services.matching.domain.run import Chosen, LeftOut, Result
from shared.ids import PairId, PersonId, ProgrammeId, TenantId
from shared.postgres.pool import Connection

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
_KEEP_TAKEN_BACK = """
    INSERT INTO run_taken_back (tenant, run_id, pair_id) SELECT $1, $2, unnest($3::uuid[])
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
_TO_TAKE_BACK = """
    DELETE FROM run_taken_back WHERE tenant = $1 AND run_id = $2 AND pair_id IN (
        SELECT pair_id FROM run_taken_back WHERE tenant = $1 AND run_id = $2
        ORDER BY pair_id LIMIT $3
    )
    RETURNING pair_id
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


async def keep(conn: Connection, tenant: TenantId, run_id: UUID, result: Result) -> None:
    """Keep all that a run came to."""
    await conn.execute(_SAVE_REPORT, tenant, run_id, orjson.dumps(result.report).decode())
    for at in range(0, len(result.pairs), _AT_ONCE):
        await _keep_pairs(conn, tenant, run_id, result.pairs[at : at + _AT_ONCE])
    for at in range(0, len(result.left_out), _AT_ONCE):
        out = result.left_out[at : at + _AT_ONCE]
        await conn.execute(
            _KEEP_LEFT_OUT,
            tenant,
            run_id,
            [each.person_id for each in out],
            [each.reason for each in out],
            [orjson.dumps(each.lost).decode() for each in out],
        )
    await conn.execute(_KEEP_TAKEN_BACK, tenant, run_id, list(result.taken_back))


async def _keep_pairs(
    conn: Connection, tenant: TenantId, run_id: UUID, some: Sequence[Chosen]
) -> None:
    await conn.execute(
        _KEEP_PAIRS,
        tenant,
        run_id,
        [each.place for each in some],
        [each.mentor_id for each in some],
        [each.mentee_id for each in some],
        [each.rank for each in some],
        ["{" + ",".join(map(str, each.parts)) + "}" for each in some],
        [each.stands for each in some],
    )


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


async def next_to_take_back(
    conn: Connection, tenant: TenantId, run_id: UUID, limit: int
) -> list[PairId]:
    """At most `limit` proposals that the run decided against; each is handed out once."""
    rows = await conn.fetch(_TO_TAKE_BACK, tenant, run_id, limit)
    return sorted(PairId(row["pair_id"]) for row in rows)


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


def _chosen(row: Any) -> Chosen:
    return Chosen(**{**dict(row), "parts": tuple(row["parts"])})
