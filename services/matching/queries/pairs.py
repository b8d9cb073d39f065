"""What matching asks and keeps about pairs. Opens no transaction, holds no rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import orjson

from services.matching.domain.pair import Pair, State
from shared.events.matching import Ground
from shared.ids import PairId, PersonId, TenantId
from shared.postgres.pool import Connection

Together: TypeAlias = tuple[PersonId, PersonId]

_OPEN = "('proposed', 'accepted', 'started')"

# Why two who came to nothing may be proposed to each other again: neither of them let it.
_AFRESH = "('person_left', 'place_gone', 'reassigned', 'withdrawn')"
# Who must not be proposed to each other again.
TRIED = f"(pair.end_reason IS NULL OR pair.end_reason NOT IN {_AFRESH})"
_TRIED = f"SELECT DISTINCT mentor_id, mentee_id FROM pair WHERE tenant = $1 AND {TRIED}"
# What a pair is at an instant: time decides, not the sweeper. `{at}` is the instant.
OVERDUE = "pair.state = 'proposed' AND pair.answer_until <= {at}"

_PAIR_COLUMNS = """pair_id, programme_id, mentor_id, mentee_id, fit_permille, reasons, proposed_at,
    state, mentor_accepted, mentee_accepted, started_at, ended_at, end_reason, asked_by,
    answer_until, run_id, accepted_at, revision"""
# A pair that is there is changed in what a decision can change, and in nothing else.
_SAVE = f"""
    INSERT INTO pair (tenant, {_PAIR_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19)
    ON CONFLICT (tenant, pair_id) DO UPDATE
    SET (state, mentor_accepted, mentee_accepted, accepted_at, started_at, ended_at, end_reason,
         revision)
      = (excluded.state, excluded.mentor_accepted, excluded.mentee_accepted, excluded.accepted_at,
         excluded.started_at, excluded.ended_at, excluded.end_reason, excluded.revision)
"""
_PAIR = f"SELECT {_PAIR_COLUMNS} FROM pair WHERE tenant = $1 AND pair_id = $2"
_LOCK_PAIR = _PAIR + " FOR UPDATE"
# Locked in one order everywhere, so that two leavers of one pair cannot block each other.
_LOCK_OPEN_PAIRS_OF = f"""
    SELECT {_PAIR_COLUMNS} FROM pair
    WHERE tenant = $1 AND (mentor_id = $2 OR mentee_id = $2) AND state IN {_OPEN}
    ORDER BY pair_id FOR UPDATE
"""
# What time has decided. In use by somebody right now, it waits for the next time.
_DUE = f"""
    SELECT tenant, {_PAIR_COLUMNS} FROM pair
    WHERE {OVERDUE.format(at="$1")} AND ($2::text[] IS NULL OR mentor_id = ANY($2::text[])
        OR mentee_id = ANY($2::text[]))
    ORDER BY answer_until, pair_id LIMIT $3 FOR UPDATE
"""
_OPEN_OF_MENTEE = f"""
    SELECT {_PAIR_COLUMNS} FROM pair
    WHERE tenant = $1 AND mentee_id = $2 AND state IN {_OPEN} ORDER BY pair_id LIMIT 1
"""
# Pair ids grow with time, so the newest come first and a page ends where the next begins.
_PAIRS_PAGE = f"""
    SELECT {_PAIR_COLUMNS} FROM pair
    WHERE tenant = $1
      AND ($2::text IS NULL OR mentor_id = $2 OR mentee_id = $2)
      AND ($3::text IS NULL OR CASE WHEN {OVERDUE.format(at="$4")} THEN 'expired'
                                    ELSE state END = $3)
      AND ($5::uuid IS NULL OR pair_id < $5)
    ORDER BY pair_id DESC LIMIT $6
"""


@dataclass(frozen=True, slots=True)
class PairFilter:
    """Which pairs are wanted: of one member, in one state at an instant, or all where None."""

    at: datetime
    member: PersonId | None = None
    state: State | None = None


async def tried(conn: Connection, tenant: TenantId) -> frozenset[Together]:
    """(mentor, mentee) that are not to be proposed again."""
    rows = await conn.fetch(_TRIED, tenant)
    return frozenset((row["mentor_id"], row["mentee_id"]) for row in rows)


async def open_of_mentee(conn: Connection, tenant: TenantId, mentee_id: PersonId) -> Pair | None:
    """The pair or proposal that a mentee has; what is overdue and not yet closed counts."""
    row = await conn.fetchrow(_OPEN_OF_MENTEE, tenant, mentee_id)
    return _pair(row) if row else None


async def lock_due(conn: Connection, now: datetime, limit: int) -> list[tuple[TenantId, Pair]]:
    """At most `limit` proposals of all tenants that are over by `now`, the longest over first.

    Held until the transaction ends; those that somebody is answering wait for the next time.
    """
    rows = await conn.fetch(f"{_DUE} SKIP LOCKED", now, None, limit)
    return [(row["tenant"], _pair(row)) for row in rows]


async def lock_due_of(
    conn: Connection, people: Sequence[PersonId], now: datetime, limit: int
) -> list[Pair]:
    """Of these people of the tenant that is acted for; waits for whoever is answering."""
    return [_pair(row) for row in await conn.fetch(_DUE, now, people, limit)]


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
    rows = await conn.fetch(
        _PAIRS_PAGE, tenant, chosen.member, chosen.state, chosen.at, before, limit
    )
    return [_pair(row) for row in rows]


def _pair(row: Any) -> Pair:
    values = {name: value for name, value in row.items() if name != "tenant"}
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
        pair.accepted_at,
        pair.revision,
    )
