"""Statements on people: what is kept of them, which is no more than their pairs need."""

from __future__ import annotations

from datetime import datetime

from services.sessions.domain.member import Member
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

_SAVE = """
    INSERT INTO person (tenant, person_id, timezone, country, display_name, as_of)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (tenant, person_id) DO UPDATE
    SET timezone = excluded.timezone, country = excluded.country,
        display_name = excluded.display_name, as_of = excluded.as_of
    WHERE person.as_of <= excluded.as_of
"""
_FORGET = "DELETE FROM person WHERE tenant = $1 AND person_id = $2"


async def save(conn: Connection, tenant: TenantId, member: Member, as_of: datetime) -> None:
    """Keep the newest that is known of a person."""
    await conn.execute(
        _SAVE,
        tenant,
        member.person_id,
        member.zone,
        member.country,
        member.name,
        as_of,
    )


async def forget(conn: Connection, tenant: TenantId, person: PersonId) -> None:
    await conn.execute(_FORGET, tenant, person)
