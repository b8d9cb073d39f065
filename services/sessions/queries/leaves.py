"""Statements on leaves, and on all the days a person is away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

# A leave may be told before its person: what a row without a name says is what no row would.
_HOLD = """
    INSERT INTO person (tenant, person_id, timezone, as_of) VALUES ($1, $2, 'UTC', '-infinity')
    ON CONFLICT (tenant, person_id) DO UPDATE SET as_of = person.as_of
    RETURNING timezone, country, away::text
"""
# Of two facts of one instant the one that knows the end is the newer.
_SAVE = """
    INSERT INTO leave (tenant, person_id, leave_id, started_on, back_on, as_of)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (tenant, person_id, leave_id) DO UPDATE
    SET started_on = excluded.started_on, back_on = excluded.back_on, as_of = excluded.as_of
    WHERE leave.as_of < excluded.as_of
       OR (leave.as_of = excluded.as_of AND excluded.back_on IS NOT NULL)
"""
_GATHER = """
    UPDATE person SET away = coalesce(
        (SELECT range_agg(daterange(started_on, back_on)) FROM leave
         WHERE leave.tenant = $1 AND leave.person_id = $2), '{}')
    WHERE tenant = $1 AND person_id = $2 RETURNING timezone, country, away::text
"""
_FORGET = "DELETE FROM leave WHERE tenant = $1 AND person_id = $2"


@dataclass(frozen=True, slots=True)
class Days:
    """What decides which days a person is there; to be compared with what it was."""

    zone: str
    country: str | None
    away: str


async def hold(conn: Connection, tenant: TenantId, person: PersonId) -> Days:
    """The person's days, held until the transaction ends: leaves of one are told one by one."""
    return Days(*await conn.fetchrow(_HOLD, tenant, person))  # type: ignore[misc]


async def save(
    conn: Connection,
    tenant: TenantId,
    person: PersonId,
    leave_id: str,
    days: tuple[date, date | None],
    as_of: datetime,
) -> None:
    """Keep the newest that is known of a leave: its first day, and the day they are back."""
    await conn.execute(_SAVE, tenant, person, leave_id, *days, as_of)


async def gather(conn: Connection, tenant: TenantId, person: PersonId) -> Days:
    """Put all leaves of a person together. The caller holds the person."""
    return Days(*await conn.fetchrow(_GATHER, tenant, person))  # type: ignore[misc]


async def forget(conn: Connection, tenant: TenantId, person: PersonId) -> None:
    """Forget that the person was ever away. What was moved stays where it is."""
    await conn.execute(_FORGET, tenant, person)
