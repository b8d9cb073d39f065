"""Statements on people as points: which are stale, and who is near. Opens no transaction.

What the nearest are to be asked for besides nearness stands in the same statement, so that the
index goes on looking until enough are found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.ask import Side
from services.matching.domain.fit import Candidate
from services.matching.domain.programme import Programme
from services.matching.queries.people import AWAY
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

_TAKE_STALE = """
    DELETE FROM person_stale WHERE (tenant, person_id) IN (
        SELECT tenant, person_id FROM person_stale LIMIT $1 FOR UPDATE SKIP LOCKED
    ) RETURNING tenant, person_id
"""
_STALE = "SELECT person_id FROM person_stale WHERE tenant = $1 LIMIT $2"
_DROP = "DELETE FROM person_point WHERE tenant = $1 AND person_id = ANY($2::text[])"
_SAVE = """
    INSERT INTO person_point (tenant, person_id, side, point)
    SELECT $1, person_id, side, point::halfvec
    FROM unnest($2::text[], $3::text[], $4::text[]) AS row (person_id, side, point)
"""
# How far the index looks: so many at a time, and on until LIMIT is full or all have been seen.
_LOOK = """
    SET LOCAL hnsw.ef_search = 200; SET LOCAL hnsw.iterative_scan = relaxed_order;
    SET LOCAL hnsw.max_scan_tuples = 20000
"""
_MAY_MEET = f"""
    NOT person.paused AND person.active AND NOT {AWAY}
    AND (cardinality($4::text[]) = 0 OR person.org_unit = ANY($4::text[]))
    AND person.person_id <> $5 AND person.person_id IS DISTINCT FROM $6
    AND person.manager_id IS DISTINCT FROM $5
    AND NOT person.person_id = ANY($7::text[]) AND NOT $5 = ANY(person.avoid)
    AND (NOT $11 OR {{goals}})
    AND (cardinality($9::text[]) = 0 OR EXISTS (
        SELECT FROM unnest(person.languages) AS tag WHERE split_part(tag, '-', 1) = ANY($9::text[])
    ))
"""
_NEAR = """
    SELECT person.person_id
    FROM person_point AS near JOIN participant AS person USING (tenant, person_id)
    WHERE near.tenant = $1 AND near.side = '{side}' AND {looks} AND {may_meet}
    ORDER BY near.point <#> $3::halfvec LIMIT $10
"""
# A mentee who named no goal is open to any; whoever has a mentor looks for none.
_GOALS = {
    "mentor": "cardinality($8::text[]) = 0 OR person.offers && $8::text[]",
    "mentee": "cardinality(person.goals) = 0 OR person.goals && $8::text[]",
}
_LOOKS = {
    "mentor": "'mentor' = ANY(person.roles)",
    "mentee": """'mentee' = ANY(person.roles) AND NOT EXISTS (
        SELECT FROM pair WHERE pair.tenant = $1 AND pair.mentee_id = person.person_id
          AND pair.state IN ('proposed', 'accepted', 'started')
    )""",
}

Point = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Looking:
    """Who looks, and in which direction those lie who fit them; `avoid` are never looked at."""

    programme: Programme
    me: Candidate
    avoid: Sequence[PersonId]
    direction: Point
    now: datetime

    @property
    def on(self) -> date:
        return self.now.date()


async def nearest(conn: Connection, looking: Looking, side: Side, limit: int) -> list[PersonId]:
    """At most `limit` of a side who are there and whom no plain rule keeps away, the nearest first.

    The rules that are not plain to a database (hours, report lines) are still to be asked.
    """
    rules, me = looking.programme.settings.rules, looking.me
    languages = sorted(me.languages) if rules.common_language else []
    await conn.execute(_LOOK)
    may_meet = _MAY_MEET.format(goals=_GOALS[side])
    rows = await conn.fetch(
        _NEAR.format(side=side, looks=_LOOKS[side], may_meet=may_meet),
        looking.programme.tenant,
        looking.on,
        _text(looking.direction),
        list(looking.programme.settings.org_units),
        me.person_id,
        me.manager_id,
        list(looking.avoid),
        sorted(me.topics),
        languages,
        limit,
        rules.shared_goal,
    )
    return [row["person_id"] for row in rows]


async def stale(conn: Connection, tenant: TenantId, limit: int) -> list[PersonId]:
    """At most `limit` people whose points are not yet as they are."""
    return [row["person_id"] for row in await conn.fetch(_STALE, tenant, limit)]


async def take_stale(conn: Connection, limit: int) -> dict[TenantId, list[PersonId]]:
    """At most `limit` stale people of all tenants, to be made anew in this transaction."""
    found: dict[TenantId, list[PersonId]] = {}
    for row in await conn.fetch(_TAKE_STALE, limit):
        found.setdefault(TenantId(row["tenant"]), []).append(row["person_id"])
    return found


async def save(
    conn: Connection,
    tenant: TenantId,
    people: Sequence[PersonId],
    points: Sequence[tuple[PersonId, Side, Point]],
) -> None:
    """Keep these points, in place of all that there were of these people."""
    await conn.execute(_DROP, tenant, people)
    await conn.execute(
        _SAVE,
        tenant,
        [person for person, _, _ in points],
        [side for _, side, _ in points],
        [_text(point) for _, _, point in points],
    )


def _text(point: Point) -> str:
    return "[" + ",".join(f"{each:.5g}" for each in point.tolist()) + "]"
