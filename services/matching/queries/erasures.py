"""Statements on erasures: who is erased, and which services have said that they are done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from shared.events.erasures import ErasureCompleted
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

_BEGIN = """
    INSERT INTO erasure (tenant, person_id, erasure_id, asked_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING
"""
_LOCK = "SELECT true FROM erasure WHERE tenant = $1 AND person_id = $2 FOR UPDATE"
_DONE = """
    INSERT INTO erasure_done (tenant, person_id, service, done_at, tables)
    VALUES ($1, $2, $3, $4, $5::text::jsonb) ON CONFLICT DO NOTHING
"""
_FIND = """
    SELECT erasure_id, asked_at, tombstoned_at,
           (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'service', service, 'done_at', done_at, 'tables', tables) ORDER BY service), '[]')
            FROM erasure_done d WHERE d.tenant = e.tenant AND d.person_id = e.person_id) AS done
    FROM erasure e WHERE tenant = $1 AND person_id = $2
"""
_TOMBSTONED = """
    UPDATE erasure SET tombstoned_at = coalesce(tombstoned_at, $3)
    WHERE tenant = $1 AND person_id = $2
"""
_SETTLE = """
    UPDATE erasure SET settled_at = $1 WHERE (tenant, person_id) IN (
        SELECT tenant, person_id FROM erasure
        WHERE settled_at IS NULL AND tombstoned_at <= $2 ORDER BY tombstoned_at LIMIT $3
    ) RETURNING tenant, person_id
"""
_GONE = """
    SELECT person_id FROM erasure
    WHERE tenant = $1 AND person_id = ANY($2::text[]) AND tombstoned_at IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Erasure:
    """How far the erasure of a person is. `done`: service, done_at, tables of each that is."""

    erasure_id: UUID
    asked_at: datetime
    tombstoned_at: datetime | None
    done: Sequence[dict[str, Any]]


async def begin(
    conn: Connection, tenant: TenantId, person: PersonId, erasure_id: UUID, at: datetime
) -> None:
    """Write down that a person is to be erased, unless it is known."""
    await conn.execute(_BEGIN, tenant, person, erasure_id, at)


async def note(conn: Connection, tenant: TenantId, fact: ErasureCompleted, at: datetime) -> None:
    """Write down what a service has done; its first word stays. The erasure is held."""
    await begin(conn, tenant, fact.person_id, fact.erasure_id, at)
    await conn.execute(_LOCK, tenant, fact.person_id)
    tables = orjson.dumps({each.table: each.rows for each in fact.done}).decode()
    await conn.execute(_DONE, tenant, fact.person_id, fact.service, at, tables)


async def find(conn: Connection, tenant: TenantId, person: PersonId) -> Erasure | None:
    """The erasure of a person."""
    row = await conn.fetchrow(_FIND, tenant, person)
    if row is None:
        return None
    return Erasure(
        row["erasure_id"], row["asked_at"], row["tombstoned_at"], orjson.loads(row["done"])
    )


async def mark_tombstoned(
    conn: Connection, tenant: TenantId, person: PersonId, at: datetime
) -> None:
    """What the topic held of the person is being taken away."""
    await conn.execute(_TOMBSTONED, tenant, person, at)


async def settle(
    conn: Connection, now: datetime, before: datetime, limit: int
) -> list[tuple[TenantId, PersonId]]:
    """Mark as settled who was taken off the topic before an instant, some at a time; who it is."""
    rows = await conn.fetch(_SETTLE, now, before, limit)
    return [(TenantId(row[0]), PersonId(row[1])) for row in rows]


async def gone(conn: Connection, tenant: TenantId, people: Sequence[PersonId]) -> list[PersonId]:
    """Those of these people of whom the topic holds nothing any longer, or should not."""
    return [PersonId(row[0]) for row in await conn.fetch(_GONE, tenant, people)]
