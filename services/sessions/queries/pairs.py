"""Statements on pairs and on what is copied from others about them: zones and trust."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.sessions.domain.pair import Pair
from shared.events.insights import PartnerSafe
from shared.ids import PairId, PersonId, TenantId
from shared.postgres.pool import Connection

_COLUMNS = "pair.tenant, pair.pair_id, mentor_id, mentee_id, started_at, ended_at"

_FIND = f"SELECT {_COLUMNS} FROM pair WHERE tenant = $1 AND pair_id = $2"
_LOCK = f"{_FIND} FOR UPDATE"
_OF_PERSON = f"""
    SELECT {_COLUMNS} FROM pair
    WHERE tenant = $1 AND (mentor_id = $2 OR mentee_id = $2)
    ORDER BY ended_at IS NOT NULL, started_at DESC, pair_id LIMIT $3
"""
_START = """
    INSERT INTO pair (tenant, pair_id, mentor_id, mentee_id, started_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (tenant, pair_id) DO NOTHING
"""
_END = """
    INSERT INTO pair (tenant, pair_id, mentor_id, mentee_id, started_at, ended_at)
    VALUES ($1, $2, $3, $4, $5, $5)
    ON CONFLICT (tenant, pair_id) DO UPDATE SET ended_at = excluded.ended_at
    WHERE pair.ended_at IS NULL
"""
_RELEASE_SESSIONS = """
    UPDATE session SET state = 'released'
    WHERE tenant = $1 AND pair_id = $2 AND state = 'scheduled' AND starts_at >= $3
"""
_RELEASE_COMMITMENTS = """
    UPDATE commitment SET state = 'released'
    WHERE tenant = $1 AND pair_id = $2 AND state = 'open' AND due_at > $3
"""
_SAVE_TRUST = """
    INSERT INTO pair_trust (tenant, pair_id, revision, partner_safe) VALUES ($1, $2, $3, $4::jsonb)
    ON CONFLICT (tenant, pair_id) DO UPDATE
    SET revision = excluded.revision, partner_safe = excluded.partner_safe
    WHERE pair_trust.revision < excluded.revision
"""
_TRUST = "SELECT partner_safe::text FROM pair_trust WHERE tenant = $1 AND pair_id = $2"
_SAVE_ZONE = """
    INSERT INTO person (tenant, person_id, timezone, as_of) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant, person_id) DO UPDATE
    SET timezone = excluded.timezone, as_of = excluded.as_of WHERE person.as_of <= excluded.as_of
"""
_FORGET_PERSON = "DELETE FROM person WHERE tenant = $1 AND person_id = $2"
_ZONE = "SELECT timezone FROM person WHERE tenant = $1 AND person_id = $2"


def pair_of(row: asyncpg.Record) -> Pair:
    """The pair in a row that holds the pair's columns."""
    return Pair(
        TenantId(row["tenant"]),
        PairId(row["pair_id"]),
        PersonId(row["mentor_id"]),
        PersonId(row["mentee_id"]),
        row["started_at"],
        row["ended_at"],
    )


async def find(conn: Connection, tenant: TenantId, pair_id: PairId) -> Pair | None:
    row = await conn.fetchrow(_FIND, tenant, pair_id)
    return pair_of(row) if row else None


async def lock(conn: Connection, tenant: TenantId, pair_id: PairId) -> Pair | None:
    """The pair, held by the caller's transaction until it ends. Always the first lock taken."""
    row = await conn.fetchrow(_LOCK, tenant, pair_id)
    return pair_of(row) if row else None


async def of_person(
    conn: Connection, tenant: TenantId, person: PersonId, limit: int
) -> Sequence[Pair]:
    """The pairs `person` is in, those that go on first, then the newest."""
    return [pair_of(row) for row in await conn.fetch(_OF_PERSON, tenant, person, limit)]


async def start(conn: Connection, pair: Pair) -> None:
    """Remember a pair that began; one that is known stays as it is."""
    await conn.execute(
        _START, pair.tenant, pair.pair_id, pair.mentor_id, pair.mentee_id, pair.started_at
    )


async def end(conn: Connection, pair: Pair, ended_at: datetime) -> None:
    """Remember a pair's end, and that it asks for nothing that lay after it."""
    await conn.execute(_END, pair.tenant, pair.pair_id, pair.mentor_id, pair.mentee_id, ended_at)
    await conn.execute(_RELEASE_SESSIONS, pair.tenant, pair.pair_id, ended_at)
    await conn.execute(_RELEASE_COMMITMENTS, pair.tenant, pair.pair_id, ended_at)


async def save_trust(
    conn: Connection, tenant: TenantId, pair_id: PairId, revision: int, shown: PartnerSafe
) -> None:
    """Keep the highest revision seen, and of it only what the pair may be shown."""
    await conn.execute(_SAVE_TRUST, tenant, pair_id, revision, shown.model_dump_json())


async def trust(conn: Connection, tenant: TenantId, pair_id: PairId) -> PartnerSafe | None:
    text = await conn.fetchval(_TRUST, tenant, pair_id)
    return PartnerSafe.model_validate_json(text) if text else None


async def save_zone(
    conn: Connection, tenant: TenantId, person: PersonId, timezone: str, as_of: datetime
) -> None:
    """Keep the newest zone of a person."""
    await conn.execute(_SAVE_ZONE, tenant, person, timezone, as_of)


async def forget_person(conn: Connection, tenant: TenantId, person: PersonId) -> None:
    await conn.execute(_FORGET_PERSON, tenant, person)


async def zone(conn: Connection, tenant: TenantId, person: PersonId) -> str | None:
    """The IANA name of a person's zone, as their employer gave it."""
    name: str | None = await conn.fetchval(_ZONE, tenant, person)
    return name
