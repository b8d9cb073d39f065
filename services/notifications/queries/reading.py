"""The statements behind the API: inbox, timeline, the list of all. They change only `read_at`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import asyncpg

from services.notifications.domain.message import Message
from services.notifications.queries.rows import OWN_WORDS, message_of, reader_of
from services.notifications.rendering import Reader
from shared.ids import NotificationId, PersonId, TenantId
from shared.postgres.pool import Connection

INBOX: Final = "notifications_inbox"

_INBOX = f"""
    SELECT m.*, p.display_name, p.locale, p.timezone, o.display_name AS other_name, own.words
    FROM message m
    LEFT JOIN person p ON p.tenant = m.tenant AND p.person_id = m.person_id
    LEFT JOIN person o ON o.tenant = m.tenant AND o.person_id =
        CASE WHEN m.person_id = m.mentor_id THEN m.mentee_id ELSE m.mentor_id END
    {OWN_WORDS.format("m")}
    WHERE m.tenant = $1 AND m.person_id = $2 AND m.channel = 'inbox' AND m.state = 'sent'
      AND (NOT $3 OR m.read_at IS NULL) AND (m.sent_at, m.message_id) < ($4, $5)
    ORDER BY m.sent_at DESC, m.message_id DESC LIMIT $6
"""
_UNREAD = """
    SELECT count(*) FROM message
    WHERE tenant = $1 AND person_id = $2
      AND channel = 'inbox' AND state = 'sent' AND read_at IS NULL
"""
_MARK_READ = """
    UPDATE message
    SET read_at = CASE WHEN $4::timestamptz IS NOT NULL THEN coalesce(read_at, $4) END
    WHERE tenant = $1 AND person_id = $2 AND message_id = $3
      AND channel = 'inbox' AND state = 'sent'
    RETURNING read_at
"""
_MARK_ALL_READ = """
    UPDATE message SET read_at = $4
    WHERE tenant = $1 AND person_id = $2 AND channel = 'inbox' AND state = 'sent'
      AND read_at IS NULL AND sent_at <= $3
"""
# Heard by the streams of inboxes when the transaction commits; the payload names who, and no more.
_TELL = "SELECT pg_notify($1, $2 || '/' || person) FROM unnest($3::text[]) AS person"
_RECORDS = """
    SELECT message_id, person_id, pair_id, workflow, channel, state, reason, attempt, event_id,
           fact_type, created_at, expires_at, sent_at, read_at, due_at
    FROM message
    WHERE tenant = $1 AND ($2::text IS NULL OR person_id = $2)
      AND (created_at, message_id) < ($3, $4)
    ORDER BY created_at DESC, message_id DESC LIMIT $5
"""
_COUNTS = """
    SELECT workflow, channel, state, count(*) AS messages,
           count(*) FILTER (WHERE state IN ('claimed', 'waiting_for_address')
                               OR state IN ('queued', 'gathered') AND due_at <= $2) AS due
    FROM message
    WHERE tenant = $1 GROUP BY workflow, channel, state ORDER BY workflow, channel, state
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a list that is ordered from the newest to the oldest: what follows it is older."""

    at: datetime
    message_id: UUID


START: Final = Place(datetime(9999, 12, 31, tzinfo=UTC), UUID(int=0))


@dataclass(frozen=True, slots=True)
class Marked:
    """When a message was first read; None for one that is unread."""

    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """An inbox message before it has words."""

    message: Message
    reader: Reader
    sent_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Record:
    """What is on record about a message: everything but the words. `next_at` is when one that is
    still to be said is looked at again.
    """

    message_id: NotificationId
    person_id: PersonId
    pair_id: UUID
    workflow: str
    channel: str
    state: str
    reason: str | None
    attempts: int
    event_id: UUID
    fact_type: str
    created_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    read_at: datetime | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many messages of a workflow and channel are in a state.

    `due` are those to be handed over now; the others are done, or wait for their reader's hours.
    """

    workflow: str
    channel: str
    state: str
    messages: int
    due: int


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    limit: int
    after: Place = START


async def inbox(
    conn: Connection, tenant: TenantId, person: PersonId, page: Page, *, unread: bool
) -> list[Entry]:
    """The person's inbox, newest first."""
    place = page.after
    rows = await conn.fetch(_INBOX, tenant, person, unread, place.at, place.message_id, page.limit)
    return [Entry(message_of(row), reader_of(row), row["sent_at"], row["read_at"]) for row in rows]


async def count_unread(conn: Connection, tenant: TenantId, person: PersonId) -> int:
    """How many inbox messages the person has not read."""
    return int(await conn.fetchval(_UNREAD, tenant, person))


async def mark_read(
    conn: Connection, tenant: TenantId, person: PersonId, message_id: UUID, now: datetime | None
) -> Marked | None:
    """Mark as read, or with None as unread; None: no such message."""
    row = await conn.fetchrow(_MARK_READ, tenant, person, message_id, now)
    if row is None:
        return None
    await tell(conn, tenant, [person])
    return Marked(row["read_at"])


async def mark_all_read(
    conn: Connection, tenant: TenantId, person: PersonId, until: datetime, now: datetime
) -> int:
    """Mark as read what came until then; how many were unread."""
    status = await conn.execute(_MARK_ALL_READ, tenant, person, until, now)
    await tell(conn, tenant, [person])
    return int(status.rsplit(" ", 1)[-1])


async def tell(conn: Connection, tenant: TenantId, people: Iterable[PersonId]) -> None:
    """Have the open streams of these inboxes look, once the transaction has committed."""
    await conn.execute(_TELL, INBOX, tenant, sorted(set(people)))


async def records(
    conn: Connection, tenant: TenantId, page: Page, *, person: PersonId | None = None
) -> list[Record]:
    """The messages of a person, or of the whole tenant, newest first."""
    place = page.after
    rows = await conn.fetch(_RECORDS, tenant, person, place.at, place.message_id, page.limit)
    return [_record(row) for row in rows]


async def counts(conn: Connection, tenant: TenantId, now: datetime) -> Sequence[Count]:
    """How many messages the tenant has in each workflow, channel and state; how many are due."""
    return [Count(*row) for row in await conn.fetch(_COUNTS, tenant, now)]


def _record(row: asyncpg.Record) -> Record:
    values = dict(row)
    due_at = values.pop("due_at")
    next_at = due_at if values["state"] in ("queued", "gathered") else None
    return Record(attempts=values.pop("attempt"), next_at=next_at, **values)
