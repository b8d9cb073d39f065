"""Statements on requests that came with a key, in the table `request` of a service's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

_FIND = """
    SELECT fingerprint, created FROM request
    WHERE tenant = $1 AND person_id = $2 AND request_key = $3
"""
_HOLD = """
    SELECT pg_advisory_xact_lock(hashtextextended(concat_ws('/', $1::text, $2::text, $3::text), 0))
"""
_SAVE = """
    INSERT INTO request (tenant, person_id, request_key, fingerprint, created, asked_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING true
"""
_FORGET = """
    DELETE FROM request WHERE (tenant, person_id, request_key) IN (
        SELECT tenant, person_id, request_key FROM request WHERE asked_at < $1 LIMIT $2
    )
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was asked under a key, and the id of what it created."""

    fingerprint: str
    created: str


async def hold(conn: Connection, tenant: TenantId, person: PersonId, key: str) -> None:
    """Until the transaction ends, no other request has this key of the person's."""
    await conn.execute(_HOLD, tenant, person, key)


async def find(conn: Connection, tenant: TenantId, person: PersonId, key: str) -> Seen | None:
    row = await conn.fetchrow(_FIND, tenant, person, key)
    return Seen(row["fingerprint"], row["created"]) if row else None


async def save(
    conn: Connection, tenant: TenantId, person: PersonId, key: str, seen: Seen, now: datetime
) -> bool:
    """Remember a request; False when its key was taken meanwhile by another."""
    row = await conn.fetchval(_SAVE, tenant, person, key, seen.fingerprint, seen.created, now)
    return row is not None


async def forget(conn: Connection, before: datetime, limit: int) -> None:
    """Forget at most `limit` requests that were made before an instant."""
    await conn.execute(_FORGET, before, limit)
