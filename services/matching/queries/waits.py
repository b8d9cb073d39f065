"""Statements on a programme's past and present that its expected wait is worked out from.

Counts, times and no name: what leaves here is about a programme. Opens no transaction, holds no
rule; what is overdue counts as closed, swept or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.matching.domain.programme import Programme
from services.matching.engine.waiting import Answer, Came, History, Opening
from services.matching.queries.pairs import OVERDUE, TRIED
from services.matching.queries.people import AWAY
from services.matching.queries.places import PLACES_AT
from shared.ids import PersonId
from shared.postgres.pool import Connection

WINDOW = timedelta(days=90)
DAY_S = 86_400.0

_BEGAN = "SELECT min(changed_at) FROM programme_version WHERE tenant = $1 AND programme_id = $2"
# When a proposal or a pair of the programme gave its place back.
_CLOSED = f"coalesce(pair.ended_at, CASE WHEN {OVERDUE.format(at='$4')} THEN answer_until END)"
_IN_UNITS = "($5::text[] = '{}' OR person.org_unit = ANY ($5::text[]))"
# A place that a mentor opens is open to every programme that would have them.
_SHARED_BY = """(
    SELECT greatest(1, count(*)) FROM programme AS each
    WHERE each.tenant = $1 AND each.is_open AND (each.settings -> 'org_units' = '[]'
        OR each.settings -> 'org_units' ? person.org_unit)
)"""
_OPENED = f"""
    WITH opened AS (
        SELECT {_CLOSED} AS at, 1::float8 AS places, pair.mentor_id
        FROM pair JOIN participant AS person
          ON person.tenant = pair.tenant AND person.person_id = pair.mentor_id
        WHERE pair.tenant = $1 AND programme_id = $2 AND active AND NOT paused AND capacity > 0
          AND 'mentor' = ANY (roles)
        UNION ALL
        SELECT gain.at, gain.places::float8 / {_SHARED_BY}, person_id
        FROM place_gain AS gain JOIN participant AS person USING (tenant, person_id)
        WHERE gain.tenant = $1 AND gain.at > $3 AND {_IN_UNITS}
    )
    SELECT floor(extract(epoch FROM at - $3) / 3600)::float8 / 24 AS at_days, sum(places) AS places,
           array_agg(DISTINCT mentor_id) AS mentors
    FROM opened WHERE at > $3 AND at <= $4 GROUP BY 1
"""
_ANSWERED = f"""
    WITH told AS (
        SELECT mentor_id, proposed_at, answer_until,
               CASE WHEN accepted_at IS NOT NULL OR started_at IS NOT NULL THEN {Came.YES}
                    WHEN state = 'declined' THEN {Came.NO}
                    WHEN {_CLOSED} IS NOT NULL THEN {Came.LOST} ELSE {Came.OPEN} END AS came,
               coalesce(accepted_at, started_at, {_CLOSED}, $4) AS at
        FROM pair WHERE tenant = $1 AND programme_id = $2 AND proposed_at > $3
          AND proposed_at <= $4
    )
    SELECT round(extract(epoch FROM at - proposed_at) / 21600)::float8 / 4 AS after_days, came,
           coalesce(answer_until, proposed_at + $5) <= $4 AS had_time, count(*)::int AS number,
           array_agg(DISTINCT mentor_id) AS mentors
    FROM told GROUP BY 1, 2, 3
"""
# Who has their turn still to come: a pair that ended of its own is one, and they begin afresh.
_WAITING = f"""
    SELECT count(*)::int AS people, min(greatest(looks.looks_since, (
        SELECT max(ended_at) FROM pair
        WHERE pair.tenant = person.tenant AND mentee_id = person.person_id AND state = 'ended'
          AND end_reason NOT IN ('rematched', 'person_left')
    ))) AS since
    FROM participant AS person LEFT JOIN participation AS looks USING (tenant, person_id)
    WHERE tenant = $1 AND active AND NOT paused AND NOT {AWAY} AND 'mentee' = ANY (roles)
      AND ($4::text[] = '{{}}' OR org_unit = ANY ($4::text[]))
      AND NOT EXISTS (
        SELECT FROM pair
        WHERE pair.tenant = person.tenant AND mentee_id = person.person_id
          AND state IN ('proposed', 'accepted', 'started') AND NOT ({OVERDUE.format(at="$3")})
    )
"""
_HAVE_PLACES = f"""
    SELECT person_id FROM participant AS person
    JOIN {PLACES_AT.format(at="$3", cap="$5")} AS free USING (tenant, person_id)
    WHERE tenant = $1 AND active AND NOT paused AND NOT {AWAY} AND free.places > 0
      AND ($4::text[] = '{{}}' OR org_unit = ANY ($4::text[]))
      AND ($6::text[] = '{{}}' OR offers && $6::text[])
      AND NOT EXISTS (
        SELECT FROM pair WHERE pair.tenant = person.tenant AND mentor_id = person.person_id
          AND mentee_id = $7 AND {TRIED}
    )
    ORDER BY person_id LIMIT $8
"""
_FREE = f"""
    SELECT coalesce(sum(free.places), 0)::int FROM participant AS person
    JOIN {PLACES_AT.format(at="$3", cap="$5")} AS free USING (tenant, person_id)
    WHERE tenant = $1 AND active AND NOT paused AND NOT {AWAY}
      AND ($4::text[] = '{{}}' OR org_unit = ANY ($4::text[]))
"""

_FORGET = """
    DELETE FROM place_gain WHERE (tenant, person_id, at) IN (
        SELECT tenant, person_id, at FROM place_gain WHERE at <= $1 LIMIT $2
    )
"""


@dataclass(frozen=True, slots=True)
class Queue:
    """How many people of a programme wait for a mentor, and since when the first of them."""

    people: int
    since: datetime | None


async def history(conn: Connection, programme: Programme, now: datetime) -> History:
    """The programme's last 90 days, or all of them when it is younger."""
    tenant, programme_id = programme.tenant, programme.programme_id
    began = await conn.fetchval(_BEGAN, tenant, programme_id)
    since = max(now - WINDOW, min(began or now, now))
    limit, units = programme.settings.ask_within, list(programme.settings.org_units)
    opened = await conn.fetch(_OPENED, tenant, programme_id, since, now, units)
    answered = await conn.fetch(_ANSWERED, tenant, programme_id, since, now, limit)
    mentors = {mentor for row in (*opened, *answered) for mentor in row["mentors"]}
    return History(
        days=(now - since).total_seconds() / DAY_S,
        openings=[Opening(row["at_days"], row["places"]) for row in opened],
        answers=[
            Answer(row["after_days"], Came(row["came"]), row["had_time"], row["number"])
            for row in answered
        ],
        limit_days=limit.total_seconds() / DAY_S,
        mentors=len(mentors),
    )


async def queue(conn: Connection, programme: Programme, now: datetime) -> Queue:
    """Who waits now: whoever looks for a mentor in the programme, and has nothing open."""
    units = list(programme.settings.org_units)
    row = await conn.fetchrow(_WAITING, programme.tenant, now.date(), now, units)
    assert row is not None
    return Queue(row["people"], row["since"])


async def free_places(conn: Connection, programme: Programme, now: datetime) -> int:
    """How many places of the programme are free now."""
    settings = programme.settings
    found: int = await conn.fetchval(
        _FREE, programme.tenant, now.date(), now, list(settings.org_units), settings.max_capacity
    )
    return found


async def have_places(
    conn: Connection,
    programme: Programme,
    mentee: PersonId,
    goals: Sequence[str],
    now: datetime,
    limit: int,
) -> list[PersonId]:
    """At most `limit` mentors with a free place who offer one of `goals`; not tried before.

    A mentee who may be asked is left to the rules: these are only those worth asking them about.
    """
    settings = programme.settings
    rows = await conn.fetch(
        _HAVE_PLACES,
        programme.tenant,
        now.date(),
        now,
        list(settings.org_units),
        settings.max_capacity,
        list(goals) if settings.rules.shared_goal else [],
        mentee,
        limit,
    )
    return [row["person_id"] for row in rows]


async def forget(conn: Connection, now: datetime, limit: int) -> int:
    """Forget at most `limit` places that opened too long ago to count; how many."""
    status = await conn.execute(_FORGET, now - WINDOW, limit)
    return int(status.split()[-1])
