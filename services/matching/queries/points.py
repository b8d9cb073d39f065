"""Statements on people as they are looked for: who is stale, and who comes first for whom.

What the first are to be asked for besides stands in the same statements. What is told here about a
fit is only about it: whoever is found is weighed by domain/fit. Opens no transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from asyncpg import BitString
from numpy.typing import NDArray

from services.matching.domain.ask import Side
from services.matching.domain.fit import Candidate, Shares
from services.matching.domain.programme import Programme
from services.matching.engine.likeness import Features
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
    INSERT INTO person_point (tenant, person_id, side, topics, topic_set, languages, slots, words,
                              point)
    SELECT $1, person_id, side, string_to_array(topics, ','), topic_set, languages, slots,
           words::halfvec, point::halfvec
    FROM unnest($2::text[], $3::text[], $4::text[], $5::varbit[], $6::varbit[], $7::varbit[],
                $8::text[], $9::text[])
         AS row (person_id, side, topics, topic_set, languages, slots, words, point)
"""
# How far the index looks: so many at a time, and on until LIMIT is full or all have been seen.
_LOOK = """
    SET LOCAL hnsw.ef_search = 200; SET LOCAL hnsw.iterative_scan = relaxed_order;
    SET LOCAL hnsw.max_scan_tuples = 20000
"""
# A mentee who named no goal is open to any; whoever has a mentor looks for none.
_OF_SIDE = {
    "mentor": """'mentor' = ANY(person.roles)
        AND (NOT $8 OR cardinality($7::text[]) = 0 OR person.offers && $7::text[])""",
    "mentee": """'mentee' = ANY(person.roles)
        AND (NOT $8 OR cardinality(person.goals) = 0 OR person.goals && $7::text[])
        AND NOT EXISTS (
            SELECT FROM pair WHERE pair.tenant = $1 AND pair.mentee_id = person.person_id
              AND pair.state IN ('proposed', 'accepted', 'started')
        )""",
}
_MAY_MEET = f"""
    person.active AND NOT person.paused AND NOT {AWAY}
    AND (cardinality($3::text[]) = 0 OR person.org_unit = ANY($3::text[]))
    AND person.person_id <> $4 AND person.person_id IS DISTINCT FROM $5
    AND person.manager_id IS DISTINCT FROM $4
    AND NOT person.person_id = ANY($6::text[]) AND NOT $4 = ANY(person.avoid)
    AND (cardinality($9::text[]) = 0 OR EXISTS (
        SELECT FROM unnest(person.languages) AS tag WHERE split_part(tag, '-', 1) = ANY($9::text[])
    ))
"""
# A vector that came as text is read once, where a cast in its place would read it for every row.
# In thousandths, from sets of bits: what it leaves out (pieces of half an hour, goals that share a
# bit) moves nobody far.
_ABOUT_FIT = """
    $11::float8 * bit_count(topic_set & $12::bit(256)) / {wanted}
    + $14::float8 * greatest(0, -(words <#> (SELECT $15::text::halfvec)))
    + $16::float8 * bit_count(languages & $17::bit(64))
        / greatest(1, least(bit_count(languages), bit_count($17::bit(64))))
    + $18::float8 * least(16, bit_count(slots & $19::bit(672))) / 16
"""
_WANTED = {
    "mentor": "$13::float8",
    "mentee": "(greatest(1, cardinality(topics)) + 0 * $13::float8)",
}
_BY_GOALS = """
    SELECT person.person_id
    FROM (
        SELECT tenant, person_id, {about_fit} AS about_fit FROM person_point
        WHERE tenant = $1 AND side = '{side}' AND topics && $7::text[]
          AND (cardinality($9::text[]) = 0 OR bit_count(languages & $17::bit(64)) > 0)
          AND ($20::int = 0 OR bit_count(slots) = 0 OR bit_count($19::bit(672)) = 0
               OR bit_count(slots & $19::bit(672)) * 15 >= $20::int)
        ORDER BY about_fit DESC, person_id LIMIT $10
    ) AS near JOIN participant AS person USING (tenant, person_id)
    WHERE {of_side} AND {may_meet}
    ORDER BY about_fit DESC, person.person_id
"""
_NEAREST = """
    SELECT person.person_id
    FROM person_point AS near JOIN participant AS person USING (tenant, person_id)
    WHERE near.tenant = $1 AND near.side = '{side}' AND {of_side} AND {may_meet}
    ORDER BY near.point <#> (SELECT $11::text::halfvec) LIMIT $10
"""

Point = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Looking:
    """Who looks for whom, what each part of a fit can add, and the direction in which they lie."""

    programme: Programme
    me: Candidate
    features: Features
    avoid: Sequence[PersonId]
    most: Shares
    direction: Point
    side: Side
    now: datetime


async def by_goals(conn: Connection, it: Looking, limit: int) -> list[PersonId]:
    """At most `limit` who have one of the goals in common, by about their fit; exact but for bits.

    Who is not there, or kept away by a plain rule, is among the `limit` and not in the answer.
    """
    wanted = len(it.me.topics)
    statement = _BY_GOALS.format(
        side=it.side,
        about_fit=_ABOUT_FIT.format(wanted=_WANTED[it.side]),
        of_side=_OF_SIDE[it.side],
        may_meet=_MAY_MEET,
    )
    rows = await conn.fetch(
        statement,
        *_asked(it, limit),
        it.most[0],
        _bits(it.features.topic_set, 256),
        max(1, wanted),
        it.most[1],
        _text(it.features.words),
        it.most[2],
        _bits(it.features.languages, 64),
        it.most[3],
        _bits(it.features.slots, 672),
        it.programme.settings.rules.min_overlap_minutes,
    )
    return [row["person_id"] for row in rows]


async def nearest(conn: Connection, it: Looking, limit: int) -> list[PersonId]:
    """At most `limit` who are there and whom no plain rule keeps away, the nearest first."""
    await conn.execute(_LOOK)
    statement = _NEAREST.format(side=it.side, of_side=_OF_SIDE[it.side], may_meet=_MAY_MEET)
    rows = await conn.fetch(statement, *_asked(it, limit), _text(it.direction))
    return [row["person_id"] for row in rows]


def _asked(it: Looking, limit: int) -> tuple[object, ...]:
    rules = it.programme.settings.rules
    return (
        it.programme.tenant,
        it.now.date(),
        list(it.programme.settings.org_units),
        it.me.person_id,
        it.me.manager_id,
        list(it.avoid),
        sorted(it.me.topics),
        rules.shared_goal,
        sorted(it.me.languages) if rules.common_language else [],
        limit,
    )


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
    made: Sequence[tuple[PersonId, Side, Features, Point]],
) -> None:
    """Keep these, in place of all that there was of these people."""
    await conn.execute(_DROP, tenant, people)
    await conn.execute(
        _SAVE,
        tenant,
        [person for person, *_ in made],
        [side for _, side, *_ in made],
        [",".join(sorted(features.topics)) for _, _, features, _ in made],
        [_bits(features.topic_set, 256) for _, _, features, _ in made],
        [_bits(features.languages, 64) for _, _, features, _ in made],
        [_bits(features.slots, 672) for _, _, features, _ in made],
        [_text(features.words) for _, _, features, _ in made],
        [_text(point) for *_, point in made],
    )


def _bits(number: int, width: int) -> BitString:
    return BitString.from_int(number, width)


def _text(point: Point) -> str:
    return "[" + ",".join(f"{each:.5g}" for each in point.tolist()) + "]"
