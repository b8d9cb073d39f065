"""Statements on what is to be sent to endpoints: kept, taken in order, settled.

Whoever adds to a line or ends what is first in it holds the line's row, in the order of endpoint
and subject: nothing in it is overlooked, and no two wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.notifications.domain.webhook import Ended, Keys, Then
from shared.ids import TenantId
from shared.postgres.pool import Connection

_ENDPOINTS = "SELECT tenant, endpoint_id, types, is_enabled FROM endpoint WHERE tenant = ANY($1)"
_KEEP = """
    WITH kept AS (
        INSERT INTO webhook_event (tenant, event_id, type, subject, body, kept_at)
        SELECT tenant, event_id, type, subject, body, $8
        FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[])
             WITH ORDINALITY AS told (tenant, event_id, type, subject, body, place)
        ORDER BY place
        ON CONFLICT DO NOTHING RETURNING tenant, event_id, position, type, subject
    ), wanted AS (
        SELECT kept.*, endpoint_id FROM kept
        JOIN unnest($6::uuid[], $7::uuid[]) AS want (event_id, endpoint_id) USING (event_id)
    ), line AS (
        INSERT INTO delivery_line (tenant, endpoint_id, subject, due_at)
        SELECT DISTINCT tenant, endpoint_id, subject, $8::timestamptz FROM wanted
        ORDER BY endpoint_id, subject
        ON CONFLICT (endpoint_id, subject) DO UPDATE SET due_at = excluded.due_at
        WHERE delivery_line.due_at IS NULL
    )
    INSERT INTO delivery
        (tenant, endpoint_id, event_id, position, type, subject, state, created_at)
    SELECT tenant, endpoint_id, event_id, position, type, subject, 'waiting', $8 FROM wanted
    ON CONFLICT (endpoint_id, event_id) DO NOTHING
"""
_TAKE_LINES = """
    SELECT line.endpoint_id, line.subject FROM endpoint
    LEFT JOIN unnest($4::uuid[], $5::int[]) AS busy (endpoint_id, under_way) USING (endpoint_id)
    CROSS JOIN LATERAL (
        SELECT delivery_line.endpoint_id, subject, due_at FROM delivery_line
        WHERE delivery_line.endpoint_id = endpoint.endpoint_id AND due_at <= $1
        ORDER BY due_at, subject
        LIMIT greatest($3 - coalesce(under_way, 0), 0) FOR UPDATE SKIP LOCKED
    ) AS line
    WHERE is_enabled AND coalesce(rest_until <= $1, true)
    ORDER BY line.due_at LIMIT $2
"""
_CLAIM = """
    WITH line AS (
        SELECT * FROM unnest($1::uuid[], $2::text[]) AS line (endpoint_id, subject)
    ), first AS (
        SELECT found.delivery_id FROM line CROSS JOIN LATERAL (
            SELECT delivery_id FROM delivery
            WHERE endpoint_id = line.endpoint_id AND subject = line.subject
              AND state IN ('waiting', 'claimed')
            ORDER BY position LIMIT 1
        ) AS found
    )
    UPDATE delivery SET state = 'claimed', attempt = attempt + 1 FROM first
    WHERE delivery.delivery_id = first.delivery_id
    RETURNING delivery.delivery_id
"""
_LEASE = """
    UPDATE delivery_line SET due_at = CASE WHEN EXISTS (
        SELECT FROM delivery WHERE delivery.endpoint_id = delivery_line.endpoint_id
        AND delivery.subject = delivery_line.subject AND state = 'claimed') THEN $3::timestamptz END
    FROM unnest($1::uuid[], $2::text[]) AS line (endpoint_id, subject)
    WHERE (delivery_line.endpoint_id, delivery_line.subject) = (line.endpoint_id, line.subject)
"""
_CLAIMED = """
    SELECT delivery.tenant, delivery_id, delivery.endpoint_id, delivery.event_id,
           delivery.subject, delivery.type, attempt, url, body, secret, old_secret, old_until
    FROM delivery JOIN endpoint USING (endpoint_id)
    JOIN webhook_event ON (webhook_event.tenant, webhook_event.event_id)
                        = (delivery.tenant, delivery.event_id)
    WHERE delivery_id = ANY($1::uuid[]) ORDER BY delivery.position
"""
_HOLD_LINES = """
    SELECT FROM delivery_line WHERE (endpoint_id, subject) IN (
        SELECT * FROM unnest($1::uuid[], $2::text[]))
    ORDER BY endpoint_id, subject FOR UPDATE
"""
# Of an attempt whose lease ended meanwhile the delivery says another number: it is not ours.
_SETTLE = """
    WITH told AS (
        SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::text[], $6::int[])
            AS told (delivery_id, attempt, state, status, error, took_ms)
    ), ended AS (
        UPDATE delivery SET state = told.state,
               ended_at = CASE WHEN told.state = 'waiting' THEN NULL ELSE $7::timestamptz END
        FROM told WHERE delivery.delivery_id = told.delivery_id
          AND delivery.state = 'claimed' AND delivery.attempt = told.attempt
        RETURNING delivery.tenant, delivery.delivery_id, delivery.attempt, status, error, took_ms
    )
    INSERT INTO delivery_attempt
        (tenant, delivery_id, number, ended_at, status, error, duration_ms)
    SELECT tenant, delivery_id, attempt, $7, status, error, took_ms FROM ended
    RETURNING delivery_id
"""
_MOVE_ON = """
    UPDATE delivery_line SET due_at = CASE WHEN told.state = 'waiting' THEN told.due_at
        WHEN EXISTS (SELECT FROM delivery WHERE delivery.endpoint_id = delivery_line.endpoint_id
                     AND delivery.subject = delivery_line.subject
                     AND delivery.state IN ('waiting', 'claimed')) THEN $5::timestamptz END
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
        AS told (endpoint_id, subject, state, due_at)
    WHERE (delivery_line.endpoint_id, delivery_line.subject) = (told.endpoint_id, told.subject)
"""
_TIDY = """
    WITH old AS (
        DELETE FROM webhook_event WHERE (tenant, event_id) IN (
            SELECT tenant, event_id FROM webhook_event WHERE kept_at < $1
            ORDER BY kept_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        RETURNING tenant, event_id
    ), gone AS (
        DELETE FROM delivery USING old
        WHERE (delivery.tenant, delivery.event_id) = (old.tenant, old.event_id)
        RETURNING delivery.endpoint_id, delivery.subject
    ), line AS (
        DELETE FROM delivery_line USING gone WHERE due_at IS NULL
        AND (delivery_line.endpoint_id, delivery_line.subject) = (gone.endpoint_id, gone.subject)
    )
    SELECT count(*) FROM old
"""


@dataclass(frozen=True, slots=True)
class Subscribed:
    """An endpoint, and what it wants."""

    tenant: TenantId
    endpoint_id: UUID
    types: Sequence[str]
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """An event as it goes out. `wanted_by` are the endpoints that it is sent to."""

    tenant: TenantId
    event_id: UUID
    type: str
    subject: str
    body: str
    wanted_by: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that is ours until the lease ends. `attempt` is the number of this one."""

    tenant: TenantId
    delivery_id: UUID
    endpoint_id: UUID
    event_id: UUID
    subject: str
    type: str
    attempt: int
    url: str
    body: str
    keys: Keys


@dataclass(frozen=True, slots=True)
class Lease:
    """How much to take: what is due at `now`, until `until`, `limit` in all and `each` of one."""

    now: datetime
    until: datetime
    limit: int
    each: int


@dataclass(frozen=True, slots=True)
class Settling:
    """A delivery's attempt that has ended, and what follows."""

    taken: Taken
    ended: Ended
    then: Then


async def subscribed(conn: Connection, tenants: Sequence[TenantId]) -> Sequence[Subscribed]:
    """Every endpoint of these tenants."""
    return [
        Subscribed(TenantId(row["tenant"]), row["endpoint_id"], row["types"], row["is_enabled"])
        for row in await conn.fetch(_ENDPOINTS, tenants)
    ]


async def keep(conn: Connection, events: Sequence[Kept], now: datetime) -> None:
    """Keep the events, in this order, and line them up where they are wanted; each of them once."""
    wanted = [(each.event_id, endpoint) for each in events for endpoint in each.wanted_by]
    await conn.execute(
        _KEEP,
        [each.tenant for each in events],
        [each.event_id for each in events],
        [each.type for each in events],
        [each.subject for each in events],
        [each.body for each in events],
        [event_id for event_id, _ in wanted],
        [endpoint for _, endpoint in wanted],
        now,
    )


async def take(conn: Connection, lease: Lease, busy: Mapping[UUID, int]) -> list[Taken]:
    """Take the first of lines that are due; `busy` is how many of an endpoint are under way."""
    lines = await conn.fetch(
        _TAKE_LINES, lease.now, lease.limit, lease.each, list(busy), list(busy.values())
    )
    if not lines:
        return []
    named = [row["endpoint_id"] for row in lines], [row["subject"] for row in lines]
    claimed = [row["delivery_id"] for row in await conn.fetch(_CLAIM, *named)]
    await conn.execute(_LEASE, *named, lease.until)
    return [
        Taken(
            **{name: row[name] for name in _TAKEN},
            keys=Keys(row["secret"], row["old_secret"], row["old_until"]),
        )
        for row in await conn.fetch(_CLAIMED, claimed)
    ]


_TAKEN = (
    *("tenant", "delivery_id", "endpoint_id", "event_id", "subject", "type"),
    *("attempt", "url", "body"),
)


async def settle(conn: Connection, ended: Sequence[Settling], now: datetime) -> set[UUID]:
    """Write down how attempts ended, and let their lines go on. Those that were still ours."""
    lines = [(each.taken.endpoint_id, each.taken.subject) for each in ended]
    await conn.execute(
        _HOLD_LINES, [endpoint for endpoint, _ in lines], [subject for _, subject in lines]
    )
    rows = await conn.fetch(
        _SETTLE,
        [each.taken.delivery_id for each in ended],
        [each.taken.attempt for each in ended],
        [each.then.state for each in ended],
        [each.ended.status for each in ended],
        [each.ended.error for each in ended],
        [each.ended.took // timedelta(milliseconds=1) for each in ended],
        now,
    )
    ours = {row["delivery_id"] for row in rows}
    moving = [each for each in ended if each.taken.delivery_id in ours]
    await conn.execute(
        _MOVE_ON,
        [each.taken.endpoint_id for each in moving],
        [each.taken.subject for each in moving],
        [each.then.state for each in moving],
        [each.then.due_at for each in moving],
        now,
    )
    return ours


async def tidy(conn: Connection, before: datetime, limit: int) -> int:
    """Delete events kept before an instant, with their deliveries; how many events."""
    gone: int = await conn.fetchval(_TIDY, before, limit)
    return gone
