"""Commands on boundaries, and reading them. Holds no rule and no SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from services.sessions.domain import boundary as rules_of
from services.sessions.domain.boundary import Boundary, Outcome, Term
from services.sessions.domain.thing import Decision
from services.sessions.handlers.commands import Work, change, create, find
from services.sessions.handlers.common import find_pair
from services.sessions.queries import boundaries
from shared.asking import Ask
from shared.ids import BoundaryId, PairId, new_id
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for

MAX_SHOWN = 100

Rule: TypeAlias = Callable[..., Decision[Boundary]]


async def remind(pool: Pool, ask: Ask, pair_id: PairId, term: Term) -> Boundary:
    """Politely ask the other side to keep to what was agreed."""

    async def decide(work: Work) -> Decision[Boundary]:
        reminded = rules_of.remind(work.pair, BoundaryId(new_id()), ask.person, term, ask.now)
        earlier = await boundaries.newest(work.conn, work.pair, ask.person, term)
        rules_of.require_due(earlier, ask.now)
        return reminded

    return await create(pool, ask, pair_id, boundaries, ("remind", term), decide)


async def claim(pool: Pool, ask: Ask, boundary_id: BoundaryId, happened_at: datetime) -> Boundary:
    """Say that it happened in spite of the reminder."""
    return await _say(pool, ask, boundary_id, rules_of.claim, happened_at)


async def confirm(pool: Pool, ask: Ask, boundary_id: BoundaryId) -> Boundary:
    """Say, as the accused, that it was so."""
    return await _say(pool, ask, boundary_id, rules_of.confirm)


async def contest(pool: Pool, ask: Ask, boundary_id: BoundaryId) -> Boundary:
    """Say, as the accused, that it was not so."""
    return await _say(pool, ask, boundary_id, rules_of.contest)


async def withdraw(pool: Pool, ask: Ask, boundary_id: BoundaryId) -> Boundary:
    """Take one's claim back."""
    return await _say(pool, ask, boundary_id, rules_of.withdraw)


async def resolve(pool: Pool, ask: Ask, boundary_id: BoundaryId, outcome: Outcome) -> Boundary:
    """Settle a claim, as a manager of neither side."""
    return await _say(pool, replace(ask, judging=True), boundary_id, rules_of.resolve, outcome)


async def view(pool: Pool, ask: Ask, boundary_id: BoundaryId) -> Boundary:
    """One boundary of a pair that one is in. Raises NotFound."""
    async with reading_for(pool, ask.tenant) as conn:
        it = await find(conn, ask, boundaries, boundary_id)
        await find_pair(conn, ask, it.pair_id)
        return it


async def view_all(pool: Pool, ask: Ask, pair_id: PairId) -> Sequence[Boundary]:
    """A pair's newest boundaries. Raises NotFound for a stranger."""
    async with reading_for(pool, ask.tenant) as conn:
        return await boundaries.of_pair(conn, await find_pair(conn, ask, pair_id), MAX_SHOWN)


async def _say(
    pool: Pool, ask: Ask, boundary_id: BoundaryId, rule: Rule, *said: object
) -> Boundary:
    def decide(work: Work, it: Boundary) -> Decision[Boundary]:
        return rule(work.pair, it, ask.person, ask.now, *said)

    request = (rule.__name__, *said)
    return await change(pool, ask, boundaries, boundary_id, request, decide)
