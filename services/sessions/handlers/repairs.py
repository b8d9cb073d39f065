"""Commands on repairs, and reading them. Holds no rule and no SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.sessions.domain import commitment as commitment_rules
from services.sessions.domain import misses
from services.sessions.domain import repair as rules_of
from services.sessions.domain import session as session_rules
from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.domain.repair import Miss, Repair, Wish
from services.sessions.domain.rules import Rules
from services.sessions.domain.thing import AThing, Decision, replies
from services.sessions.handlers.commands import Things, Work, change, create, find
from services.sessions.handlers.common import find_pair
from services.sessions.queries import commitments, repairs, sessions
from shared.asking import Ask
from shared.errors import NotFound
from shared.ids import PairId, RepairId, new_id
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for

MAX_EARLIER = 20
MAX_SHOWN = 100

ByNow = Callable[[Pair, AThing, datetime], Decision[AThing]]


async def promise(pool: Pool, ask: Ask, rules: Rules, pair_id: PairId, wish: Wish) -> Repair:
    """Acknowledge what one missed, and promise to put it right."""

    async def decide(work: Work) -> Decision[Repair]:
        miss, told = await _miss(work, wish.repairs)
        earlier = []
        for each in await repairs.of_pair(work.conn, work.pair, MAX_EARLIER, wish.repairs):
            now_so, happened = await _by_now(work, repairs, rules_of.as_of, each)
            earlier.append(now_so)
            told += happened
        rules_of.require_again(miss, ask.person, earlier)
        repair, happened = rules_of.promise(
            work.pair, RepairId(new_id()), wish, miss, ask.now, rules
        )
        return repair, (*told, *happened)

    return await create(pool, ask, pair_id, repairs, ("repair", wish), decide)


async def deliver(
    pool: Pool, ask: Ask, repair_id: RepairId, delivered_at: datetime | None
) -> Repair:
    """Say that one has put it right."""
    return await change(
        pool,
        ask,
        repairs,
        repair_id,
        ("deliver", delivered_at),
        lambda work, it: rules_of.deliver(work.pair, it, ask.person, ask.now, delivered_at),
    )


async def acknowledge(pool: Pool, ask: Ask, repair_id: RepairId) -> Repair:
    """Say, as the other side, that it was put right."""
    return await change(
        pool,
        ask,
        repairs,
        repair_id,
        ("acknowledge",),
        lambda work, it: rules_of.acknowledge(work.pair, it, ask.person, ask.now),
    )


async def not_yet(pool: Pool, ask: Ask, rules: Rules, repair_id: RepairId) -> Repair:
    """Say, as the other side, that it is not put right yet."""
    return await change(
        pool,
        ask,
        repairs,
        repair_id,
        ("not-yet",),
        lambda work, it: rules_of.not_yet(work.pair, it, ask.person, ask.now, rules),
    )


async def view(pool: Pool, ask: Ask, repair_id: RepairId) -> Repair:
    """One repair of a pair that one is in. Raises NotFound."""
    async with reading_for(pool, ask.tenant) as conn:
        it = await find(conn, ask, repairs, repair_id)
        await find_pair(conn, ask, it.pair_id)
        return it


async def view_all(pool: Pool, ask: Ask, pair_id: PairId) -> Sequence[Repair]:
    """A pair's newest repairs. Raises NotFound for a stranger."""
    async with reading_for(pool, ask.tenant) as conn:
        return await repairs.of_pair(conn, await find_pair(conn, ask, pair_id), MAX_SHOWN)


async def _miss(work: Work, missed: UUID) -> tuple[Miss, tuple[Happened, ...]]:
    """What was missed, of this pair, as time has left it. Raises NotFound or NotMissed."""
    commitment = await commitments.find(work.conn, work.ask.tenant, missed)
    if commitment is not None and commitment.pair_id == work.pair.pair_id:
        promised, told = await _by_now(work, commitments, commitment_rules.as_of, commitment)
        return misses.of_commitment(promised), told
    session = await sessions.find(work.conn, work.ask.tenant, missed)
    if session is not None and session.pair_id == work.pair.pair_id:
        planned, told = await _by_now(work, sessions, session_rules.by_now, session)
        return misses.of_session(planned), told
    raise NotFound


async def _by_now(
    work: Work, things: Things[AThing], by_now: ByNow[AThing], it: AThing
) -> Decision[AThing]:
    """The thing as time has left it, saved: whether the sweeper has been makes no difference."""
    now_so, happened = by_now(work.pair, it, work.ask.now)
    if now_so is it:
        return it, ()
    now_so = replace(now_so, revision=it.revision + 1)  # type: ignore[type-var]
    await things.save(work.conn, [now_so])
    return now_so, (*happened, *replies(work.pair, it, now_so, work.ask.now))
