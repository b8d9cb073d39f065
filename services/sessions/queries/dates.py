"""Statements on the dates of what goes on, apart from what it is about.

What is disputed keeps its dates: it has long enough, and who settles it is neither of the two.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from services.sessions.domain.dates import Promised, Window
from services.sessions.domain.pair import Pair
from services.sessions.queries.pairs import COLUMNS, JOIN_MEMBERS, pair_of
from shared.ids import CommitmentId, PairId, PersonId, TenantId
from shared.postgres.pool import Connection

_HOLD = """
    WITH theirs AS (
        SELECT pair_id FROM pair
        WHERE tenant = $1 AND (mentor_id = $2 OR mentee_id = $2) AND ended_at IS NULL
        ORDER BY pair_id FOR UPDATE
    )
    UPDATE pair SET redated = redated + 1 FROM theirs
    WHERE pair.tenant = $1 AND pair.pair_id = theirs.pair_id RETURNING pair.pair_id
"""
# A statement of its own: what it sees began after the rows were held, so nobody's days are old.
_HELD = f"""
    SELECT {COLUMNS} FROM pair {JOIN_MEMBERS}
    WHERE pair.tenant = $1 AND pair.pair_id = ANY ($2::uuid[]) ORDER BY pair.pair_id
"""
_GIVEN_BACK = """
    (SELECT coalesce(sum(span), '0') FROM given_back
     WHERE given_back.tenant = $1 AND thing_id = {id}) AS given_back
"""
_PROMISES = f"""
    SELECT tenant, pair_id, commitment_id, made_by, coalesce(dated_at, made_at) AS dated_at,
           coalesce(promised_for, due_at) AS promised_for, due_at,
           coalesce(claim_closes_at, sweep_at) AS closes_at, sweep_at,
           claimed_at, warned_at, told_at, {_GIVEN_BACK.format(id="commitment_id")}
    FROM commitment
    WHERE tenant = $1 AND pair_id = ANY ($2::uuid[]) AND state IN ('made', 'open', 'claimed')
    ORDER BY due_at, commitment_id
"""
_MOVE_PROMISES = """
    UPDATE commitment
    SET promised_for = moved.promised_for, due_at = moved.due_at, sweep_at = moved.sweep_at,
        claim_closes_at = CASE WHEN claimed_at IS NOT NULL THEN moved.closes_at END,
        warned_at = moved.warned_at, told_at = moved.told_at, revision = revision + 1
    FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[],
                $6::timestamptz[], $7::timestamptz[], $8::timestamptz[])
      AS moved(commitment_id, promised_for, due_at, closes_at, sweep_at, warned_at, told_at)
    WHERE commitment.tenant = $1 AND commitment.commitment_id = moved.commitment_id
"""
_SESSIONS = f"""
    SELECT pair_id, session_id AS of, ends_at AS past, sweep_at,
           {_GIVEN_BACK.format(id="session_id")}
    FROM session WHERE tenant = $1 AND pair_id = ANY ($2::uuid[]) AND state = 'scheduled'
"""
_CLAIMS = f"""
    SELECT pair_id, session_id AS of, claimed_at AS past, sweep_at,
           {_GIVEN_BACK.format(id="session_id")}
    FROM session WHERE tenant = $1 AND pair_id = ANY ($2::uuid[]) AND state = 'claimed'
"""
_MOVE_SESSIONS = """
    UPDATE session SET sweep_at = moved.sweep_at, revision = revision + 1
    FROM unnest($2::uuid[], $3::timestamptz[]) AS moved(session_id, sweep_at)
    WHERE session.tenant = $1 AND session.session_id = moved.session_id
"""
_REPAIRS = f"""
    SELECT pair_id, repair_id AS of, due_at AS past, sweep_at,
           {_GIVEN_BACK.format(id="repair_id")}
    FROM repair WHERE tenant = $1 AND pair_id = ANY ($2::uuid[]) AND state = 'promised'
"""
_MOVE_REPAIRS = """
    UPDATE repair
    SET closes_at = moved.sweep_at, sweep_at = moved.sweep_at, revision = revision + 1
    FROM unnest($2::uuid[], $3::timestamptz[]) AS moved(repair_id, sweep_at)
    WHERE repair.tenant = $1 AND repair.repair_id = moved.repair_id
"""


async def hold_pairs(conn: Connection, tenant: TenantId, person: PersonId) -> Sequence[Pair]:
    """The person's pairs that go on, held until the transaction ends, as they are since then."""
    rows = await conn.fetch(_HOLD, tenant, person)
    if not rows:
        return []
    ids = [row["pair_id"] for row in rows]
    return [pair_of(row) for row in await conn.fetch(_HELD, tenant, ids)]


async def promises(conn: Connection, tenant: TenantId, pairs: Sequence[Pair]) -> Sequence[Promised]:
    """The promises of these pairs that go on, the soonest due first."""
    return [_promised(row) for row in await conn.fetch(_PROMISES, tenant, _ids(pairs))]


async def move_promises(conn: Connection, tenant: TenantId, moved: Sequence[Promised]) -> None:
    """Write the new dates, each a change that readers of the old ones are told of (412)."""
    if not moved:
        return
    rows = [
        (
            each.commitment_id,
            each.promised_for,
            each.due_at,
            each.closes_at,
            each.sweep_at,
            each.warned_at,
            each.told_at,
        )
        for each in moved
    ]
    await conn.execute(_MOVE_PROMISES, tenant, *zip(*rows, strict=True))


async def sessions(conn: Connection, tenant: TenantId, pairs: Sequence[Pair]) -> Sequence[Window]:
    """Until when the sessions of these pairs can be confirmed."""
    return [_window(row) for row in await conn.fetch(_SESSIONS, tenant, _ids(pairs))]


async def claims(conn: Connection, tenant: TenantId, pairs: Sequence[Pair]) -> Sequence[Window]:
    """Until when who is said to have missed a session can answer."""
    return [_window(row) for row in await conn.fetch(_CLAIMS, tenant, _ids(pairs))]


async def repairs(conn: Connection, tenant: TenantId, pairs: Sequence[Pair]) -> Sequence[Window]:
    """Until when what was promised to be put right can be said to be."""
    return [_window(row) for row in await conn.fetch(_REPAIRS, tenant, _ids(pairs))]


async def move_sessions(conn: Connection, tenant: TenantId, moved: Sequence[Window]) -> None:
    """Write until when something can be said about these sessions. Their own times stay."""
    await _move(conn, _MOVE_SESSIONS, tenant, moved)


async def move_repairs(conn: Connection, tenant: TenantId, moved: Sequence[Window]) -> None:
    """Write until when something can be said about these repairs. They are due when they were."""
    await _move(conn, _MOVE_REPAIRS, tenant, moved)


async def _move(
    conn: Connection, statement: str, tenant: TenantId, moved: Sequence[Window]
) -> None:
    if moved:
        await conn.execute(
            statement, tenant, [each.of for each in moved], [each.sweep_at for each in moved]
        )


def _ids(pairs: Sequence[Pair]) -> list[PairId]:
    return [pair.pair_id for pair in pairs]


def _window(row: asyncpg.Record) -> Window:
    return Window(
        PairId(row["pair_id"]), row["of"], row["past"], row["sweep_at"], row["given_back"]
    )


def _promised(row: asyncpg.Record) -> Promised:
    return Promised(
        TenantId(row["tenant"]),
        PairId(row["pair_id"]),
        CommitmentId(row["commitment_id"]),
        PersonId(row["made_by"]),
        row["dated_at"],
        row["promised_for"],
        row["due_at"],
        row["closes_at"],
        row["sweep_at"],
        row["claimed_at"],
        row["warned_at"],
        row["told_at"],
        row["given_back"],
    )
