"""The address book's statements. Nothing here knows of messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.notifications.domain.message import Standing
from shared.events.people import PersonState
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

# The later fact wins; of two with the same time the one that came last, as their topic is in order.
_SAVE_PERSON = """
    INSERT INTO person (tenant, person_id, email, display_name, locale, timezone, as_of)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (tenant, person_id) DO UPDATE
    SET email = EXCLUDED.email, display_name = EXCLUDED.display_name, locale = EXCLUDED.locale,
        timezone = EXCLUDED.timezone, as_of = EXCLUDED.as_of, has_left = false
    WHERE person.as_of <= EXCLUDED.as_of
"""
_FORGET_PERSON = """
    INSERT INTO person (tenant, person_id, locale, timezone, has_left, as_of)
    VALUES ($1, $2, 'en', 'UTC', true, $3)
    ON CONFLICT (tenant, person_id) DO UPDATE
    SET email = NULL, display_name = NULL, locale = 'en', timezone = 'UTC', has_left = true,
        as_of = EXCLUDED.as_of
    WHERE person.as_of <= EXCLUDED.as_of
    RETURNING 1
"""
_STANDINGS = """
    SELECT person_id, CASE WHEN has_left THEN 'left' ELSE 'known' END AS standing
    FROM person WHERE tenant = $1 AND person_id = ANY($2::text[])
"""


async def save_person(
    conn: Connection, tenant: TenantId, person: PersonState, as_of: datetime
) -> None:
    """Keep the person as `person` says, unless something later is known."""
    await conn.execute(
        _SAVE_PERSON,
        tenant,
        person.person_id,
        person.email,
        person.display_name,
        person.locale,
        person.timezone,
        as_of,
    )


async def forget_person(
    conn: Connection, tenant: TenantId, person_id: PersonId, as_of: datetime
) -> bool:
    """Delete name and address, unless something later is known; whether it was done."""
    return bool(await conn.fetchval(_FORGET_PERSON, tenant, person_id, as_of))


async def standings(
    conn: Connection, tenant: TenantId, people: Sequence[PersonId]
) -> Mapping[PersonId, Standing]:
    """What is known of each person; nobody knows of those who are not in the answer."""
    rows = await conn.fetch(_STANDINGS, tenant, people)
    return {row["person_id"]: row["standing"] for row in rows}
