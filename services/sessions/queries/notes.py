"""Statements on notes. No other module reads the table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.sessions.domain.note import Note, Text
from services.sessions.domain.pair import Pair
from shared.ids import PairId, PersonId, SessionId, TenantId
from shared.postgres.pool import Connection

_COLUMNS = """tenant, note_id, pair_id, session_id, written_by, written_at, edited_at, text,
    revision"""

_FIND = f"SELECT {_COLUMNS} FROM note WHERE tenant = $1 AND note_id = $2"
_PAGE = f"""
    SELECT {_COLUMNS} FROM note
    WHERE tenant = $1 AND pair_id = $2 AND ($3::uuid IS NULL OR session_id = $3)
      AND ($4::timestamptz IS NULL OR (written_at, note_id) < ($4, $5::uuid))
    ORDER BY written_at DESC, note_id DESC LIMIT $6
"""
_COUNT = "SELECT count(*) FROM note WHERE tenant = $1 AND pair_id = $2"
_SAVE = f"""
    INSERT INTO note ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (tenant, note_id) DO UPDATE
    SET session_id = excluded.session_id, edited_at = excluded.edited_at, text = excluded.text,
        revision = excluded.revision
"""
_DELETE = "DELETE FROM note WHERE tenant = $1 AND note_id = $2"


class After(NamedTuple):
    """The last note of the page before."""

    written_at: datetime
    note_id: UUID


async def find(conn: Connection, tenant: TenantId, note_id: UUID) -> Note | None:
    row = await conn.fetchrow(_FIND, tenant, note_id)
    return _note(row) if row else None


async def page(
    conn: Connection, pair: Pair, session_id: UUID | None, after: After | None, limit: int
) -> Sequence[Note]:
    """A pair's notes, the newest first, after the last of the page before.

    Only of that session, when one is named.
    """
    at, id_ = after or (None, None)
    rows = await conn.fetch(_PAGE, pair.tenant, pair.pair_id, session_id, at, id_, limit)
    return [_note(row) for row in rows]


async def count(conn: Connection, pair: Pair) -> int:
    kept: int = await conn.fetchval(_COUNT, pair.tenant, pair.pair_id)
    return kept


async def save(conn: Connection, notes: Sequence[Note]) -> None:
    """Insert notes, or write what they say now."""
    await conn.executemany(_SAVE, [_row(each) for each in notes])


async def delete(conn: Connection, note: Note) -> None:
    await conn.execute(_DELETE, note.tenant, note.note_id)


def _note(row: asyncpg.Record) -> Note:
    session_id = row["session_id"]
    return Note(
        TenantId(row["tenant"]),
        PairId(row["pair_id"]),
        row["note_id"],
        PersonId(row["written_by"]),
        row["written_at"],
        Text(row["text"], SessionId(session_id) if session_id else None),
        row["edited_at"],
        row["revision"],
    )


def _row(note: Note) -> tuple[object, ...]:
    return (
        note.tenant,
        note.note_id,
        note.pair_id,
        note.content.session_id,
        note.written_by,
        note.written_at,
        note.edited_at,
        note.content.text,
        note.revision,
    )
