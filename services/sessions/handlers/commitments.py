"""Commands on commitments: make, keep, warn, tell."""

from __future__ import annotations

from datetime import datetime

from services.sessions.domain import commitment as rules_of
from services.sessions.domain.commitment import Commitment, Promise
from services.sessions.domain.rules import Rules
from services.sessions.domain.thing import Decision
from services.sessions.handlers.commands import Work, change, create
from services.sessions.handlers.common import Ask
from services.sessions.queries import commitments
from shared.ids import CommitmentId, PairId, new_id
from shared.postgres.pool import Pool


async def make(pool: Pool, ask: Ask, rules: Rules, pair_id: PairId, promise: Promise) -> Commitment:
    """Promise something to the other side."""

    async def decide(work: Work) -> Decision[Commitment]:
        made = rules_of.make(work.pair, CommitmentId(new_id()), ask.person, promise, ask.now, rules)
        rules_of.require_room(await commitments.count_open(work.conn, work.pair, ask.person))
        return made

    return await create(pool, ask, pair_id, commitments, ("promise", promise), decide)


async def keep(
    pool: Pool, ask: Ask, commitment_id: CommitmentId, kept_at: datetime | None
) -> Commitment:
    """Say, as the receiving side, that a promise was kept on time."""
    return await change(
        pool,
        ask,
        commitments,
        commitment_id,
        ("keep", kept_at),
        lambda work, it: rules_of.keep(work.pair, it, ask.person, ask.now, kept_at),
    )


async def warn(pool: Pool, ask: Ask, commitment_id: CommitmentId) -> Commitment:
    """Say, before it is due, that one's own promise will not be kept in time."""
    return await change(
        pool,
        ask,
        commitments,
        commitment_id,
        ("warn",),
        lambda work, it: rules_of.warn(work.pair, it, ask.person, ask.now),
    )


async def tell(pool: Pool, ask: Ask, commitment_id: CommitmentId) -> Commitment:
    """Say, after it was due, that one's own promise was not kept in time."""
    return await change(
        pool,
        ask,
        commitments,
        commitment_id,
        ("tell",),
        lambda work, it: rules_of.tell(work.pair, it, ask.person, ask.now),
    )
