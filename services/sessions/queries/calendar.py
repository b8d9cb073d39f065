"""Statements on people's calendars: whose address it is, and what is shown there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.sessions.calendar_feed import Due, Meeting
from services.sessions.domain.pair import Pair
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

_SAVE = """
    INSERT INTO calendar (tenant, person_id, digest, since) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant, person_id) DO UPDATE
    SET digest = excluded.digest, since = excluded.since
"""
_FORGET = "DELETE FROM calendar WHERE tenant = $1 AND person_id = $2"
_SINCE = "SELECT since FROM calendar WHERE tenant = $1 AND person_id = $2"
_OWNER = "SELECT person_id FROM calendar WHERE tenant = $1 AND digest = $2"
# What is published about a thing says when it last changed.
_CHANGES = """
    SELECT (fact ->> $3)::uuid AS id, max(occurred_at) AS changed_at
    FROM history WHERE tenant = $1 AND pair_id = ANY ($2::uuid[]) AND fact ? $3 GROUP BY 1
"""
_MEETINGS = f"""
    SELECT session.*, changes.changed_at FROM session
    LEFT JOIN ({_CHANGES}) changes ON changes.id = session.session_id
    WHERE session.tenant = $1 AND pair_id = ANY ($2::uuid[]) AND starts_at BETWEEN $4 AND $5
      AND state IN ('scheduled', 'held', 'cancelled', 'released')
    ORDER BY starts_at, session_id LIMIT $6
"""
_PROMISES = f"""
    SELECT commitment.*, changes.changed_at FROM commitment
    LEFT JOIN ({_CHANGES}) changes ON changes.id = commitment.commitment_id
    WHERE commitment.tenant = $1 AND pair_id = ANY ($2::uuid[]) AND made_by = $4
      AND state IN ('made', 'open') AND due_at < $5
    ORDER BY due_at, commitment_id LIMIT $6
"""


async def save(
    conn: Connection, tenant: TenantId, person: PersonId, digest: bytes, since: datetime
) -> None:
    """Let the secret with this digest open the person's calendar, and none from before."""
    await conn.execute(_SAVE, tenant, person, digest, since)


async def forget(conn: Connection, tenant: TenantId, person: PersonId) -> None:
    """Let no secret open the person's calendar."""
    await conn.execute(_FORGET, tenant, person)


async def since(conn: Connection, tenant: TenantId, person: PersonId) -> datetime | None:
    """Since when the person's calendar has its address; None when it has none."""
    instant: datetime | None = await conn.fetchval(_SINCE, tenant, person)
    return instant


async def owner(conn: Connection, tenant: TenantId, digest: bytes) -> PersonId | None:
    """Whose calendar the secret with this digest opens."""
    person: str | None = await conn.fetchval(_OWNER, tenant, digest)
    return PersonId(person) if person is not None else None


async def meetings(
    conn: Connection,
    pairs: Sequence[Pair],
    person: PersonId,
    between: tuple[datetime, datetime],
    limit: int,
) -> Sequence[Meeting]:
    """The sessions of these pairs that start between two instants, in order of their start."""
    if not pairs:
        return []
    ids, known = [pair.pair_id for pair in pairs], {pair.pair_id: pair for pair in pairs}
    rows = await conn.fetch(_MEETINGS, pairs[0].tenant, ids, "session_id", *between, limit)
    return [_meeting(row, known[row["pair_id"]], person) for row in rows]


async def promises(
    conn: Connection, pairs: Sequence[Pair], person: PersonId, until: datetime, limit: int
) -> Sequence[Due]:
    """The open promises of `person` in these pairs that are due before `until`, soonest first."""
    if not pairs:
        return []
    ids, known = [pair.pair_id for pair in pairs], {pair.pair_id: pair for pair in pairs}
    rows = await conn.fetch(_PROMISES, pairs[0].tenant, ids, "commitment_id", person, until, limit)
    return [
        Due(
            row["commitment_id"],
            row["due_at"],
            row["revision"] - 1,
            row["changed_at"] or row["made_at"],
            row["title"],
            _partner(known[row["pair_id"]], person),
        )
        for row in rows
    ]


def _meeting(row: asyncpg.Record, pair: Pair, person: PersonId) -> Meeting:
    changed_at = row["changed_at"] or pair.started_at
    # That a pair's end released what lay after it is published by nobody: the end itself says it.
    if row["state"] == "released" and pair.ended_at is not None:
        changed_at = max(changed_at, pair.ended_at)
    goes_on = row["state"] in ("scheduled", "held")
    return Meeting(
        row["session_id"],
        row["starts_at"],
        row["ends_at"],
        "confirmed" if goes_on else "cancelled",
        row["sequence"] + (not goes_on),
        changed_at,
        _partner(pair, person),
        row["channel"],
    )


def _partner(pair: Pair, person: PersonId) -> str | None:
    return pair.member(pair.other(person)).name
