"""What a member may read. Changes nothing; joins what the queries find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.sessions.domain.agreement import Agreement
from services.sessions.domain.commitment import Commitment
from services.sessions.domain.guidance import Advice, next_step
from services.sessions.domain.pair import Pair
from services.sessions.domain.rules import MAX_OPEN_COMMITMENTS
from services.sessions.domain.session import Session
from services.sessions.handlers.common import find_pair
from services.sessions.handlers.waiting import Waiting, waiting_for
from services.sessions.queries import agreements, commitments, history, pairs, sessions, sweeps
from services.sessions.queries.history import After, Entry
from shared.asking import Ask
from shared.ids import PairId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for

MAX_PAIRS = 100
MAX_TO_CONFIRM = 10


@dataclass(frozen=True, slots=True)
class PairView:
    """A pair as one of its members sees it. Holds no score and no private answer."""

    pair: Pair
    agreement: Agreement | None
    proposed: Agreement | None
    next_session: Session | None
    to_confirm: Sequence[Session]
    open_commitments: Sequence[Commitment]
    timezone: str | None
    next_step: Advice | None
    waiting: Sequence[Waiting]


async def view_pair(pool: Pool, ask: Ask, pair_id: PairId) -> PairView:
    """Everything about a pair at one instant. Raises NotFound for a stranger."""
    async with reading_for(pool, ask.tenant) as conn:
        pair = await find_pair(conn, ask, pair_id)
        in_force = await agreements.in_force(conn, pair)
        newest = await agreements.newest(conn, pair)
        trust = await pairs.trust(conn, ask.tenant, pair_id)
        return PairView(
            pair=pair,
            agreement=in_force,
            proposed=newest if newest and newest.waits else None,
            next_session=await sessions.upcoming(conn, pair, ask.now),
            to_confirm=await sessions.to_confirm(conn, pair, ask.person, ask.now, MAX_TO_CONFIRM),
            open_commitments=await commitments.open_of(conn, pair, 2 * MAX_OPEN_COMMITMENTS),
            timezone=pair.member(ask.person).zone,
            next_step=next_step(pair, ask.person, trust, agreed=in_force is not None),
            waiting=await waiting_for(conn, pair, ask.person),
        )


async def list_pairs(pool: Pool, ask: Ask) -> Sequence[Pair]:
    """The pairs the person who asks is in."""
    async with reading_for(pool, ask.tenant) as conn:
        return await pairs.of_person(conn, ask.tenant, ask.person, MAX_PAIRS)


async def view_history(
    pool: Pool, ask: Ask, pair_id: PairId, after: After | None, limit: int
) -> Sequence[Entry]:
    """What happened in a pair, the newest first. Raises NotFound for a stranger."""
    async with reading_for(pool, ask.tenant) as conn:
        pair = await find_pair(conn, ask, pair_id)
        return await history.page(conn, pair, after, limit)


async def swept_until(pool: Pool) -> datetime | None:
    """How far the sweeper is."""
    async with pool.acquire() as conn:
        return await sweeps.swept_until(conn)
