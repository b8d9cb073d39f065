"""Statements on what both sides may read of what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from services.sessions.domain.pair import Pair
from shared.events import topics
from shared.events.envelope import Event
from shared.postgres import outbox
from shared.postgres.pool import Connection

_APPEND = f"""
    WITH told AS ({outbox.APPEND} RETURNING outbox.*)
    INSERT INTO history (tenant, pair_id, occurred_at, event_id, type, fact)
    SELECT tenant, subject::uuid, "time", id, type, convert_from(payload, 'UTF8')::jsonb
    FROM told WHERE aggregatetype = '{topics.SESSIONS.name}' AND type NOT LIKE 'reply.%'
"""
_PAGE = """
    SELECT history.occurred_at, history.event_id, history.type, history.fact::text AS fact,
           commitment.title
    FROM history LEFT JOIN commitment
      ON commitment.tenant = history.tenant
     AND commitment.commitment_id = (history.fact ->> 'commitment_id')::uuid
    WHERE history.tenant = $1 AND history.pair_id = $2
      AND ($3::timestamptz IS NULL OR (history.occurred_at, history.event_id) < ($3, $4::uuid))
    ORDER BY history.occurred_at DESC, history.event_id DESC LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened, as it was published, with the pair's own title for it."""

    occurred_at: datetime
    event_id: UUID
    type: str
    fact: dict[str, object]
    title: str | None


@dataclass(frozen=True, slots=True)
class After:
    """The last entry of the page before."""

    occurred_at: datetime
    event_id: UUID


async def append(conn: Connection, events: Sequence[Event]) -> None:
    """Publish facts of pairs, as `outbox.append` does, and let each pair read its own.

    One statement for both. Facts of another topic are published only: a private answer never enters
    what a pair can read. That somebody is waited for is told while it is so, and no longer.
    """
    if events:
        await conn.execute(_APPEND, *outbox.columns(events))


async def page(conn: Connection, pair: Pair, after: After | None, limit: int) -> Sequence[Entry]:
    """What happened in a pair, the newest first, after the last entry of the page before."""
    at, event_id = (after.occurred_at, after.event_id) if after else (None, None)
    rows = await conn.fetch(_PAGE, pair.tenant, pair.pair_id, at, event_id, limit)
    return [
        Entry(
            row["occurred_at"],
            row["event_id"],
            row["type"],
            orjson.loads(row["fact"]),
            row["title"],
        )
        for row in rows
    ]
