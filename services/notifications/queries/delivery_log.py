"""Statements on what was sent to an endpoint, and on sending it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.notifications.domain.webhook import PING
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

_SHOWN = """delivery_id, event_id, position, type, subject, state, attempt, replay_id, created_at,
            ended_at"""
_PAGE = f"""
    SELECT {_SHOWN} FROM delivery
    WHERE tenant = $1 AND endpoint_id = $2 AND position < $3 AND coalesce(state = ANY($4), true)
    ORDER BY position DESC LIMIT $5
"""
_ATTEMPTS = """
    SELECT delivery_id, number, ended_at, status, error, duration_ms FROM delivery_attempt
    WHERE delivery_id = ANY($1::uuid[]) ORDER BY attempt_id
"""
_FIND = f"""
    SELECT {_SHOWN} FROM delivery WHERE tenant = $1 AND endpoint_id = $2 AND delivery_id = $3
"""
_HOLD_LINE = """
    INSERT INTO delivery_line (tenant, endpoint_id, subject, due_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (endpoint_id, subject) DO UPDATE SET due_at = CASE
        WHEN EXISTS (SELECT FROM delivery WHERE endpoint_id = $2 AND subject = $3
                     AND state = 'claimed') THEN delivery_line.due_at
        ELSE excluded.due_at END
"""
_AGAIN = """
    UPDATE delivery SET state = 'waiting', attempt = 0, ended_at = NULL
    WHERE delivery_id = $1 AND state <> 'claimed'
"""
_ADD_REPLAY = """
    INSERT INTO replay
        (tenant, replay_id, endpoint_id, from_at, until_at, types, asked_at, asked_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_FIND_REPLAY = """
    SELECT replay_id, endpoint_id, from_at, until_at, types, queued, skipped, is_done, asked_at,
           asked_by, (SELECT count(*) FROM delivery WHERE delivery.replay_id = $3
                      AND state = 'delivered') AS delivered,
           (SELECT count(*) FROM delivery WHERE delivery.replay_id = $3
            AND state = 'failed') AS failed
    FROM replay WHERE tenant = $1 AND endpoint_id = $2 AND replay_id = $3
"""
_OPEN_REPLAY = """
    SELECT tenant, replay_id, endpoint_id, from_at, until_at, types, cursor FROM replay
    WHERE NOT is_done ORDER BY asked_at, replay_id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_TO_REPLAY = f"""
    SELECT event_id, position, type, subject FROM webhook_event
    WHERE tenant = $1 AND position > $2 AND kept_at >= $3 AND kept_at < $4 AND type <> '{PING}'
      AND (type = ANY($5) OR split_part(type, '.', 1) || '.*' = ANY($5) OR '*' = ANY($5))
    ORDER BY position LIMIT $6
"""
# The lines first, as everywhere. What is in a line already waits there once.
_LINES_FOR = """
    INSERT INTO delivery_line (tenant, endpoint_id, subject, due_at)
    SELECT DISTINCT $1, $2::uuid, subject, $4::timestamptz FROM unnest($3::text[]) AS told (subject)
    ORDER BY subject
    ON CONFLICT (endpoint_id, subject) DO UPDATE SET due_at = excluded.due_at
    WHERE delivery_line.due_at IS NULL
"""
_QUEUE_AGAIN = """
    INSERT INTO delivery (tenant, endpoint_id, event_id, position, type, subject, state, created_at,
                          replay_id)
    SELECT tenant, $2, event_id, position, type, subject, 'waiting', $5, $4 FROM webhook_event
    WHERE tenant = $1 AND event_id = ANY($3::uuid[]) ORDER BY position
    ON CONFLICT (endpoint_id, event_id) DO UPDATE
    SET (state, attempt, ended_at, replay_id) = ('waiting', 0, NULL, excluded.replay_id)
    WHERE delivery.state IN ('delivered', 'failed')
    RETURNING delivery_id
"""
_ADVANCE = """
    UPDATE replay SET cursor = $2, queued = queued + $3, skipped = skipped + $4, is_done = $5
    WHERE replay_id = $1
"""
LATEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt ended: a status, or the code of an error."""

    number: int
    ended_at: datetime
    status: int | None
    error: str | None
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event to one endpoint, and its attempts, the oldest first."""

    delivery_id: UUID
    event_id: UUID
    position: int
    type: str
    subject: str
    state: str
    attempt: int
    replay_id: UUID | None
    created_at: datetime
    ended_at: datetime | None
    attempts: Sequence[Attempt]


@dataclass(frozen=True, slots=True)
class Replay:
    """What is sent again: kept from `from_at` on and before `until_at`."""

    replay_id: UUID
    endpoint_id: UUID
    from_at: datetime
    until_at: datetime
    types: tuple[str, ...]
    asked_at: datetime
    asked_by: PersonId
    queued: int = 0
    skipped: int = 0
    is_done: bool = False
    delivered: int = 0
    failed: int = 0


async def page(
    conn: Connection,
    tenant: TenantId,
    endpoint_id: UUID,
    *,
    states: Sequence[str] | None,
    before: int,
    limit: int,
) -> Sequence[Delivery]:
    """Deliveries before that position, the newest event first."""
    rows = await conn.fetch(_PAGE, tenant, endpoint_id, before, states, limit)
    return await _deliveries(conn, rows)


async def find(
    conn: Connection, tenant: TenantId, endpoint_id: UUID, delivery_id: UUID
) -> Delivery | None:
    row = await conn.fetchrow(_FIND, tenant, endpoint_id, delivery_id)
    return (await _deliveries(conn, [row]))[0] if row else None


async def find_of_event(
    conn: Connection, tenant: TenantId, endpoint_id: UUID, event_id: UUID
) -> Delivery | None:
    """The delivery of an event to an endpoint."""
    statement = _FIND.replace("delivery_id = $3", "event_id = $3")
    row = await conn.fetchrow(statement, tenant, endpoint_id, event_id)
    return (await _deliveries(conn, [row]))[0] if row else None


async def again(
    conn: Connection, tenant: TenantId, endpoint_id: UUID, delivery: Delivery, now: datetime
) -> None:
    """Send it again as soon as it is the first of its line; nothing while it is under way."""
    await conn.execute(_HOLD_LINE, tenant, endpoint_id, delivery.subject, now)
    await conn.execute(_AGAIN, delivery.delivery_id)


async def add_replay(conn: Connection, tenant: TenantId, replay: Replay) -> None:
    """Keep what is to be sent again."""
    await conn.execute(
        _ADD_REPLAY,
        tenant,
        replay.replay_id,
        replay.endpoint_id,
        replay.from_at,
        replay.until_at,
        list(replay.types),
        replay.asked_at,
        replay.asked_by,
    )


async def find_replay(
    conn: Connection, tenant: TenantId, endpoint_id: UUID, replay_id: UUID
) -> Replay | None:
    """The replay, and how far it has come."""
    row = await conn.fetchrow(_FIND_REPLAY, tenant, endpoint_id, replay_id)
    if row is None:
        return None
    return Replay(**{**row, "types": tuple(row["types"])})


async def advance_replay(conn: Connection, now: datetime, limit: int) -> int | None:
    """Put the next events of the oldest open replay into their lines; None when there is none."""
    row = await conn.fetchrow(_OPEN_REPLAY)
    if row is None:
        return None
    tenant, endpoint_id = row["tenant"], row["endpoint_id"]
    found = await conn.fetch(
        _TO_REPLAY, tenant, row["cursor"], row["from_at"], row["until_at"], row["types"], limit
    )
    await conn.execute(_LINES_FOR, tenant, endpoint_id, [event["subject"] for event in found], now)
    wanted = [event["event_id"] for event in found]
    queued = await conn.fetch(_QUEUE_AGAIN, tenant, endpoint_id, wanted, row["replay_id"], now)
    cursor = found[-1]["position"] if found else row["cursor"]
    await conn.execute(
        _ADVANCE,
        row["replay_id"],
        cursor,
        len(queued),
        len(found) - len(queued),
        len(found) < limit,
    )
    return len(queued)


async def _deliveries(conn: Connection, rows: Sequence[asyncpg.Record]) -> Sequence[Delivery]:
    attempts: dict[UUID, list[Attempt]] = {row["delivery_id"]: [] for row in rows}
    for each in await conn.fetch(_ATTEMPTS, list(attempts)):
        named = {name: value for name, value in each.items() if name != "delivery_id"}
        attempts[each["delivery_id"]].append(Attempt(**named))
    return [Delivery(**row, attempts=attempts[row["delivery_id"]]) for row in rows]
