"""Commands on commitments: make, keep, warn, tell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from services.sessions.domain import commitment as rules_of
from services.sessions.domain.commitment import Commitment, Decision, Promise
from services.sessions.domain.pair import Pair
from services.sessions.domain.rules import Rules
from services.sessions.handlers import once
from services.sessions.handlers.common import Ask, announce, lock_pair
from services.sessions.queries import commitments
from shared.errors import NotFound
from shared.ids import CommitmentId, PairId, new_id
from shared.postgres.pool import Connection, Pool


async def make(pool: Pool, ask: Ask, rules: Rules, pair_id: PairId, promise: Promise) -> Commitment:
    """Promise something to the other side."""
    fingerprint = once.fingerprint_of("promise", pair_id, promise)
    async with pool.acquire() as conn, conn.transaction():
        pair = await lock_pair(conn, ask, pair_id)
        if (created := await once.earlier(conn, ask, fingerprint)) is not None:
            return await _find(conn, ask, CommitmentId(UUID(created)))
        commitment_id = CommitmentId(new_id())
        made, happened = rules_of.make(pair, commitment_id, ask.person, promise, ask.now, rules)
        rules_of.require_room(await commitments.count_open(conn, pair, ask.person))
        await commitments.save(conn, [made])
        await once.remember(conn, ask, fingerprint, str(commitment_id))
        await announce(conn, happened)
        return made


async def keep(
    pool: Pool, ask: Ask, commitment_id: CommitmentId, kept_at: datetime | None
) -> Commitment:
    """Say, as the receiving side, that a promise was kept on time."""
    return await _change(
        pool,
        ask,
        commitment_id,
        lambda pair, commitment: rules_of.keep(pair, commitment, ask.person, ask.now, kept_at),
    )


async def warn(pool: Pool, ask: Ask, commitment_id: CommitmentId) -> Commitment:
    """Say, before it is due, that one's own promise will not be kept in time."""
    return await _change(
        pool,
        ask,
        commitment_id,
        lambda pair, commitment: rules_of.warn(pair, commitment, ask.person, ask.now),
    )


async def tell(pool: Pool, ask: Ask, commitment_id: CommitmentId) -> Commitment:
    """Say, after it was due, that one's own promise was not kept in time."""
    return await _change(
        pool,
        ask,
        commitment_id,
        lambda pair, commitment: rules_of.tell(pair, commitment, ask.person, ask.now),
    )


async def _change(
    pool: Pool,
    ask: Ask,
    commitment_id: CommitmentId,
    decide: Callable[[Pair, Commitment], Decision],
) -> Commitment:
    async with pool.acquire() as conn, conn.transaction():
        pair_id = (await _find(conn, ask, commitment_id)).pair_id
        pair = await lock_pair(conn, ask, pair_id)
        # Read again: it may have changed while another request held the pair.
        changed, happened = decide(pair, await _find(conn, ask, commitment_id))
        await commitments.save(conn, [changed])
        await announce(conn, happened)
        return changed


async def _find(conn: Connection, ask: Ask, commitment_id: CommitmentId) -> Commitment:
    commitment = await commitments.find(conn, ask.tenant, commitment_id)
    if commitment is None:
        raise NotFound
    return commitment
