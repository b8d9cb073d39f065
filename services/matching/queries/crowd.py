"""Statements that read everybody for a run, at one instant. Opens no transaction, holds no rule.

What is plain about one person (who takes part, is there, is of the units, has a place) is asked
here; what is about two people is the engine's to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.matching.queries.pairs import TRIED
from services.matching.queries.people import AWAY
from shared.ids import PersonId, ProgrammeId, TenantId
from shared.postgres.pool import Connection

_TAKES_PART = f"""tenant = $1 AND active AND NOT paused AND NOT {AWAY}
      AND (cardinality($3::text[]) = 0 OR org_unit = ANY($3::text[]))"""
_COLUMNS = """person_id, timezone, manager_id, org_unit, grade, languages, hours::text AS hours,
    offers, goals, about, wishes, avoid"""
_MENTORS = f"""
    SELECT {_COLUMNS} FROM participant AS person
    WHERE {_TAKES_PART} AND 'mentor' = ANY(roles) ORDER BY person_id COLLATE "C"
"""
# One mentor at a time. A proposal that nobody has said yes to may be weighed anew ($5).
_MENTEES = f"""
    SELECT {_COLUMNS} FROM participant AS person
    WHERE {_TAKES_PART} AND 'mentee' = ANY(roles) AND NOT EXISTS (
        SELECT FROM pair
        WHERE pair.tenant = person.tenant AND mentee_id = person_id
          AND state IN ('proposed', 'accepted', 'started')
          AND (answer_until IS NULL OR answer_until > $4 OR state <> 'proposed')
          AND NOT ($5 AND {{standing}})
    )
    ORDER BY person_id COLLATE "C"
"""
_STANDING = """(state = 'proposed' AND run_id IS NOT NULL AND programme_id = $6
               AND NOT mentor_accepted AND NOT mentee_accepted)"""
_STANDING_PAIRS = f"""
    SELECT pair_id, mentor_id, mentee_id FROM pair
    WHERE tenant = $1 AND $2 AND {_STANDING.replace("$6", "$3")}
      AND (answer_until IS NULL OR answer_until > $4)
"""
_EXCLUDED = """
    SELECT one, other FROM exclusion WHERE tenant = $1 AND programme_id IN ($2, '*')
"""
_MANAGERS = """
    SELECT person_id, manager_id FROM person WHERE tenant = $1 AND manager_id IS NOT NULL
"""


_WITH_A_MENTOR = """
    SELECT DISTINCT mentee_id FROM pair
    WHERE tenant = $1 AND mentee_id = ANY($2::text[])
      AND state IN ('proposed', 'accepted', 'started')
      AND NOT (state = 'proposed' AND answer_until <= $3)
"""
_APART_AMONG = f"""
    SELECT mentor_id, mentee_id
    FROM unnest($2::text[], $3::text[]) AS two (mentor_id, mentee_id)
    WHERE EXISTS (
        SELECT FROM pair WHERE pair.tenant = $1 AND pair.mentor_id = two.mentor_id
          AND pair.mentee_id = two.mentee_id AND {TRIED}
    ) OR EXISTS (
        SELECT FROM exclusion WHERE exclusion.tenant = $1 AND programme_id IN ($4, '*')
          AND one = least(two.mentor_id, two.mentee_id)
          AND other = greatest(two.mentor_id, two.mentee_id)
    )
"""
_STILL_OPEN = """
    SELECT pair_id FROM pair
    WHERE tenant = $1 AND pair_id = ANY($2::uuid[]) AND state IN ('proposed', 'accepted', 'started')
"""


@dataclass(frozen=True, slots=True)
class One:
    """Somebody who takes part, as kept. `hours` is JSON; `avoid` is for the rules alone."""

    person_id: PersonId
    timezone: str
    manager_id: PersonId | None
    org_unit: str | None
    grade: int | None
    languages: Sequence[str]
    hours: str
    offers: Sequence[str]
    goals: Sequence[str]
    about: str
    wishes: str
    avoid: Sequence[PersonId]


@dataclass(frozen=True, slots=True)
class Standing:
    """A proposal that nobody has answered yet."""

    pair_id: UUID
    mentor_id: PersonId
    mentee_id: PersonId


async def mentors(
    conn: Connection, tenant: TenantId, on: date, org_units: Sequence[str]
) -> list[One]:
    """Everybody who would be a mentor and is there on a day, with or without a place, by id."""
    return [_one(row) for row in await conn.fetch(_MENTORS, tenant, on, list(org_units))]


async def mentees(
    conn: Connection,
    tenant: TenantId,
    now: datetime,
    org_units: Sequence[str],
    weigh_anew: ProgrammeId | None,
) -> list[One]:
    """Everybody who looks for a mentor, is there and has none, by id.

    With `weigh_anew` those too whose proposal of that programme nobody has answered.
    """
    statement = _MENTEES.format(standing=_STANDING)
    rows = await conn.fetch(
        statement, tenant, now.date(), list(org_units), now, weigh_anew is not None, weigh_anew
    )
    return [_one(row) for row in rows]


async def standing(
    conn: Connection, tenant: TenantId, now: datetime, weigh_anew: ProgrammeId | None
) -> list[Standing]:
    """The proposals of a programme that nobody has answered, and that are not over by now."""
    rows = await conn.fetch(_STANDING_PAIRS, tenant, weigh_anew is not None, weigh_anew, now)
    return [Standing(**dict(row)) for row in rows]


async def excluded(
    conn: Connection, tenant: TenantId, programme_id: ProgrammeId
) -> list[tuple[PersonId, PersonId]]:
    """Whom HR wants kept apart, each two once."""
    rows = await conn.fetch(_EXCLUDED, tenant, programme_id)
    return [(row["one"], row["other"]) for row in rows]


async def managers(conn: Connection, tenant: TenantId) -> dict[PersonId, PersonId]:
    """Everybody's manager, of those who have one."""
    rows = await conn.fetch(_MANAGERS, tenant)
    return {row["person_id"]: row["manager_id"] for row in rows}


async def with_a_mentor(
    conn: Connection, tenant: TenantId, mentees: Sequence[PersonId], now: datetime
) -> set[PersonId]:
    """Those of these mentees who have a pair or a proposal that is open."""
    return {row["mentee_id"] for row in await conn.fetch(_WITH_A_MENTOR, tenant, mentees, now)}


async def apart_among(
    conn: Connection,
    tenant: TenantId,
    programme_id: ProgrammeId,
    together: Sequence[tuple[PersonId, PersonId]],
) -> set[tuple[PersonId, PersonId]]:
    """Those of these (mentor, mentee) who were tried before, or whom HR wants kept apart."""
    mentors, mentees = [two[0] for two in together], [two[1] for two in together]
    rows = await conn.fetch(_APART_AMONG, tenant, mentors, mentees, programme_id)
    return {(row["mentor_id"], row["mentee_id"]) for row in rows}


async def still_open(conn: Connection, tenant: TenantId, pair_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these pairs that are proposed or running."""
    return {row["pair_id"] for row in await conn.fetch(_STILL_OPEN, tenant, pair_ids)}


def _one(row: Any) -> One:
    return One(**dict(row))
