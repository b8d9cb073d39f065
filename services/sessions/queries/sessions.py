"""Statements on sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from services.sessions.domain.pair import Pair
from services.sessions.domain.session import Session, Slot
from services.sessions.queries.sweeps import Swept
from shared.ids import PairId, PersonId, SessionId, TenantId
from shared.postgres.pool import Connection

_COLUMNS = """tenant, session_id, pair_id, scheduled_by, starts_at, ends_at, duration_minutes,
    confirmed_by, sweep_at, state, revision"""

_FIND = f"SELECT {_COLUMNS} FROM session WHERE tenant = $1 AND session_id = $2"
_TAKEN = """
    SELECT starts_at, duration_minutes FROM session
    WHERE tenant = $1 AND pair_id = $2 AND state IN ('scheduled', 'held') AND ends_at > $3
"""
_NEXT = f"""
    SELECT {_COLUMNS} FROM session
    WHERE tenant = $1 AND pair_id = $2 AND state = 'scheduled' AND starts_at > $3
    ORDER BY starts_at LIMIT 1
"""
_TO_CONFIRM = f"""
    SELECT {_COLUMNS} FROM session
    WHERE tenant = $1 AND pair_id = $2 AND state = 'scheduled' AND starts_at <= $3
      AND sweep_at > $3 AND NOT confirmed_by @> ARRAY[$4::text]
    ORDER BY starts_at LIMIT $5
"""
_SAVE = f"""
    INSERT INTO session ({_COLUMNS})
    SELECT tenant, session_id, pair_id, scheduled_by, starts_at,
           starts_at + make_interval(mins => duration_minutes), duration_minutes,
           -- unnest flattens arrays of arrays; the two who may confirm come side by side.
           array_remove(ARRAY[first, second], NULL), sweep_at, state, revision
    FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::int[],
                $7::text[], $8::text[], $9::timestamptz[], $10::text[], $11::int[])
      AS row(tenant, session_id, pair_id, scheduled_by, starts_at, duration_minutes,
             first, second, sweep_at, state, revision)
    ON CONFLICT (tenant, session_id) DO UPDATE
    SET confirmed_by = excluded.confirmed_by, state = excluded.state, revision = excluded.revision
"""


async def find(conn: Connection, tenant: TenantId, session_id: UUID) -> Session | None:
    row = await conn.fetchrow(_FIND, tenant, session_id)
    return session_of(row) if row else None


async def taken(conn: Connection, pair: Pair, now: datetime) -> Sequence[Slot]:
    """When the pair is to meet, or meets now."""
    rows = await conn.fetch(_TAKEN, pair.tenant, pair.pair_id, now)
    return [Slot(row["starts_at"], row["duration_minutes"]) for row in rows]


async def upcoming(conn: Connection, pair: Pair, now: datetime) -> Session | None:
    """The next session of the pair."""
    row = await conn.fetchrow(_NEXT, pair.tenant, pair.pair_id, now)
    return session_of(row) if row else None


async def to_confirm(
    conn: Connection, pair: Pair, person: PersonId, now: datetime, limit: int
) -> Sequence[Session]:
    """Sessions that have started and wait for `person` to say that they took place."""
    rows = await conn.fetch(_TO_CONFIRM, pair.tenant, pair.pair_id, now, person, limit)
    return [session_of(row) for row in rows]


async def save(conn: Connection, sessions: Sequence[Session]) -> None:
    """Insert sessions, or write what became of them."""
    if not sessions:
        return
    await conn.execute(_SAVE, *zip(*map(_row, sessions), strict=True))


def session_of(row: asyncpg.Record) -> Session:
    """The session in a row that holds the session's columns."""
    return Session(
        TenantId(row["tenant"]),
        PairId(row["pair_id"]),
        SessionId(row["session_id"]),
        PersonId(row["scheduled_by"]),
        Slot(row["starts_at"], row["duration_minutes"]),
        row["sweep_at"],
        tuple(PersonId(person) for person in row["confirmed_by"]),
        row["state"],
        row["revision"],
    )


def _row(session: Session) -> tuple[object, ...]:
    first, second, *_ = (*session.confirmed_by, None, None)
    return (
        session.tenant,
        session.session_id,
        session.pair_id,
        session.scheduled_by,
        session.slot.starts_at,
        session.slot.duration_minutes,
        first,
        second,
        session.sweep_at,
        session.state,
        session.revision,
    )


# What the sweeper looks at: rows whose state is still open.
SWEPT = Swept("session", "state = 'scheduled'", session_of)
