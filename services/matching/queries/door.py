"""Statements on events that came in by HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.ids import TenantId
from shared.postgres.pool import Connection

_HOLD = "SELECT pg_advisory_xact_lock(hashtextextended('people of ' || $1::text, 0))"
_CLAIM = """
    INSERT INTO door_event (tenant, event_id, digest, came_at)
    SELECT $1, event_id, digest, $4 FROM unnest($2::uuid[], $3::bytea[]) AS row(event_id, digest)
    ON CONFLICT DO NOTHING RETURNING event_id
"""
_DIGESTS = """
    SELECT event_id, digest FROM door_event WHERE tenant = $1 AND event_id = ANY($2::uuid[])
"""
_FORGET = """
    DELETE FROM door_event WHERE (tenant, event_id) IN (
        SELECT tenant, event_id FROM door_event WHERE came_at < $1 LIMIT $2
    )
"""


async def hold(conn: Connection, tenant: TenantId) -> None:
    """Until the transaction ends, nobody else publishes facts about the tenant's people.

    So the outbox has them in the order in which they are committed.
    """
    await conn.execute(_HOLD, tenant)


async def claim(
    conn: Connection, tenant: TenantId, events: Sequence[tuple[UUID, bytes]], now: datetime
) -> set[UUID]:
    """Claim events, no id twice among them; those that nobody had claimed before."""
    ids, digests = zip(*events, strict=True)
    rows = await conn.fetch(_CLAIM, tenant, ids, digests, now)
    return {row["event_id"] for row in rows}


async def digests(
    conn: Connection, tenant: TenantId, event_ids: Sequence[UUID]
) -> dict[UUID, bytes]:
    """What was claimed under these ids."""
    rows = await conn.fetch(_DIGESTS, tenant, event_ids)
    return {row["event_id"]: row["digest"] for row in rows}


async def forget(conn: Connection, before: datetime, limit: int) -> int:
    """Forget at most `limit` claims that are older; how many."""
    done = await conn.execute(_FORGET, before, limit)
    return int(done.rpartition(" ")[2])
