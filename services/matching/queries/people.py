"""What matching asks and keeps about people. Opens no transaction, holds no rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from services.matching.domain.person import Leave, Person
from shared.events.people import WeeklyHours
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

# One run or leaver of a tenant at a time: otherwise a run could propose someone who is leaving.
_LOCK_PEOPLE = "SELECT pg_advisory_xact_lock(hashtextextended('matching/' || $1, 0))"

# The later event wins, whatever came first; of two at the same instant the larger id.
_SAVE_PEOPLE = """
    INSERT INTO person (tenant, person_id, display_name, timezone, manager_id, languages, hours,
                        roles, capacity, offers, goals, org_unit, grade, active, as_of, event_id,
                        said)
    SELECT $1, person_id, display_name, timezone, manager_id, languages, hours, roles, capacity,
           offers, goals, org_unit, grade, true, as_of, event_id, said
    FROM jsonb_to_recordset($2::jsonb) AS told (
        person_id text, display_name text, timezone text, manager_id text, languages text[],
        hours jsonb, roles text[], capacity int, offers text[], goals text[], org_unit text,
        grade int, as_of timestamptz, event_id uuid, said jsonb
    )
    ORDER BY person_id
    ON CONFLICT (tenant, person_id) DO UPDATE
    SET (display_name, timezone, manager_id, languages, hours, roles, capacity, offers, goals,
         org_unit, grade, active, as_of, event_id, said)
      = (excluded.display_name, excluded.timezone, excluded.manager_id, excluded.languages,
         excluded.hours, excluded.roles, excluded.capacity, excluded.offers, excluded.goals,
         excluded.org_unit, excluded.grade, excluded.active, excluded.as_of, excluded.event_id,
         excluded.said)
    WHERE (person.as_of, person.event_id) < (excluded.as_of, excluded.event_id)
"""

# A leaver nobody had heard of is kept too, so that an older fact cannot bring them in later.
_SAVE_LEAVER = """
    INSERT INTO person (tenant, person_id, display_name, timezone, languages, hours, roles,
                        capacity, offers, goals, active, as_of, event_id)
    VALUES ($1, $2, $2, 'UTC', '{}', '[]', '{}', 0, '{}', '{}', false, $3, $4)
    ON CONFLICT (tenant, person_id) DO UPDATE
    SET active = false, as_of = excluded.as_of, event_id = excluded.event_id
    WHERE (person.as_of, person.event_id) < (excluded.as_of, excluded.event_id)
    RETURNING person_id
"""

# A tombstone is left, infinitely new: nothing told of the person ever counts again.
_ERASE = """
    INSERT INTO person (tenant, person_id, display_name, timezone, languages, hours, roles,
                        capacity, offers, goals, active, erased, as_of, event_id)
    VALUES ($1, $2, $2, 'UTC', '{}', '[]', '{}', 0, '{}', '{}', false, true, 'infinity', $3)
    ON CONFLICT (tenant, person_id) DO UPDATE
    SET (display_name, timezone, manager_id, languages, hours, roles, capacity, offers, goals,
         org_unit, grade, said, active, erased, as_of, event_id)
      = (excluded.display_name, excluded.timezone, NULL, excluded.languages, excluded.hours,
         excluded.roles, excluded.capacity, excluded.offers, excluded.goals, NULL, NULL, NULL,
         false, true, excluded.as_of, excluded.event_id)
    WHERE NOT person.erased
    RETURNING person_id
"""
_SAVE_LEAVE = """
    INSERT INTO person_leave (tenant, person_id, leave_id, started_on, back_on, as_of, event_id)
    SELECT $1, $2, $3, $4, $5, $6, $7
    WHERE NOT EXISTS (SELECT FROM person WHERE tenant = $1 AND person_id = $2 AND erased)
    ON CONFLICT (tenant, person_id, leave_id) DO UPDATE
    SET (started_on, back_on, as_of, event_id)
      = (excluded.started_on, excluded.back_on, excluded.as_of, excluded.event_id)
    WHERE (person_leave.as_of, person_leave.event_id) < (excluded.as_of, excluded.event_id)
"""
# Away on the day that is argument $2 of the statement it stands in; `person` is named in it.
AWAY = """EXISTS (
    SELECT FROM person_leave AS away
    WHERE away.tenant = person.tenant AND away.person_id = person.person_id
      AND away.started_on <= $2::date AND (away.back_on IS NULL OR away.back_on > $2::date)
)"""

# As the person themselves would have it: their profile over what HR says.
_PERSON_COLUMNS = """person_id, display_name, timezone, manager_id, languages, hours, roles,
    capacity, offers, goals, org_unit, grade, active"""
_PERSON = f"SELECT {_PERSON_COLUMNS} FROM participant WHERE tenant = $1 AND person_id = $2"
_PEOPLE_PAGE = f"""
    SELECT {_PERSON_COLUMNS} FROM participant
    WHERE tenant = $1 AND person_id > $2 ORDER BY person_id LIMIT $3
"""
_SOME_PEOPLE = f"""
    SELECT {_PERSON_COLUMNS} FROM participant
    WHERE tenant = $1 AND person_id = ANY($2::text[]) ORDER BY person_id
"""
_COUNT_PEOPLE = "SELECT count(*) FROM person WHERE tenant = $1"
_DISPLAY_NAMES = """
    SELECT person_id, display_name FROM person WHERE tenant = $1 AND person_id = ANY($2::text[])
"""


@dataclass(frozen=True, slots=True)
class Told:
    """A person as an event told of them, and all that it said."""

    person: Person
    said: Mapping[str, Any]
    as_of: datetime
    event_id: UUID


async def lock_people(conn: Connection, tenant: TenantId) -> None:
    """Until the transaction ends, no other run or leaver of the tenant goes on."""
    await conn.execute(_LOCK_PEOPLE, tenant)


async def save_people(conn: Connection, tenant: TenantId, told: Sequence[Told]) -> None:
    """Keep each person as they were then, unless something later is known, here or already."""
    newest: dict[PersonId, Told] = {}
    for each in sorted(told, key=lambda each: (each.as_of, each.event_id)):
        newest[each.person.person_id] = each
    rows = [
        {
            "person_id": each.person.person_id,
            "display_name": each.person.display_name,
            "timezone": each.person.timezone,
            "manager_id": each.person.manager_id,
            "languages": each.person.languages,
            "hours": [window.model_dump() for window in each.person.hours],
            "roles": each.person.roles,
            "capacity": each.person.capacity,
            "offers": each.person.offers,
            "goals": each.person.goals,
            "org_unit": each.person.org_unit,
            "grade": each.person.grade,
            "said": each.said,
            "as_of": each.as_of,
            "event_id": str(each.event_id),  # asyncpg makes its own kind
        }
        for each in newest.values()
    ]
    await conn.execute(_SAVE_PEOPLE, tenant, orjson.dumps(rows).decode())


async def save_leaver(
    conn: Connection, tenant: TenantId, person_id: PersonId, as_of: datetime, event_id: UUID
) -> bool:
    """Keep that the person left at `as_of`; false when something later is known."""
    return await conn.fetchval(_SAVE_LEAVER, tenant, person_id, as_of, event_id) is not None


async def erase(conn: Connection, tenant: TenantId, person_id: PersonId, event_id: UUID) -> bool:
    """Forget all that was known of the person, for ever; false when that was done before."""
    return await conn.fetchval(_ERASE, tenant, person_id, event_id) is not None


async def save_leave(
    conn: Connection, tenant: TenantId, leave: Leave, as_of: datetime, event_id: UUID
) -> None:
    """Keep the leave as of then, unless something later is known, or the person is erased."""
    await conn.execute(
        _SAVE_LEAVE,
        tenant,
        leave.person_id,
        leave.leave_id,
        leave.started_on,
        leave.back_on,
        as_of,
        event_id,
    )


async def person(conn: Connection, tenant: TenantId, person_id: PersonId) -> Person | None:
    row = await conn.fetchrow(_PERSON, tenant, person_id)
    return _person(row) if row else None


async def page(conn: Connection, tenant: TenantId, after: str, limit: int) -> list[Person]:
    """People whose id follows `after`, by id."""
    return [_person(row) for row in await conn.fetch(_PEOPLE_PAGE, tenant, after, limit)]


async def some(conn: Connection, tenant: TenantId, ids: Sequence[str]) -> list[Person]:
    """Those of these people who are known, by id."""
    return [_person(row) for row in await conn.fetch(_SOME_PEOPLE, tenant, ids)]


async def count(conn: Connection, tenant: TenantId) -> int:
    return int(await conn.fetchval(_COUNT_PEOPLE, tenant))


async def display_names(
    conn: Connection, tenant: TenantId, people: Sequence[PersonId]
) -> dict[PersonId, str]:
    rows = await conn.fetch(_DISPLAY_NAMES, tenant, people)
    return {row["person_id"]: row["display_name"] for row in rows}


def _person(row: Any) -> Person:
    return Person(
        person_id=row["person_id"],
        display_name=row["display_name"],
        timezone=row["timezone"],
        manager_id=row["manager_id"],
        languages=tuple(row["languages"]),
        hours=tuple(WeeklyHours.model_validate(item) for item in orjson.loads(row["hours"])),
        roles=tuple(row["roles"]),
        capacity=row["capacity"],
        offers=tuple(row["offers"]),
        goals=tuple(row["goals"]),
        org_unit=row["org_unit"],
        grade=row["grade"],
        active=row["active"],
    )
