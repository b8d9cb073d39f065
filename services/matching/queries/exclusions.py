"""Statements on whom HR wants kept apart. Opens no transaction, holds no rule.

No reason is kept: it would be about somebody.
"""

from __future__ import annotations

from shared.ids import PersonId, ProgrammeId, TenantId
from shared.postgres.pool import Connection

_SAVE = """
    INSERT INTO exclusion (tenant, programme_id, one, other)
    VALUES ($1, $2, least($3::text, $4), greatest($3::text, $4)) ON CONFLICT DO NOTHING
"""
_DELETE = """
    DELETE FROM exclusion
    WHERE tenant = $1 AND programme_id = $2
      AND one = least($3::text, $4) AND other = greatest($3::text, $4)
"""
_PAGE = """
    SELECT one, other FROM exclusion
    WHERE tenant = $1 AND programme_id = $2 AND (one, other) > ($3, $4)
    ORDER BY one, other LIMIT $5
"""


async def save(
    conn: Connection, tenant: TenantId, programme_id: ProgrammeId, one: PersonId, other: PersonId
) -> None:
    """Keep these two apart, whoever is named first."""
    await conn.execute(_SAVE, tenant, programme_id, one, other)


async def delete(
    conn: Connection, tenant: TenantId, programme_id: ProgrammeId, one: PersonId, other: PersonId
) -> None:
    """Keep them apart no longer."""
    await conn.execute(_DELETE, tenant, programme_id, one, other)


async def page(
    conn: Connection,
    tenant: TenantId,
    programme_id: ProgrammeId,
    after: tuple[str, str],
    limit: int,
) -> list[tuple[PersonId, PersonId]]:
    """Whom the programme keeps apart, each two once, by their ids."""
    rows = await conn.fetch(_PAGE, tenant, programme_id, *after, limit)
    return [(row["one"], row["other"]) for row in rows]
