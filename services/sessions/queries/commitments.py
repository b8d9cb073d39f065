"""Statements on commitments."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.sessions.domain.commitment import Commitment, Promise
from services.sessions.domain.pair import Pair
from services.sessions.queries.sweeps import Swept
from shared.ids import CommitmentId, PairId, PersonId, TenantId
from shared.postgres.pool import Connection

_COLUMNS = """tenant, commitment_id, pair_id, made_by, made_at, due_at, title, sweep_at, state,
    warned_at, told_at, kept_at, revision"""

_FIND = f"SELECT {_COLUMNS} FROM commitment WHERE tenant = $1 AND commitment_id = $2"
_OPEN = f"""
    SELECT {_COLUMNS} FROM commitment
    WHERE tenant = $1 AND pair_id = $2 AND state = 'open' ORDER BY due_at, commitment_id LIMIT $3
"""
_COUNT_OPEN = """
    SELECT count(*) FROM commitment
    WHERE tenant = $1 AND pair_id = $2 AND state = 'open' AND made_by = $3
"""
_SAVE = f"""
    INSERT INTO commitment ({_COLUMNS})
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[],
        $6::timestamptz[], $7::text[], $8::timestamptz[], $9::text[], $10::timestamptz[],
        $11::timestamptz[], $12::timestamptz[], $13::int[])
    ON CONFLICT (tenant, commitment_id) DO UPDATE
    SET state = excluded.state, warned_at = excluded.warned_at, told_at = excluded.told_at,
        kept_at = excluded.kept_at, revision = excluded.revision
"""


async def find(conn: Connection, tenant: TenantId, commitment_id: UUID) -> Commitment | None:
    row = await conn.fetchrow(_FIND, tenant, commitment_id)
    return commitment_of(row) if row else None


async def open_of(conn: Connection, pair: Pair, limit: int) -> Sequence[Commitment]:
    """The open commitments of both sides, the soonest due first."""
    rows = await conn.fetch(_OPEN, pair.tenant, pair.pair_id, limit)
    return [commitment_of(row) for row in rows]


async def count_open(conn: Connection, pair: Pair, made_by: PersonId) -> int:
    count: int = await conn.fetchval(_COUNT_OPEN, pair.tenant, pair.pair_id, made_by)
    return count


async def save(conn: Connection, commitments: Sequence[Commitment]) -> None:
    """Insert commitments, or write what became of them."""
    if not commitments:
        return
    await conn.execute(_SAVE, *zip(*map(_row, commitments), strict=True))


def commitment_of(row: asyncpg.Record) -> Commitment:
    """The commitment in a row that holds the commitment's columns."""
    return Commitment(
        TenantId(row["tenant"]),
        PairId(row["pair_id"]),
        CommitmentId(row["commitment_id"]),
        PersonId(row["made_by"]),
        row["made_at"],
        Promise(row["due_at"], row["title"]),
        row["sweep_at"],
        row["state"],
        row["warned_at"],
        row["told_at"],
        row["kept_at"],
        row["revision"],
    )


def _row(commitment: Commitment) -> tuple[object, ...]:
    return (
        commitment.tenant,
        commitment.commitment_id,
        commitment.pair_id,
        commitment.made_by,
        commitment.made_at,
        commitment.promise.due_at,
        commitment.promise.title,
        commitment.sweep_at,
        commitment.state,
        commitment.warned_at,
        commitment.told_at,
        commitment.kept_at,
        commitment.revision,
    )


# What the sweeper looks at: rows whose state is still open.
SWEPT = Swept("commitment", "state = 'open'", commitment_of)
