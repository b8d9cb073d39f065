"""Statements on repairs."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.sessions.domain.pair import Pair
from services.sessions.domain.repair import Repair, Wish
from services.sessions.queries.sweeps import Swept
from shared.ids import PairId, PersonId, RepairId, TenantId
from shared.postgres.pool import Connection

_COLUMNS = """tenant, repair_id, pair_id, promised_by, promised_at, repairs, missed_due_at, due_at,
    words, closes_at, sweep_at, state, delivered_at, waits_for, revision"""
# Word for word as in the index on what goes on.
_ONGOING = "state IN ('promised', 'claimed')"

_FIND = f"SELECT {_COLUMNS} FROM repair WHERE tenant = $1 AND repair_id = $2"
_OF_PAIR = f"""
    SELECT {_COLUMNS} FROM repair
    WHERE tenant = $1 AND pair_id = $2 AND ($3::uuid IS NULL OR repairs = $3)
    ORDER BY promised_at DESC, repair_id DESC LIMIT $4
"""
_SAVE = f"""
    INSERT INTO repair ({_COLUMNS})
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[],
        $6::uuid[], $7::timestamptz[], $8::timestamptz[], $9::text[], $10::timestamptz[],
        $11::timestamptz[], $12::text[], $13::timestamptz[], $14::text[], $15::int[])
    ON CONFLICT (tenant, repair_id) DO UPDATE
    SET sweep_at = excluded.sweep_at, state = excluded.state, waits_for = excluded.waits_for,
        delivered_at = excluded.delivered_at, revision = excluded.revision
"""


async def find(conn: Connection, tenant: TenantId, repair_id: UUID) -> Repair | None:
    row = await conn.fetchrow(_FIND, tenant, repair_id)
    return repair_of(row) if row else None


async def of_pair(
    conn: Connection, pair: Pair, limit: int, repairs: UUID | None = None
) -> Sequence[Repair]:
    """A pair's repairs, the newest first; only of what was missed there, when that is named."""
    rows = await conn.fetch(_OF_PAIR, pair.tenant, pair.pair_id, repairs, limit)
    return [repair_of(row) for row in rows]


async def save(conn: Connection, repairs: Sequence[Repair]) -> None:
    """Insert repairs, or write what became of them."""
    if not repairs:
        return
    await conn.execute(_SAVE, *zip(*map(_row, repairs), strict=True))


def repair_of(row: asyncpg.Record) -> Repair:
    """The repair in a row that holds the repair's columns."""
    return Repair(
        TenantId(row["tenant"]),
        PairId(row["pair_id"]),
        RepairId(row["repair_id"]),
        Wish(PersonId(row["promised_by"]), row["repairs"], row["due_at"], row["words"]),
        row["promised_at"],
        row["missed_due_at"],
        row["closes_at"],
        row["sweep_at"],
        row["state"],
        row["delivered_at"],
        row["waits_for"],
        row["revision"],
    )


def _row(repair: Repair) -> tuple[object, ...]:
    return (
        repair.tenant,
        repair.repair_id,
        repair.pair_id,
        repair.wish.by,
        repair.promised_at,
        repair.wish.repairs,
        repair.missed_due_at,
        repair.wish.due_at,
        repair.wish.words,
        repair.closes_at,
        repair.sweep_at,
        repair.state,
        repair.delivered_at,
        repair.waits_for,
        repair.revision,
    )


# What the sweeper looks at.
SWEPT = Swept("repair", _ONGOING, repair_of, past="due_at", also=("closes_at",))
