"""Statements on proposals of times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from services.sessions.domain.pair import Pair
from services.sessions.domain.proposal import Offer, Proposal
from services.sessions.domain.session import Slot
from services.sessions.queries.sweeps import Swept
from shared.ids import PairId, PersonId, TenantId
from shared.postgres.pool import Connection

_COLUMNS = """tenant, proposal_id, pair_id, proposed_by, asked, proposed_at, slots, channel,
    sweep_at, state, picked, session_id, revision"""

_FIND = f"SELECT {_COLUMNS} FROM proposal WHERE tenant = $1 AND proposal_id = $2"
_OPEN = f"""
    SELECT {_COLUMNS} FROM proposal
    WHERE tenant = $1 AND pair_id = $2 AND state = 'open' AND sweep_at > $3
    ORDER BY proposed_at, proposal_id
"""
_SAVE = f"""
    INSERT INTO proposal ({_COLUMNS})
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[],
        $6::timestamptz[], $7::jsonb[], $8::text[], $9::timestamptz[], $10::text[], $11::int[],
        $12::uuid[], $13::int[])
    ON CONFLICT (tenant, proposal_id) DO UPDATE
    SET state = excluded.state, picked = excluded.picked, session_id = excluded.session_id,
        revision = excluded.revision
"""


async def find(conn: Connection, tenant: TenantId, proposal_id: UUID) -> Proposal | None:
    row = await conn.fetchrow(_FIND, tenant, proposal_id)
    return proposal_of(row) if row else None


async def open_of(conn: Connection, pair: Pair, now: datetime) -> Sequence[Proposal]:
    """The proposals of a pair that wait for a word, the oldest first."""
    rows = await conn.fetch(_OPEN, pair.tenant, pair.pair_id, now)
    return [proposal_of(row) for row in rows]


async def save(conn: Connection, proposals: Sequence[Proposal]) -> None:
    """Insert proposals, or write what became of them."""
    if not proposals:
        return
    await conn.execute(_SAVE, *zip(*map(_row, proposals), strict=True))


def proposal_of(row: asyncpg.Record) -> Proposal:
    """The proposal in a row that holds the proposal's columns."""
    slots = tuple(
        Slot(datetime.fromisoformat(each["starts_at"]), each["duration_minutes"])
        for each in orjson.loads(row["slots"])
    )
    return Proposal(
        TenantId(row["tenant"]),
        PairId(row["pair_id"]),
        row["proposal_id"],
        PersonId(row["proposed_by"]),
        PersonId(row["asked"]),
        row["proposed_at"],
        Offer(slots, row["channel"]),
        row["sweep_at"],
        row["state"],
        row["picked"],
        row["session_id"],
        row["revision"],
    )


def _row(proposal: Proposal) -> tuple[object, ...]:
    return (
        proposal.tenant,
        proposal.proposal_id,
        proposal.pair_id,
        proposal.proposed_by,
        proposal.asked,
        proposal.proposed_at,
        orjson.dumps(proposal.offer.slots).decode(),
        proposal.offer.channel,
        proposal.sweep_at,
        proposal.state,
        proposal.picked,
        proposal.session_id,
        proposal.revision,
    )


# What the sweeper looks at. A time that has begun cannot be given back by anybody.
SWEPT = Swept("proposal", "state = 'open'", proposal_of, past="'infinity'::timestamptz")
