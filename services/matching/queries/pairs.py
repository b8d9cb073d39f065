"""What matching asks and keeps about pairs. Opens no transaction, holds no rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from services.matching.domain.matching import Together
from services.matching.domain.pair import Pair, State
from shared.events.matching import Ground
from shared.ids import PairId, PersonId, TenantId
from shared.postgres.pool import Connection

_OPEN = "('proposed', 'accepted', 'started')"

# Who must not be proposed to each other again: only a leaver's return starts afresh.
_TRIED = """
    SELECT DISTINCT mentor_id, mentee_id FROM pair
    WHERE tenant = $1 AND end_reason IS DISTINCT FROM 'person_left'
"""

_PAIR_COLUMNS = """pair_id, programme_id, mentor_id, mentee_id, fit_permille, reasons, proposed_at,
    state, mentor_accepted, mentee_accepted, started_at, ended_at, end_reason, asked_by,
    answer_until, run_id, revision"""
# A pair that is there is changed in what a decision can change, and in nothing else.
_SAVE = f"""
    INSERT INTO pair (tenant, {_PAIR_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
    ON CONFLICT (tenant, pair_id) DO UPDATE
    SET (state, mentor_accepted, mentee_accepted, started_at, ended_at, end_reason, revision)
      = (excluded.state, excluded.mentor_accepted, excluded.mentee_accepted, excluded.started_at,
         excluded.ended_at, excluded.end_reason, excluded.revision)
"""
_PAIR = f"SELECT {_PAIR_COLUMNS} FROM pair WHERE tenant = $1 AND pair_id = $2"
_LOCK_PAIR = _PAIR + " FOR UPDATE"
# Locked in one order everywhere, so that two leavers of one pair cannot block each other.
_LOCK_OPEN_PAIRS_OF = f"""
    SELECT {_PAIR_COLUMNS} FROM pair
    WHERE tenant = $1 AND (mentor_id = $2 OR mentee_id = $2) AND state IN {_OPEN}
    ORDER BY pair_id FOR UPDATE
"""
# Pair ids grow with time, so the newest come first and a page ends where the next begins.
_PAIRS_PAGE = f"""
    SELECT {_PAIR_COLUMNS} FROM pair
    WHERE tenant = $1
      AND ($2::text IS NULL OR mentor_id = $2 OR mentee_id = $2)
      AND ($3::text IS NULL OR state = $3)
      AND ($4::uuid IS NULL OR pair_id < $4)
    ORDER BY pair_id DESC LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class PairFilter:
    """Which pairs are wanted: of one member, in one state, or all where None."""

    member: PersonId | None = None
    state: State | None = None


async def tried(conn: Connection, tenant: TenantId) -> frozenset[Together]:
    """(mentor, mentee) that are not to be proposed again."""
    rows = await conn.fetch(_TRIED, tenant)
    return frozenset((row["mentor_id"], row["mentee_id"]) for row in rows)


async def find(conn: Connection, tenant: TenantId, pair_id: PairId) -> Pair | None:
    row = await conn.fetchrow(_PAIR, tenant, pair_id)
    return _pair(row) if row else None


async def lock(conn: Connection, tenant: TenantId, pair_id: PairId) -> Pair | None:
    """The pair, which nobody else changes until the transaction ends."""
    row = await conn.fetchrow(_LOCK_PAIR, tenant, pair_id)
    return _pair(row) if row else None


async def lock_open_pairs_of(conn: Connection, tenant: TenantId, person_id: PersonId) -> list[Pair]:
    rows = await conn.fetch(_LOCK_OPEN_PAIRS_OF, tenant, person_id)
    return [_pair(row) for row in rows]


async def save(conn: Connection, tenant: TenantId, pair: Pair) -> None:
    """Keep a new pair, or what a decision changed of one that the caller holds."""
    await save_all(conn, tenant, [pair])


async def save_all(conn: Connection, tenant: TenantId, pairs: Sequence[Pair]) -> None:
    """Keep many, as `save` does."""
    await conn.executemany(_SAVE, [_row(tenant, pair) for pair in pairs])


async def page(
    conn: Connection, tenant: TenantId, chosen: PairFilter, before: PairId | None, limit: int
) -> list[Pair]:
    """Pairs older than `before`, newest first."""
    rows = await conn.fetch(_PAIRS_PAGE, tenant, chosen.member, chosen.state, before, limit)
    return [_pair(row) for row in rows]


def _pair(row: Any) -> Pair:
    values = dict(row)
    grounds = orjson.loads(values.pop("reasons"))
    return Pair(**values, grounds=tuple(Ground.model_validate(item) for item in grounds))


def _row(tenant: TenantId, pair: Pair) -> tuple[object, ...]:
    return (
        tenant,
        pair.pair_id,
        pair.programme_id,
        pair.mentor_id,
        pair.mentee_id,
        pair.fit_permille,
        orjson.dumps([ground.model_dump() for ground in pair.grounds]).decode(),
        pair.proposed_at,
        pair.state,
        pair.mentor_accepted,
        pair.mentee_accepted,
        pair.started_at,
        pair.ended_at,
        pair.end_reason,
        pair.asked_by,
        pair.answer_until,
        pair.run_id,
        pair.revision,
    )
