"""The statements that write messages: added, claimed, settled. Reading is in `reading`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from services.notifications.domain.attempt import Next
from services.notifications.domain.message import Cause, Message, State
from services.notifications.rendering import Reader
from shared.ids import NotificationId, PairId, PersonId, TenantId
from shared.postgres.pool import Connection

_SUPPRESS_PERSON = """
    UPDATE message SET state = 'suppressed', reason = 'person_left'
    WHERE tenant = $1 AND person_id = $2 AND state IN ('waiting_for_address', 'queued')
"""
_ADD_MESSAGE = """
    INSERT INTO message (message_id, tenant, person_id, pair_id, mentor_id, mentee_id, workflow,
                         channel, thread, params, event_id, fact_type, ce_id, correlation_id,
                         traceparent, state, reason, due_at, expires_at, created_at, sent_at,
                         about, not_before, is_urgent)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12, $13, $14, $15, $16, $17,
            $19, $18, $19, CASE WHEN $16 = 'sent' THEN $19::timestamptz END, $20, $21, $22)
    ON CONFLICT DO NOTHING RETURNING 1
"""
# A row whose lease is over was taken by a sender that is gone: it is due again like any other.
_CLAIM = """
    WITH due AS (
        SELECT message_id FROM message
        WHERE channel = $1 AND state IN ('queued', 'claimed') AND due_at <= $2 AND expires_at > $2
        ORDER BY due_at, message_id LIMIT $4 FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE message m SET state = 'claimed', attempt = m.attempt + 1, due_at = $3
        FROM due WHERE m.message_id = due.message_id RETURNING m.*
    )
    SELECT c.*, p.email, p.display_name, p.locale, p.timezone, o.display_name AS other_name
    FROM claimed c
    LEFT JOIN person p ON p.tenant = c.tenant AND p.person_id = c.person_id
    LEFT JOIN person o ON o.tenant = c.tenant AND o.person_id =
        CASE WHEN c.person_id = c.mentor_id THEN c.mentee_id ELSE c.mentor_id END
    ORDER BY c.created_at, c.message_id
"""
# That the server took it is true whoever holds the claim by now: this is not tied to the attempt.
_SETTLE_SENT = """
    UPDATE message SET state = 'sent', sent_at = $2, reason = NULL
    WHERE message_id = $1 AND state IN ('claimed', 'queued') RETURNING 1
"""
# Anything else counts only if nobody has claimed the message since.
_SETTLE_OTHER = """
    UPDATE message SET state = $3, reason = $4, attempt = $5, due_at = $6
    WHERE message_id = $1 AND state = 'claimed' AND attempt = $2 RETURNING 1
"""
_RELEASE = """
    UPDATE message SET state = found.state, reason = found.reason, due_at = $1
    FROM (SELECT m.message_id, CASE WHEN p.has_left THEN 'suppressed' ELSE 'queued' END AS state,
                 CASE WHEN p.has_left THEN 'person_left' END AS reason
          FROM message m JOIN person p ON p.tenant = m.tenant AND p.person_id = m.person_id
          WHERE m.state = 'waiting_for_address' AND m.expires_at > $1
          LIMIT $2 FOR UPDATE OF m SKIP LOCKED) found
    WHERE message.message_id = found.message_id
"""
_EXPIRE = """
    UPDATE message SET state = 'expired', reason = 'too_late'
    WHERE message_id IN (
        SELECT message_id FROM message
        WHERE expires_at <= $1 AND (state IN ('waiting_for_address', 'queued')
                                    OR (state = 'claimed' AND due_at <= $1))
        LIMIT $2 FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this process may send until its lease ends; no `address`: they have left."""

    message: Message
    attempt: int
    address: str | None
    reader: Reader


async def suppress_person(conn: Connection, tenant: TenantId, person_id: PersonId) -> None:
    """Take back what has not been sent to the person."""
    await conn.execute(_SUPPRESS_PERSON, tenant, person_id)


async def add_message(
    conn: Connection, message: Message, state: State, reason: str | None, now: datetime
) -> bool:
    """Add the message; False, and nothing changes, when it is already there."""
    cause = message.cause
    return bool(
        await conn.fetchval(
            _ADD_MESSAGE,
            message.message_id,
            message.tenant,
            message.to,
            message.pair_id,
            message.mentor_id,
            message.mentee_id,
            message.workflow,
            message.channel,
            message.thread,
            orjson.dumps(dict(message.params)).decode(),
            cause.event_id,
            cause.fact_type,
            cause.ce_id,
            cause.correlation_id,
            cause.traceparent,
            state,
            reason,
            message.expires_at,
            now,
            message.about,
            message.not_before,
            message.is_urgent,
        )
    )


async def claim(
    conn: Connection, channel: str, now: datetime, lease_until: datetime, limit: int
) -> list[Claimed]:
    """Take up to `limit` messages that are due, for nobody else until `lease_until`."""
    return [_claimed(row) for row in await conn.fetch(_CLAIM, channel, now, lease_until, limit)]


async def settle_sent(conn: Connection, message_id: NotificationId, now: datetime) -> bool:
    """Write down that the message was sent; False when that was known."""
    return bool(await conn.fetchval(_SETTLE_SENT, message_id, now))


async def settle(conn: Connection, message_id: UUID, claimed_attempt: int, then: Next) -> bool:
    """Write down what comes next; False when the claim has passed to somebody else."""
    return bool(
        await conn.fetchval(
            _SETTLE_OTHER,
            message_id,
            claimed_attempt,
            then.state,
            then.reason,
            then.attempt,
            then.due_at,
        )
    )


async def release(conn: Connection, now: datetime, limit: int) -> int:
    """Queue what waited for an address that has come; how many were looked after."""
    return _count(await conn.execute(_RELEASE, now, limit))


async def expire(conn: Connection, now: datetime, limit: int) -> int:
    """Drop what is of no use any more; how many."""
    return _count(await conn.execute(_EXPIRE, now, limit))


def _count(status: str) -> int:
    return int(status.rsplit(" ", 1)[-1])


def _claimed(row: asyncpg.Record) -> Claimed:
    return Claimed(message_of(row), row["attempt"], row["email"], reader_of(row))


def reader_of(row: asyncpg.Record) -> Reader:
    """The reader's part of a row that was joined with the address book."""
    return Reader(
        name=row["display_name"],
        other_name=row["other_name"],
        locale=row["locale"] or "en",
        timezone=row["timezone"] or "UTC",
    )


def message_of(row: asyncpg.Record) -> Message:
    """The message's own columns."""
    return Message(
        message_id=NotificationId(row["message_id"]),
        tenant=TenantId(row["tenant"]),
        pair_id=PairId(row["pair_id"]),
        mentor_id=PersonId(row["mentor_id"]),
        mentee_id=PersonId(row["mentee_id"]),
        to=PersonId(row["person_id"]),
        workflow=row["workflow"],
        channel=row["channel"],
        thread=row["thread"],
        params=orjson.loads(row["params"]),
        about=row["about"],
        not_before=row["not_before"],
        expires_at=row["expires_at"],
        is_urgent=row["is_urgent"],
        cause=Cause(
            event_id=row["event_id"],
            fact_type=row["fact_type"],
            ce_id=row["ce_id"],
            correlation_id=row["correlation_id"],
            traceparent=row["traceparent"],
        ),
    )
