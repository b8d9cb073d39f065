"""What people and tenants have chosen, and every change of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.notifications.domain.preferences import NOTHING, Choices
from services.notifications.queries.attention import CHOICES, choices_of
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

# No person has this id: an id begins with a letter or a digit.
EVERYBODY: Final = PersonId("*")

_GET = "SELECT revision, choices FROM preference WHERE tenant = $1 AND of_whom = $2"
# For whom there is nothing yet there is no row to hold, so the name is held.
_HOLD = "SELECT pg_advisory_xact_lock(hashtextextended('preference/' || $1 || '/' || $2, 0))"
_SAVE = """
    INSERT INTO preference (tenant, of_whom, revision, choices, changed_at)
    VALUES ($1, $2, $3, $4::jsonb, $5)
    ON CONFLICT (tenant, of_whom) DO UPDATE
    SET (revision, choices, changed_at)
      = (excluded.revision, excluded.choices, excluded.changed_at)
"""
_NOTE = """
    INSERT INTO preference_change
        (tenant, of_whom, revision, changed_at, changed_by, how, choices)
    VALUES ($1, $2, $3, $5, $6, $7, $4::jsonb)
"""
_CHANGES = """
    SELECT revision, changed_at, changed_by, how, choices FROM preference_change
    WHERE tenant = $1 AND of_whom = $2 AND revision < $3 ORDER BY revision DESC LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """Choices as they are kept; revision 0 is for who has never chosen anything."""

    revision: int = 0
    choices: Choices = NOTHING


@dataclass(frozen=True, slots=True)
class Change:
    """What was chosen then, by whom, and in which way: `chosen`, `unsubscribed`, `complained`."""

    revision: int
    changed_at: datetime
    changed_by: PersonId
    how: str
    choices: Choices


async def get(conn: Connection, tenant: TenantId, of_whom: PersonId) -> Kept:
    """What they have chosen."""
    row = await conn.fetchrow(_GET, tenant, of_whom)
    return Kept(row["revision"], choices_of(row["choices"])) if row else Kept()


async def hold(conn: Connection, tenant: TenantId, of_whom: PersonId) -> Kept:
    """What they have chosen; nobody else changes it until the transaction ends."""
    await conn.execute(_HOLD, tenant, of_whom)
    return await get(conn, tenant, of_whom)


async def save(conn: Connection, tenant: TenantId, of_whom: PersonId, change: Change) -> None:
    """Keep the change as what is chosen now, and note it."""
    chosen = CHOICES.dump_json(change.choices, exclude_defaults=True).decode()
    told = (tenant, of_whom, change.revision, chosen, change.changed_at)
    await conn.execute(_SAVE, *told)
    await conn.execute(_NOTE, *told, change.changed_by, change.how)


async def changes(
    conn: Connection, tenant: TenantId, of_whom: PersonId, *, before: int, limit: int
) -> Sequence[Change]:
    """What they have changed, the newest first, of revisions before that one."""
    return [
        Change(
            row["revision"],
            row["changed_at"],
            PersonId(row["changed_by"]),
            row["how"],
            choices_of(row["choices"]),
        )
        for row in await conn.fetch(_CHANGES, tenant, of_whom, before, limit)
    ]
