"""Rows of `message` as the domain's values, and back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from services.notifications.domain.message import Cause, Message
from services.notifications.domain.planned import Planned
from services.notifications.rendering import Reader
from shared.ids import NotificationId, PairId, PersonId, TenantId

# Name and type of what is written of a new message, in the order of `columns_of`.
COLUMNS: tuple[tuple[str, str], ...] = (
    ("message_id", "uuid"),
    ("tenant", "text"),
    ("person_id", "text"),
    ("pair_id", "uuid"),
    ("mentor_id", "text"),
    ("mentee_id", "text"),
    ("workflow", "text"),
    ("channel", "text"),
    ("thread", "uuid"),
    ("params", "text"),
    ("about", "uuid"),
    ("not_before", "timestamptz"),
    ("expires_at", "timestamptz"),
    ("is_urgent", "bool"),
    ("event_id", "uuid"),
    ("fact_type", "text"),
    ("ce_id", "text"),
    ("correlation_id", "text"),
    ("traceparent", "text"),
    ("value", "int2"),
    ("state", "text"),
    ("reason", "text"),
    ("due_at", "timestamptz"),
    ("digest_id", "uuid"),
)

# A tenant's own words for a message `{0}` to a reader `p`, in their language, as `words`.
OWN_WORDS = """
    LEFT JOIN LATERAL (
        SELECT template AS words FROM words
        WHERE words.tenant = {0}.tenant AND words.workflow = {0}.workflow
          AND words.language = split_part(coalesce(p.locale, 'en'), '-', 1)
        ORDER BY revision DESC LIMIT 1
    ) AS own ON true
"""


def columns_of(rows: Sequence[Planned]) -> list[list[Any]]:
    """The rows turned on their side: one list for each of COLUMNS."""
    return [list(column) for column in zip(*map(_values, rows), strict=True)]


def _values(row: Planned) -> tuple[Any, ...]:
    message, cause = row.message, row.message.cause
    return (
        message.message_id,
        message.tenant,
        message.to,
        message.pair_id,
        message.mentor_id,
        message.mentee_id,
        message.workflow,
        message.channel,
        message.thread,
        orjson.dumps(message.params).decode(),
        message.about,
        message.not_before,
        message.expires_at,
        message.is_urgent,
        cause.event_id,
        cause.fact_type,
        cause.ce_id,
        cause.correlation_id,
        cause.traceparent,
        row.value,
        row.state,
        row.reason,
        row.due_at,
        row.digest_id,
    )


def message_of(row: asyncpg.Record) -> Message:
    """The message's own columns. What the release before this one wrote says less."""
    not_before: datetime = row["not_before"] or row["created_at"]
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
        about=row["about"] or row["pair_id"],
        not_before=not_before,
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


def reader_of(row: asyncpg.Record) -> Reader:
    """The reader's part of a row that was joined with the address book."""
    return Reader(
        name=row["display_name"],
        other_name=row["other_name"],
        locale=row["locale"] or "en",
        timezone=row["timezone"] or "UTC",
        words=row["words"],
    )
