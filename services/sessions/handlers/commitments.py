"""Commands on commitments, and reading them. Holds no rule and no SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from services.sessions.domain import claims, promises
from services.sessions.domain.claims import Outcome
from services.sessions.domain.commitment import Commitment, State, require_room
from services.sessions.domain.promises import Wish
from services.sessions.domain.rules import Rules
from services.sessions.domain.thing import Decision
from services.sessions.handlers.commands import Work, change, create, find
from services.sessions.handlers.common import find_pair
from services.sessions.queries import agreements, commitments
from services.sessions.queries.commitments import After, Choice
from shared.asking import Ask
from shared.ids import CommitmentId, PairId, new_id
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for

# How long before it is due more time has to be asked for, where no agreement says.
DEFAULT_NOTICE = timedelta(hours=24)

Rule: TypeAlias = Callable[..., Decision[Commitment]]


async def make(pool: Pool, ask: Ask, rules: Rules, pair_id: PairId, wish: Wish) -> Commitment:
    """Promise something to the other side."""

    async def decide(work: Work) -> Decision[Commitment]:
        promise = promises.promise_of(wish, work.pair.member(ask.person), ask.now)
        made = promises.make(work.pair, CommitmentId(new_id()), ask.person, promise, ask.now, rules)
        require_room(await commitments.count_open(work.conn, work.pair, ask.person))
        return made

    return await create(pool, ask, pair_id, commitments, ("promise", wish), decide)


async def say(
    pool: Pool, ask: Ask, commitment_id: CommitmentId, rule: Rule, *said: object
) -> Commitment:
    """Let one side say something of a promise: what `rule` makes of it.

    `said` is what came with it, and tells one request from another with the same key.
    """
    request = (rule.__name__, *said)

    def decide(work: Work, it: Commitment) -> Decision[Commitment]:
        return rule(work.pair, it, ask.person, ask.now, *said)

    return await change(pool, ask, commitments, commitment_id, request, decide)


async def ask_for_time(
    pool: Pool, ask: Ask, commitment_id: CommitmentId, due_at: datetime
) -> Commitment:
    """Ask for a later due time; how long before it is due is said by the agreement in force."""

    async def decide(work: Work, it: Commitment) -> Decision[Commitment]:
        agreed = await agreements.in_force(work.conn, work.pair)
        notice = timedelta(hours=agreed.terms.notice_hours) if agreed else DEFAULT_NOTICE
        return promises.ask_for_time(work.pair, it, ask.person, ask.now, due_at, notice)

    return await change(pool, ask, commitments, commitment_id, ("ask-for-time", due_at), decide)


async def agree_time(pool: Pool, ask: Ask, rules: Rules, commitment_id: CommitmentId) -> Commitment:
    """Agree to the due time that was asked for."""
    return await change(
        pool,
        ask,
        commitments,
        commitment_id,
        ("agree-time",),
        lambda work, it: promises.agree_time(work.pair, it, ask.person, ask.now, rules),
    )


async def claim_done(
    pool: Pool, ask: Ask, rules: Rules, commitment_id: CommitmentId, done_at: datetime | None
) -> Commitment:
    """Say, as the one who made it, that it was done in time."""
    return await change(
        pool,
        ask,
        commitments,
        commitment_id,
        ("claim-done", done_at),
        lambda work, it: claims.claim_done(work.pair, it, ask.person, ask.now, done_at, rules),
    )


async def resolve(
    pool: Pool, ask: Ask, commitment_id: CommitmentId, outcome: Outcome
) -> Commitment:
    """Settle a dispute, as a manager: `ask` is judging."""
    return await say(pool, ask, commitment_id, claims.resolve, outcome)


async def view(pool: Pool, ask: Ask, commitment_id: CommitmentId) -> Commitment:
    """One commitment of a pair that one is in. Raises NotFound."""
    async with reading_for(pool, ask.tenant) as conn:
        it = await find(conn, ask, commitments, commitment_id)
        await find_pair(conn, ask, it.pair_id)
        return it


async def view_page(
    pool: Pool,
    ask: Ask,
    pair_id: PairId,
    only: tuple[State | None, bool | None],
    after: After | None,
    limit: int,
) -> Sequence[Commitment]:
    """A pair's commitments, the newest first: `only` those in a state, and one's own or not."""
    state, mine = only
    async with reading_for(pool, ask.tenant) as conn:
        pair = await find_pair(conn, ask, pair_id)
        made_by = None if mine is None else ask.person if mine else pair.other(ask.person)
        return await commitments.page(conn, pair, Choice(state, made_by), after, limit)
