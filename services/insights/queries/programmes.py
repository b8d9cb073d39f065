"""Programmes: their cohorts, and what was released of them. A release is written once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.insights.domain.cohorts import Waiting, unit_of
from services.insights.domain.epochs import epoch_of
from shared.ids import PairId, PersonId, ProgrammeId, TenantId
from shared.postgres.pool import Connection

# The unit of the release of a programme as a whole; a unit's name is never blank.
WHOLE = ""

_DUE = """
    SELECT coalesce((SELECT epoch FROM enrolment), 0) < $1
        OR EXISTS (SELECT FROM programme WHERE measured < $1)
"""
_TOLD_ELSEWHERE = "SELECT EXISTS (SELECT FROM told_elsewhere)"
_NOTE_TOLD_ELSEWHERE = "INSERT INTO told_elsewhere DEFAULT VALUES ON CONFLICT DO NOTHING"
_ENROLLED = "SELECT coalesce((SELECT epoch FROM enrolment), 0)"
_NEW_PROGRAMMES = """
    SELECT tenant, programme_id, min(started_at) FROM pair
    WHERE programme_id IS NOT NULL AND started_at < $1
      AND NOT EXISTS (SELECT FROM programme known WHERE known.tenant = pair.tenant
                      AND known.programme_id = pair.programme_id)
    GROUP BY tenant, programme_id
"""
_ENROL = "INSERT INTO programme SELECT * FROM unnest($1::text[], $2::text[], $3::int[])"
_SAVE_ENROLLED = """
    INSERT INTO enrolment (epoch) VALUES ($1)
    ON CONFLICT (only_row) DO UPDATE SET epoch = excluded.epoch
"""
# Epoch by epoch over all programmes: each is released in the order of time.
_NEXT = """
    SELECT tenant, programme_id, measured + 1 FROM programme WHERE measured < $1
    ORDER BY measured, tenant, programme_id LIMIT 1
"""
_SAVE_MEASURED = "UPDATE programme SET measured = $3 WHERE tenant = $1 AND programme_id = $2"
_WAITING = """
    SELECT p.pair_id, p.mentor_id, p.mentee_id, who.org_unit, p.started_at
    FROM pair p LEFT JOIN person who ON who.tenant = p.tenant AND who.person_id = p.mentee_id
    WHERE p.tenant = $1 AND p.programme_id = $2
      AND p.started_at < $3 AND (p.ended_at IS NULL OR p.ended_at > $3)
      AND NOT EXISTS (SELECT FROM cohort_pair c
                      WHERE c.tenant = p.tenant AND c.pair_id = p.pair_id)
"""
_ADD_COHORTS = """
    INSERT INTO cohort (cohort_id, tenant, programme_id, org_unit, formed)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[])
"""
_ADD_MEMBERS = """
    INSERT INTO cohort_pair (tenant, pair_id, cohort_id)
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[])
"""
_MEMBERS = """
    SELECT c.cohort_id, c.org_unit, p.pair_key, p.mentor_id, p.mentee_id, p.ended_at
    FROM cohort c JOIN cohort_pair m USING (cohort_id)
    LEFT JOIN pair p ON p.tenant = m.tenant AND p.pair_id = m.pair_id
    WHERE c.tenant = $1 AND c.programme_id = $2 AND c.closed IS NULL
    ORDER BY c.cohort_id, m.pair_id
"""
_CLOSE = "UPDATE cohort SET closed = $2 WHERE cohort_id = ANY($1::uuid[])"
_ADD_RELEASES = """
    INSERT INTO release (tenant, programme_id, epoch, org_unit, fact)
    SELECT $1, $2, $3, * FROM unnest($4::text[], $5::bytea[])
"""
_KNOWN = """
    SELECT EXISTS (SELECT FROM pair WHERE tenant = $1 AND programme_id = $2), measured
    FROM (VALUES (1)) AS one LEFT JOIN programme ON tenant = $1 AND programme_id = $2
"""
_PAGE = """
    SELECT found.programme_id, measured
    FROM (SELECT DISTINCT programme_id FROM pair WHERE tenant = $1 AND programme_id > $2
          ORDER BY programme_id LIMIT $3) AS found
    LEFT JOIN programme known ON known.tenant = $1 AND known.programme_id = found.programme_id
    ORDER BY found.programme_id
"""
_RELEASES = """
    SELECT epoch, org_unit, fact FROM release
    WHERE tenant = $1 AND programme_id = $2
      AND ($3::int IS NULL OR epoch = $3) AND ($4::text IS NULL OR org_unit = $4)
      AND ($5::int IS NULL OR epoch < $5 OR (epoch = $5 AND org_unit > $6))
      AND ($7::int IS NULL OR epoch >= $7)
    ORDER BY epoch DESC, org_unit LIMIT $8
"""


class Due(NamedTuple):
    """A programme, and the epoch it is to be measured for next."""

    tenant: TenantId
    programme_id: ProgrammeId
    epoch: int


class NewCohort(NamedTuple):
    """A cohort to keep; `unit` None is one of the programme."""

    cohort_id: UUID
    unit: str | None
    pairs: tuple[PairId, ...]


class MemberRow(NamedTuple):
    """A pair of a cohort. A pair that was erased has no key and no members."""

    cohort_id: UUID
    unit: str | None
    key: int | None
    mentor_id: PersonId
    mentee_id: PersonId
    ended_at: datetime | None


class Asked(NamedTuple):
    """Which releases are wanted; `unit` WHOLE is the programme as a whole, None is any cell."""

    epoch: int | None
    unit: str | None
    after: tuple[int, str] | None
    since: int | None = None


class Known(NamedTuple):
    """A programme of a tenant; `measured` is the newest epoch it was measured for."""

    programme_id: ProgrammeId
    measured: int | None


class Release(NamedTuple):
    """What was released of one cell."""

    epoch: int
    unit: str
    fact: bytes


async def anything_due(conn: Connection, epoch: int) -> bool:
    """Whether a programme may have to be measured for an epoch up to this one."""
    return bool(await conn.fetchval(_DUE, epoch))


async def told_elsewhere(conn: Connection) -> bool:
    """Whether another database has told the numbers so far."""
    return bool(await conn.fetchval(_TOLD_ELSEWHERE))


async def note_told_elsewhere(conn: Connection) -> None:
    """Measure nothing here until what was told has been brought over."""
    await conn.execute(_NOTE_TOLD_ELSEWHERE)


async def enrolled_until(conn: Connection) -> int:
    """The epoch up to whose end programmes have been looked for."""
    found: int = await conn.fetchval(_ENROLLED)
    return found


async def new_programmes(
    conn: Connection, before: datetime
) -> list[tuple[TenantId, ProgrammeId, datetime]]:
    """Programmes with a pair that started before an instant and never measured; the first start."""
    return [(row[0], row[1], row[2]) for row in await conn.fetch(_NEW_PROGRAMMES, before)]


async def enrol(
    conn: Connection, found: Sequence[tuple[TenantId, ProgrammeId, int]], epoch: int
) -> None:
    """Measure programmes from now on, each after the epoch given; all up to `epoch` are known."""
    if found:
        await conn.execute(_ENROL, *zip(*found, strict=True))
    await conn.execute(_SAVE_ENROLLED, epoch)


async def next_due(conn: Connection, epoch: int) -> Due | None:
    """What is to be measured next, up to an epoch."""
    row = await conn.fetchrow(_NEXT, epoch)
    return Due(*row) if row else None


async def waiting(conn: Connection, due: Due, end: datetime) -> list[Waiting]:
    """Pairs of a programme that are active at an instant and in no cohort, in no order."""
    rows = await conn.fetch(_WAITING, due.tenant, due.programme_id, end)
    return [
        Waiting(pair_id, mentor, mentee, unit_of(unit), epoch_of(start))
        for pair_id, mentor, mentee, unit, start in rows
    ]


async def add_cohorts(conn: Connection, due: Due, formed: Sequence[NewCohort]) -> None:
    """Keep new cohorts. A pair that is in one already is an error."""
    if not formed:
        return
    ids = [each.cohort_id for each in formed]
    units = [each.unit for each in formed]
    same = [[value] * len(formed) for value in due]
    await conn.execute(_ADD_COHORTS, ids, same[0], same[1], units, same[2])
    members = [(due.tenant, pair, each.cohort_id) for each in formed for pair in each.pairs]
    await conn.execute(_ADD_MEMBERS, *zip(*members, strict=True))


async def members(conn: Connection, due: Due) -> list[MemberRow]:
    """Every pair of every open cohort of a programme, cohort by cohort."""
    return [MemberRow(*row) for row in await conn.fetch(_MEMBERS, due.tenant, due.programme_id)]


async def close(conn: Connection, cohorts: Iterable[UUID], epoch: int) -> None:
    """Never measure these cohorts again, from this epoch on."""
    await conn.execute(_CLOSE, list(cohorts), epoch)


async def save_releases(conn: Connection, due: Due, released: Sequence[tuple[str, bytes]]) -> None:
    """Keep what is told of an epoch, by unit, and that its programme was measured."""
    if released:
        units, facts = zip(*released, strict=True)
        await conn.execute(_ADD_RELEASES, *due, units, facts)
    await conn.execute(_SAVE_MEASURED, *due)


async def find_programme(
    conn: Connection, tenant: TenantId, programme_id: ProgrammeId
) -> Known | None:
    """One programme that any pair ever was in."""
    there, measured = await conn.fetchrow(_KNOWN, tenant, programme_id) or (False, None)
    return Known(programme_id, measured) if there else None


async def programmes_page(
    conn: Connection, tenant: TenantId, after: str, limit: int
) -> list[Known]:
    """Programmes of a tenant in the order of their ids, after `after`."""
    return [Known(*row) for row in await conn.fetch(_PAGE, tenant, after, limit)]


async def releases(
    conn: Connection, known: tuple[TenantId, ProgrammeId], asked: Asked, limit: int
) -> list[Release]:
    """What was released of a programme, the newest epoch first, the programme before its units."""
    epoch, unit = asked.after or (None, None)
    chosen = (asked.epoch, asked.unit, epoch, unit, asked.since)
    rows = await conn.fetch(_RELEASES, *known, *chosen, limit)
    return [Release(*row) for row in rows]
