"""A tenant's own words: all of them that count, one, and a new revision of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

_HOLD = "SELECT pg_advisory_xact_lock(hashtextextended('words/' || $1 || '/' || $2, 0))"
_NEWEST = """
    SELECT DISTINCT ON (workflow, language)
           workflow, language, revision, template, changed_at, changed_by
    FROM words WHERE tenant = $1 AND ($2::text IS NULL OR (workflow, language) = ($2, $3))
    ORDER BY workflow, language, revision DESC
"""
_SAVE = """
    INSERT INTO words (tenant, workflow, language, revision, template, changed_at, changed_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


@dataclass(frozen=True, slots=True)
class Own:
    """The newest revision of a tenant's words; no `template`: they are ours."""

    workflow: str
    language: str
    revision: int = 0
    template: str | None = None
    changed_at: datetime | None = None
    changed_by: PersonId | None = None


async def newest(conn: Connection, tenant: TenantId) -> Sequence[Own]:
    """All that the tenant has ever changed, as it is now."""
    return [Own(*row) for row in await conn.fetch(_NEWEST, tenant, None, None)]


async def one(conn: Connection, tenant: TenantId, workflow: str, language: str) -> Own:
    """The words of a workflow in a language; revision 0 where they were never changed."""
    row = await conn.fetchrow(_NEWEST, tenant, workflow, language)
    return Own(*row) if row else Own(workflow, language)


async def hold(conn: Connection, tenant: TenantId, workflow: str, language: str) -> Own:
    """The same; nobody else changes them until the transaction ends."""
    await conn.execute(_HOLD, tenant, f"{workflow}/{language}")
    return await one(conn, tenant, workflow, language)


async def save(conn: Connection, tenant: TenantId, own: Own) -> None:
    """Keep a new revision."""
    await conn.execute(
        _SAVE,
        tenant,
        own.workflow,
        own.language,
        own.revision,
        own.template,
        own.changed_at,
        own.changed_by,
    )
