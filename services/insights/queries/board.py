"""The board: a line for each pair as managers see it, and what is counted of the lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from services.insights.domain.bands import Band
from services.insights.domain.board import BY_NEED
from services.insights.queries.pairs import PairRow
from shared.events.insights import Side
from shared.ids import PairId, PersonId, ProgrammeId, TenantId
from shared.postgres.pool import Connection

_SAVE = """
    INSERT INTO board (tenant, pair_id, pair_key, about_mentor, about_mentee, band, about, reason,
                       next_step, sessions, first_held_at, last_held_at)
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                         $7::text[], $8::text[], $9::text[], $10::int[], $11::timestamptz[],
                         $12::timestamptz[])
    ON CONFLICT (tenant, pair_id) DO UPDATE
    SET (pair_key, about_mentor, about_mentee, band, about, reason, next_step, sessions,
         first_held_at, last_held_at)
      = (excluded.pair_key, excluded.about_mentor, excluded.about_mentee, excluded.band,
         excluded.about, excluded.reason, excluded.next_step, excluded.sessions,
         excluded.first_held_at, excluded.last_held_at)
"""
_LINE = """
    p.pair_id, p.mentor_id, p.mentee_id, p.started_at, p.ended_at, b.about_mentor, b.about_mentee,
    b.band, b.about, b.reason, b.next_step, b.sessions, b.first_held_at, b.last_held_at,
    (SELECT min(r.alerted_on) FROM risk r
     WHERE r.tenant = p.tenant AND r.pair_key = p.pair_key AND r.alerted_on IS NOT NULL)
"""
_NEED = f"array_position('{{{','.join(BY_NEED)}}}'::text[], b.band)"
_PAGE = f"""
    SELECT {_LINE} FROM pair p JOIN board b USING (tenant, pair_id)
    WHERE p.tenant = $1 AND p.programme_id = $2 AND p.ended_at IS NULL
      AND ($3::text IS NULL OR b.band = $3)
      AND ($4::text IS NULL OR $4 IN (p.mentor_id, p.mentee_id))
      AND ($5::int IS NULL OR ({_NEED}, p.pair_id) > ($5, $6::uuid))
    ORDER BY {_NEED}, p.pair_id LIMIT $7
"""
_COUNTS = """
    SELECT coalesce(b.band, 'too_early'), count(*) FILTER (WHERE p.ended_at IS NULL),
           count(*) FILTER (WHERE p.ended_at IS NOT NULL)
    FROM pair p LEFT JOIN board b USING (tenant, pair_id)
    WHERE p.tenant = $1 AND p.programme_id = $2 AND p.started_at IS NOT NULL
    GROUP BY 1
"""
# Of mentees, not of pairs: who was matched anew is still one person on their way. Everybody who
# came further came this far.
_FUNNEL = """
    SELECT count(*), count(*) FILTER (WHERE met), count(*) FILTER (WHERE met AND steady)
    FROM (SELECT bool_or(b.sessions > 0) AS met,
                 bool_or(b.band = 'steady' AND p.ended_at IS NULL) AS steady
          FROM pair p LEFT JOIN board b USING (tenant, pair_id)
          WHERE p.tenant = $1 AND p.programme_id = $2 AND p.started_at IS NOT NULL
          GROUP BY p.mentee_id) AS person
"""
_DAYS = """
    SELECT day, band, pairs FROM board_day
    WHERE tenant = $1 AND programme_id = $2 AND day > $3::date - $4::int ORDER BY day
"""
_CLOSE_DAY = """
    INSERT INTO board_day (tenant, programme_id, day, band, pairs)
    SELECT p.tenant, p.programme_id, $1::date, coalesce(b.band, 'too_early'), count(*)
    FROM pair p LEFT JOIN board b USING (tenant, pair_id)
    WHERE p.programme_id IS NOT NULL AND p.started_at < $1::date
      AND (p.ended_at IS NULL OR p.ended_at >= $1::date)
    GROUP BY 1, 2, 4
    ON CONFLICT (tenant, programme_id, day, band) DO UPDATE SET pairs = excluded.pairs
"""
_LOAD = """
    SELECT mentees, count(*) FROM (
        SELECT count(*) AS mentees FROM pair
        WHERE tenant = $1 AND programme_id = $2 AND started_at IS NOT NULL AND ended_at IS NULL
        GROUP BY mentor_id) AS mentor
    GROUP BY mentees ORDER BY mentees
"""
_OPEN_ALERTS = """
    SELECT count(DISTINCT r.pair_key) FROM risk r JOIN pair p USING (pair_key)
    WHERE r.tenant = $1 AND p.programme_id = $2 AND r.alerted_on IS NOT NULL
"""
_RECOVERED = """
    INSERT INTO recovery (tenant, pair_id, about, alerted_on, recovered_on, band)
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::date[], $5::date[], $6::text[])
    ON CONFLICT DO NOTHING
"""
_RECOVERIES = """
    SELECT c.pair_id, p.mentor_id, p.mentee_id, c.about, c.alerted_on, c.recovered_on, c.band
    FROM recovery c JOIN pair p USING (tenant, pair_id)
    WHERE c.tenant = $1 AND p.programme_id = $2 AND c.recovered_on > $3::date - $4::int
    ORDER BY c.recovered_on DESC, c.pair_id, c.about LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be written of a pair."""

    pair: PairRow
    about_mentor: Band
    about_mentee: Band
    band: Band
    about: Side
    reason: str | None
    next_step: str | None
    sessions: int
    first_held_at: datetime | None
    last_held_at: datetime | None


class Line(NamedTuple):
    """A pair on the board. `alerted_on` is since when an alert is open, if one is."""

    pair_id: PairId
    mentor_id: PersonId
    mentee_id: PersonId
    started_at: datetime | None
    ended_at: datetime | None
    about_mentor: Band
    about_mentee: Band
    band: Band
    about: Side
    reason: str | None
    next_step: str | None
    sessions: int
    first_held_at: datetime | None
    last_held_at: datetime | None
    alerted_on: date | None


class BandCount(NamedTuple):
    """How many pairs of a band run, and how many have ended in it."""

    band: Band
    running: int
    ended: int


class Funnel(NamedTuple):
    """How many mentees came how far."""

    matched: int
    met: int
    steady: int


class Day(NamedTuple):
    """How many pairs stood in a band when a day began."""

    day: date
    band: Band
    pairs: int


class Recovery(NamedTuple):
    """An alert about one direction that came to a good end."""

    pair_id: PairId
    mentor_id: PersonId
    mentee_id: PersonId
    about: Side
    alerted_on: date
    recovered_on: date
    band: Band


class Wanted(NamedTuple):
    """Which lines: of a band, with a person; after a line of that need and id."""

    band: Band | None = None
    person: PersonId | None = None
    after: tuple[int, PairId] | None = None


Programme = tuple[TenantId, ProgrammeId]


async def save(conn: Connection, entries: Sequence[Entry]) -> None:
    """Write the lines of pairs anew."""
    if entries:
        columns = zip(
            *[
                (it.pair.tenant, it.pair.subject.pair_id, it.pair.key, it.about_mentor,
                 it.about_mentee, it.band, it.about, it.reason, it.next_step, it.sessions,
                 it.first_held_at, it.last_held_at)
                for it in entries
            ],
            strict=True,
        )  # fmt: skip
        await conn.execute(_SAVE, *columns)


async def page(conn: Connection, of: Programme, wanted: Wanted, limit: int) -> list[Line]:
    """Running pairs of a programme, those that need help most first."""
    need, pair_id = wanted.after or (None, None)
    rows = await conn.fetch(_PAGE, *of, wanted.band, wanted.person, need, pair_id, limit)
    return [Line(*row) for row in rows]


async def counts(conn: Connection, of: Programme) -> list[BandCount]:
    """How many pairs of a programme stand in which band; one nobody knows of yet is too early."""
    return [BandCount(*row) for row in await conn.fetch(_COUNTS, *of)]


async def funnel(conn: Connection, of: Programme) -> Funnel:
    """How many mentees of a programme came how far, pairs that have ended included."""
    row = await conn.fetchrow(_FUNNEL, *of)
    assert row is not None
    return Funnel(*row)


async def load(conn: Connection, of: Programme) -> dict[int, int]:
    """How many mentors of a programme have so many mentees now; who has none is not counted."""
    return {row[0]: row[1] for row in await conn.fetch(_LOAD, *of)}


async def open_alerts(conn: Connection, of: Programme) -> int:
    """How many pairs of a programme have an alert that is open."""
    return int(await conn.fetchval(_OPEN_ALERTS, *of))


async def days(conn: Connection, of: Programme, until: date, number: int) -> list[Day]:
    """The bands of the last so many days, oldest first."""
    return [Day(*row) for row in await conn.fetch(_DAYS, *of, until, number)]


async def close_day(conn: Connection, day: date) -> None:
    """Note how many pairs stand in which band as a day begins, for every programme."""
    await conn.execute(_CLOSE_DAY, day)


async def recovered(conn: Connection, found: Sequence[tuple[TenantId, Recovery]]) -> None:
    """Note alerts that came to a good end."""
    if found:
        rows = [
            (tenant, it.pair_id, it.about, it.alerted_on, it.recovered_on, it.band)
            for tenant, it in found
        ]
        await conn.execute(_RECOVERED, *zip(*rows, strict=True))


async def recoveries(
    conn: Connection, of: Programme, until: date, number: int, limit: int
) -> list[Recovery]:
    """Alerts of a programme that came to a good end in the last so many days, newest first."""
    return [Recovery(*row) for row in await conn.fetch(_RECOVERIES, *of, until, number, limit)]
