"""Statements on boundaries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.sessions.domain.boundary import Boundary, Claim, Term
from services.sessions.domain.dates import Window
from services.sessions.domain.pair import Pair
from services.sessions.queries.sweeps import Swept
from shared.ids import BoundaryId, PairId, PersonId, TenantId
from shared.postgres.pool import Connection

# Name and type of each column, in the order of `_row`.
_TYPES = {
    "tenant": "text",
    "boundary_id": "uuid",
    "pair_id": "uuid",
    "reminded_by": "text",
    "about": "text",
    "term": "text",
    "reminded_at": "timestamptz",
    "state": "text",
    "happened_at": "timestamptz",
    "claimed_at": "timestamptz",
    "contested_at": "timestamptz",
    "sweep_at": "timestamptz",
    "after": "timestamptz",
    "breached_at": "timestamptz",
    "confirmed_by": "text",
    "revision": "int",
}
# What stays as it was when it was said.
_FIXED = {"tenant", "boundary_id", "pair_id", "reminded_by", "about", "term", "reminded_at"}
_COLUMNS = ", ".join(_TYPES)
_ARRAYS = ", ".join(f"${n}::{type_}[]" for n, type_ in enumerate(_TYPES.values(), 1))
# Word for word as in the index on what goes on.
_ONGOING = "state IN ('claimed', 'contested')"

_FIND = f"SELECT {_COLUMNS} FROM boundary WHERE tenant = $1 AND boundary_id = $2"
_OF_PAIR = f"""
    SELECT {_COLUMNS} FROM boundary WHERE tenant = $1 AND pair_id = $2
    ORDER BY reminded_at DESC, boundary_id DESC LIMIT $3
"""
_NEWEST = f"""
    SELECT {_COLUMNS} FROM boundary
    WHERE tenant = $1 AND pair_id = $2 AND reminded_by = $3 AND term = $4
    ORDER BY reminded_at DESC, boundary_id DESC LIMIT 1
"""
_CONTESTED = """
    SELECT boundary_id, pair_id, contested_at FROM boundary
    WHERE tenant = $1 AND state = 'contested' AND $2 NOT IN (reminded_by, about)
    ORDER BY contested_at, boundary_id LIMIT $3
"""
_SAVE = f"""
    INSERT INTO boundary ({_COLUMNS})
    SELECT * FROM unnest({_ARRAYS})
    ON CONFLICT (tenant, boundary_id) DO UPDATE
    SET {", ".join(f"{name} = excluded.{name}" for name in _TYPES if name not in _FIXED)}
"""
# What an earlier claim of the same boundary got back of an outage is no business of this one.
_CLAIMS = """
    SELECT pair_id, boundary_id, claimed_at, sweep_at, (
        SELECT coalesce(sum(span), '0') FROM given_back JOIN outage USING (outage_id)
        WHERE given_back.tenant = $1 AND thing_id = boundary_id AND ended_at > claimed_at
    ) AS given_back
    FROM boundary WHERE tenant = $1 AND pair_id = ANY ($2::uuid[]) AND state = 'claimed'
"""
_MOVE = """
    UPDATE boundary SET sweep_at = moved.sweep_at, revision = revision + 1
    FROM unnest($2::uuid[], $3::timestamptz[]) AS moved(boundary_id, sweep_at)
    WHERE boundary.tenant = $1 AND boundary.boundary_id = moved.boundary_id
"""


class Contested(NamedTuple):
    """A boundary about which the two sides disagree."""

    boundary_id: BoundaryId
    pair_id: PairId
    since: datetime


async def find(conn: Connection, tenant: TenantId, boundary_id: UUID) -> Boundary | None:
    row = await conn.fetchrow(_FIND, tenant, boundary_id)
    return boundary_of(row) if row else None


async def of_pair(conn: Connection, pair: Pair, limit: int) -> Sequence[Boundary]:
    """A pair's boundaries, the newest reminder first."""
    rows = await conn.fetch(_OF_PAIR, pair.tenant, pair.pair_id, limit)
    return [boundary_of(row) for row in rows]


async def newest(conn: Connection, pair: Pair, by: PersonId, term: Term) -> Boundary | None:
    """The last time that `by` reminded the other side of this."""
    row = await conn.fetchrow(_NEWEST, pair.tenant, pair.pair_id, by, term)
    return boundary_of(row) if row else None


async def contested(
    conn: Connection, tenant: TenantId, judge: PersonId, limit: int
) -> Sequence[Contested]:
    """What two sides cannot settle and `judge`, who is neither, could; the longest first."""
    return [Contested(*row) for row in await conn.fetch(_CONTESTED, tenant, judge, limit)]


async def save(conn: Connection, boundaries: Sequence[Boundary]) -> None:
    """Insert boundaries, or write what became of them."""
    if not boundaries:
        return
    await conn.execute(_SAVE, *zip(*map(_row, boundaries), strict=True))


async def claims(conn: Connection, tenant: TenantId, pairs: Sequence[Pair]) -> Sequence[Window]:
    """Until when who is said to have breached a boundary can answer."""
    rows = await conn.fetch(_CLAIMS, tenant, [pair.pair_id for pair in pairs])
    return [Window(PairId(row["pair_id"]), *list(row.values())[1:]) for row in rows]


async def move(conn: Connection, tenant: TenantId, moved: Sequence[Window]) -> None:
    """Write until when claims can be answered."""
    if moved:
        ends = [each.sweep_at for each in moved]
        await conn.execute(_MOVE, tenant, [each.of for each in moved], ends)


def boundary_of(row: asyncpg.Record) -> Boundary:
    """The boundary in a row that holds the boundary's columns."""
    claimed_at = row["claimed_at"]
    return Boundary(
        TenantId(row["tenant"]),
        PairId(row["pair_id"]),
        BoundaryId(row["boundary_id"]),
        PersonId(row["reminded_by"]),
        PersonId(row["about"]),
        row["term"],
        row["reminded_at"],
        row["state"],
        Claim(row["happened_at"], claimed_at, row["sweep_at"], row["contested_at"])
        if claimed_at
        else None,
        row["after"],
        row["breached_at"],
        row["confirmed_by"],
        row["revision"],
    )


def _row(it: Boundary) -> tuple[object, ...]:
    return (
        it.tenant,
        it.boundary_id,
        it.pair_id,
        it.reminded_by,
        it.about,
        it.term,
        it.reminded_at,
        it.state,
        it.claim.happened_at if it.claim else None,
        it.claim.claimed_at if it.claim else None,
        it.claim.contested_at if it.claim else None,
        it.claim.until if it.claim else None,
        it.after,
        it.breached_at,
        it.confirmed_by,
        it.revision,
    )


# What the sweeper looks at.
SWEPT = Swept("boundary", _ONGOING, boundary_of, past="coalesce(contested_at, claimed_at)")
