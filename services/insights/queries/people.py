"""People: their leaves and their unit. Nothing else about them is kept here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from services.insights.domain.evidence import Evidence
from services.insights.queries import locks
from services.insights.queries.locks import Person
from services.insights.queries.pairs import LockedPair
from shared.ids import PairId, PersonId, TenantId
from shared.postgres.pool import Connection

_SAVE_LEAVE = """
    INSERT INTO leave (tenant, person_id, event_id, at_us, kind, ref)
    SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::smallint[],
                         $6::bigint[])
    ON CONFLICT DO NOTHING
"""
_LEAVES_OF_PAIRS = """
    SELECT p.pair_key, side.about, l.event_id, l.at_us, l.kind, l.ref
    FROM pair p
    CROSS JOIN LATERAL (VALUES (1, p.mentor_id), (2, p.mentee_id)) AS side (about, person_id)
    JOIN leave l ON l.tenant = p.tenant AND l.person_id = side.person_id
    WHERE p.pair_key = ANY($1::bigint[])
"""
_PAIRS_OF = """
    SELECT p.tenant, p.pair_id, p.mentor_id, p.mentee_id
    FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS who (tenant, person_id)) AS who
    JOIN pair p ON p.tenant = who.tenant
               AND (p.mentor_id = who.person_id OR p.mentee_id = who.person_id)
"""
_SAVE_UNITS = """
    INSERT INTO person (tenant, person_id, org_unit, told_at)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
    ON CONFLICT (tenant, person_id) DO UPDATE
    SET org_unit = excluded.org_unit, told_at = excluded.told_at
    WHERE person.told_at <= excluded.told_at
"""


class PairOfPerson(NamedTuple):
    """A pair, found by one of its members."""

    tenant: TenantId
    pair_id: PairId
    mentor_id: PersonId
    mentee_id: PersonId


async def tell_leaves(
    conn: Connection, told: Sequence[tuple[Person, Evidence]]
) -> list[PairOfPerson]:
    """Keep what was told about leaves; the pairs there are of the people it is about."""
    people = [person for person, _ in told]
    await locks.hold(conn, people)
    await save_leaves(conn, told)
    return [PairOfPerson(*row) for row in await conn.fetch(_PAIRS_OF, *_columns(people))]


async def save_leaves(conn: Connection, told: Sequence[tuple[Person, Evidence]]) -> None:
    """Keep what was told about leaves; the first telling stands."""
    items = [item for _, item in told]
    await conn.execute(
        _SAVE_LEAVE,
        *_columns(person for person, _ in told),
        [item.event_id for item in items],
        [item.at_us for item in items],
        [item.kind for item in items],
        [item.ref for item in items],
    )


async def leaves_of(
    conn: Connection, pairs: Iterable[LockedPair]
) -> list[tuple[LockedPair, Evidence]]:
    """The leaves of both members of each pair, as evidence of the pair."""
    by_key = {pair.key: pair for pair in pairs}
    rows = await conn.fetch(_LEAVES_OF_PAIRS, list(by_key)) if by_key else ()
    return [
        (by_key[key], Evidence(event_id, at_us, kind, about, 0, ref))
        for key, about, event_id, at_us, kind, ref in rows
    ]


async def save_units(conn: Connection, told: Iterable[tuple[Person, str | None, datetime]]) -> None:
    """Keep the unit of each person as it was told last."""
    newest = {person: (unit, at) for person, unit, at in sorted(told, key=lambda item: item[2])}
    if newest:
        units, times = zip(*newest.values(), strict=True)
        await conn.execute(_SAVE_UNITS, *_columns(newest), units, times)


def _columns(people: Iterable[Person]) -> tuple[list[str], list[str]]:
    listed = list(people)
    return [tenant for tenant, _ in listed], [person for _, person in listed]
