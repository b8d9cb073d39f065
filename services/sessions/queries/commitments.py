"""Statements on commitments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.sessions.domain.commitment import Claim, Commitment, MoreTime, Promise, State
from services.sessions.domain.pair import Pair
from services.sessions.queries.sweeps import Swept
from shared.ids import CommitmentId, PairId, PersonId, TenantId
from shared.postgres.pool import Connection

# Name and type of each column, in the order of `_row`.
_TYPES = {
    "tenant": "text",
    "commitment_id": "uuid",
    "pair_id": "uuid",
    "made_by": "text",
    "made_at": "timestamptz",
    "due_at": "timestamptz",
    "title": "text",
    "size": "text",
    "sweep_at": "timestamptz",
    "state": "text",
    "accepted_at": "timestamptz",
    "warned_at": "timestamptz",
    "told_at": "timestamptz",
    "kept_at": "timestamptz",
    "acknowledged_at": "timestamptz",
    "promised_for": "timestamptz",
    "dated_at": "timestamptz",
    "asked_due_at": "timestamptz",
    "asked_with_notice": "boolean",
    "done_at": "timestamptz",
    "claimed_at": "timestamptz",
    "claim_closes_at": "timestamptz",
    "disputed_at": "timestamptz",
    "waits_for": "text",
    "revision": "int",
}
# What stays as it was when it was made.
_FIXED = {"tenant", "commitment_id", "pair_id", "made_by", "made_at", "title", "size"}
_COLUMNS = ", ".join(_TYPES)
_ARRAYS = ", ".join(f"${n}::{type_}[]" for n, type_ in enumerate(_TYPES.values(), 1))
# Word for word as in the indexes on what goes on.
_ONGOING = "state IN ('made', 'open', 'claimed', 'disputed')"

_FIND = f"SELECT {_COLUMNS} FROM commitment WHERE tenant = $1 AND commitment_id = $2"
_OPEN = f"""
    SELECT {_COLUMNS} FROM commitment
    WHERE tenant = $1 AND pair_id = $2 AND {_ONGOING} ORDER BY due_at, commitment_id LIMIT $3
"""
_COUNT_OPEN = f"""
    SELECT count(*) FROM commitment
    WHERE tenant = $1 AND pair_id = $2 AND {_ONGOING} AND made_by = $3
"""
_PAGE = f"""
    SELECT {_COLUMNS} FROM commitment
    WHERE tenant = $1 AND pair_id = $2 AND ($3::text IS NULL OR state = $3)
      AND ($4::text IS NULL OR made_by = $4)
      AND ($5::timestamptz IS NULL OR (made_at, commitment_id) < ($5, $6::uuid))
    ORDER BY made_at DESC, commitment_id DESC LIMIT $7
"""
_DISPUTED = """
    SELECT commitment_id, commitment.pair_id, disputed_at
    FROM commitment JOIN pair USING (tenant, pair_id)
    WHERE tenant = $1 AND state = 'disputed' AND $2 NOT IN (mentor_id, mentee_id)
    ORDER BY disputed_at, commitment_id LIMIT $3
"""
_SAVE = f"""
    INSERT INTO commitment ({_COLUMNS})
    SELECT * FROM unnest({_ARRAYS})
    ON CONFLICT (tenant, commitment_id) DO UPDATE
    SET {", ".join(f"{name} = excluded.{name}" for name in _TYPES if name not in _FIXED)}
"""


class After(NamedTuple):
    """The last commitment of the page before."""

    made_at: datetime
    commitment_id: UUID


class Disputed(NamedTuple):
    """A dispute, and nothing of what it is about: titles are the pair's own."""

    commitment_id: CommitmentId
    pair_id: PairId
    since: datetime


class Choice(NamedTuple):
    """Which commitments of a pair are asked for: those in a state, of one side. None is any."""

    state: State | None = None
    made_by: PersonId | None = None


async def find(conn: Connection, tenant: TenantId, commitment_id: UUID) -> Commitment | None:
    row = await conn.fetchrow(_FIND, tenant, commitment_id)
    return commitment_of(row) if row else None


async def open_of(conn: Connection, pair: Pair, limit: int) -> Sequence[Commitment]:
    """The commitments of both sides that go on, the soonest due first."""
    rows = await conn.fetch(_OPEN, pair.tenant, pair.pair_id, limit)
    return [commitment_of(row) for row in rows]


async def count_open(conn: Connection, pair: Pair, made_by: PersonId) -> int:
    count: int = await conn.fetchval(_COUNT_OPEN, pair.tenant, pair.pair_id, made_by)
    return count


async def page(
    conn: Connection, pair: Pair, choice: Choice, after: After | None, limit: int
) -> Sequence[Commitment]:
    """A pair's commitments, the newest first, after the last of the page before."""
    at, id_ = after or (None, None)
    rows = await conn.fetch(
        _PAGE, pair.tenant, pair.pair_id, choice.state, choice.made_by, at, id_, limit
    )
    return [commitment_of(row) for row in rows]


async def disputed(
    conn: Connection, tenant: TenantId, judge: PersonId, limit: int
) -> Sequence[Disputed]:
    """What two sides, of neither of which `judge` is, could not settle: the longest first."""
    rows = await conn.fetch(_DISPUTED, tenant, judge, limit)
    return [
        Disputed(CommitmentId(row["commitment_id"]), PairId(row["pair_id"]), row["disputed_at"])
        for row in rows
    ]


async def save(conn: Connection, commitments: Sequence[Commitment]) -> None:
    """Insert commitments, or write what became of them."""
    if not commitments:
        return
    await conn.execute(_SAVE, *zip(*map(_row, commitments), strict=True))


def commitment_of(row: asyncpg.Record) -> Commitment:
    """The commitment in a row that holds the commitment's columns."""
    asked = row["asked_due_at"]
    claimed = row["claimed_at"]
    return Commitment(
        TenantId(row["tenant"]),
        PairId(row["pair_id"]),
        CommitmentId(row["commitment_id"]),
        PersonId(row["made_by"]),
        row["made_at"],
        Promise(row["due_at"], row["title"], row["size"]),
        row["sweep_at"],
        row["state"],
        accepted_at=row["accepted_at"],
        warned_at=row["warned_at"],
        told_at=row["told_at"],
        kept_at=row["kept_at"],
        acknowledged_at=row["acknowledged_at"],
        promised_for=row["promised_for"],
        dated_at=row["dated_at"],
        asked=MoreTime(asked, row["asked_with_notice"]) if asked else None,
        claim=Claim(row["done_at"], claimed, row["claim_closes_at"]) if claimed else None,
        disputed_at=row["disputed_at"],
        waits_for=row["waits_for"],
        revision=row["revision"],
    )


def _row(it: Commitment) -> tuple[object, ...]:
    return (
        it.tenant,
        it.commitment_id,
        it.pair_id,
        it.made_by,
        it.made_at,
        it.due_at,
        it.promise.title,
        it.promise.size,
        it.sweep_at,
        it.state,
        it.accepted_at,
        it.warned_at,
        it.told_at,
        it.kept_at,
        it.acknowledged_at,
        it.promised_for,
        it.dated_at,
        it.asked.due_at if it.asked else None,
        it.asked.with_notice if it.asked else None,
        it.claim.done_at if it.claim else None,
        it.claim.claimed_at if it.claim else None,
        it.claim.closes_at if it.claim else None,
        it.disputed_at,
        it.waits_for,
        it.revision,
    )


# What the sweeper looks at.
SWEPT = Swept("commitment", _ONGOING, commitment_of, past="due_at", also=("claim_closes_at",))
