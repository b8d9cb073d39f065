"""The address book. Names and addresses are in `person` and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from shared.events.people import PersonState
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

# The later fact wins, whatever came first.
_SAVE_PEOPLE = """
    INSERT INTO person (tenant, person_id, email, display_name, locale, timezone, as_of)
    SELECT $1, person_id, email, display_name, locale, timezone, as_of
    FROM jsonb_to_recordset($2::jsonb) AS told (
        person_id text, email text, display_name text, locale text, timezone text,
        as_of timestamptz
    )
    ORDER BY person_id
    ON CONFLICT (tenant, person_id) DO UPDATE
    SET email = EXCLUDED.email, display_name = EXCLUDED.display_name, locale = EXCLUDED.locale,
        timezone = EXCLUDED.timezone, as_of = EXCLUDED.as_of, has_left = false
    WHERE person.as_of <= EXCLUDED.as_of
"""
_MOVED = """
    SELECT person_id FROM person
    JOIN jsonb_to_recordset($2::jsonb) AS told (person_id text, timezone text, as_of timestamptz)
        USING (person_id)
    WHERE person.tenant = $1 AND person.timezone <> told.timezone AND person.as_of <= told.as_of
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


_LOCALE = "SELECT locale FROM person WHERE tenant = $1 AND person_id = $2"
_IS_KNOWN = "SELECT true FROM person WHERE tenant = $1 AND person_id = $2 AND NOT has_left"


@dataclass(frozen=True, slots=True)
class Told:
    """A person as a fact told of them."""

    person: PersonState
    as_of: datetime


async def save_people(
    conn: Connection, tenant: TenantId, told: Sequence[Told]
) -> Sequence[PersonId]:
    """Keep each person as they were then, unless something later is known, here or already.

    Who is in another zone now.
    """
    newest = {each.person.person_id: each for each in sorted(told, key=lambda each: each.as_of)}
    rows = [
        {
            "person_id": each.person.person_id,
            "email": each.person.email,
            "display_name": each.person.display_name,
            "locale": each.person.locale,
            "timezone": each.person.timezone,
            "as_of": each.as_of,
        }
        for each in newest.values()
    ]
    given = orjson.dumps(rows).decode()
    moved = [PersonId(row[0]) for row in await conn.fetch(_MOVED, tenant, given)]
    await conn.execute(_SAVE_PEOPLE, tenant, given)
    return moved


async def forget_person(
    conn: Connection, tenant: TenantId, person_id: PersonId, as_of: datetime
) -> bool:
    """Delete name and address, unless something later is known; whether it was done."""
    return bool(await conn.fetchval(_FORGET_PERSON, tenant, person_id, as_of))


async def locale_of(conn: Connection, tenant: TenantId, person_id: PersonId) -> str:
    """The language the person reads; English for who is not known."""
    return str(await conn.fetchval(_LOCALE, tenant, person_id) or "en")


async def is_known(conn: Connection, tenant: TenantId, person_id: PersonId) -> bool:
    """Whether the person is here, and not only remembered as having left."""
    return bool(await conn.fetchval(_IS_KNOWN, tenant, person_id))
