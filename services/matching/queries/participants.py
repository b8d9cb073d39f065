"""Statements on single people who take part: all that the hard rules ask about two of them.

Opens no transaction, holds no rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson

from services.matching.domain.participant import Participant
from services.matching.domain.person import Person
from services.matching.queries.people import AWAY
from shared.events.people import WeeklyHours
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

# Deeper than any organisation, and an end to a chart that goes round in a circle.
MAX_LINE = 50
_LINE = f"""
    WITH RECURSIVE above (person_id, depth) AS (
        SELECT manager_id, 1 FROM person WHERE tenant = $1 AND person_id = $2
        UNION
        SELECT person.manager_id, depth + 1 FROM person JOIN above USING (person_id)
        WHERE tenant = $1 AND depth < {MAX_LINE}
    )
    SELECT person_id FROM above WHERE person_id IS NOT NULL ORDER BY depth
"""
# Of many at once: `person_id` is whose line it is, `manager_id` who stands in it.
_LINES = f"""
    WITH RECURSIVE above (person_id, manager_id, depth) AS (
        SELECT person_id, manager_id, 1 FROM person WHERE tenant = $1 AND person_id = ANY($2)
        UNION ALL
        SELECT above.person_id, person.manager_id, depth + 1
        FROM person JOIN above ON person.person_id = above.manager_id
        WHERE tenant = $1 AND depth < {MAX_LINE}
    )
    SELECT person_id, array_agg(manager_id ORDER BY depth) AS line
    FROM above WHERE manager_id IS NOT NULL GROUP BY person_id
"""
_COLUMNS = """person.person_id, display_name, timezone, manager_id, languages, hours, roles,
    person.capacity, offers, goals, org_unit, grade, active, about, wishes, avoid"""
_OF = f"""
    SELECT {_COLUMNS}, active AND NOT paused AND NOT {AWAY} AS there
    FROM participant AS person WHERE tenant = $1 AND person_id = ANY($3::text[])
"""


async def of(
    conn: Connection, tenant: TenantId, people: Sequence[PersonId], on: date
) -> dict[PersonId, Participant]:
    """Those of these people who are known, by id."""
    rows = await conn.fetch(_OF, tenant, on, people)
    return {row["person_id"]: _participant(row) for row in rows}


async def line(conn: Connection, tenant: TenantId, person_id: PersonId) -> tuple[PersonId, ...]:
    """Everybody above a person, nearest first."""
    return tuple(row["person_id"] for row in await conn.fetch(_LINE, tenant, person_id))


async def lines(
    conn: Connection, tenant: TenantId, people: Sequence[PersonId]
) -> dict[PersonId, tuple[PersonId, ...]]:
    """Everybody above each of them, nearest first, as `line` has it; nobody above is not in it."""
    rows = await conn.fetch(_LINES, tenant, people)
    return {row["person_id"]: tuple(row["line"]) for row in rows}


def _participant(row: Any) -> Participant:
    person = Person(
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
    avoid = frozenset(row["avoid"])
    return Participant(person, row["about"], row["wishes"], avoid, row["there"])
