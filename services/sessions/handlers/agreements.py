"""Commands on agreements: propose, edit, withdraw, sign, review."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from services.sessions.domain import agreement as rules_of
from services.sessions.domain.agreement import Agreement, Newest
from services.sessions.domain.review import review as review_rule
from services.sessions.domain.terms import Terms
from services.sessions.domain.thing import Decision
from services.sessions.handlers.commands import Request, Work, change, create
from services.sessions.handlers.common import find_pair
from services.sessions.queries import agreements
from shared.asking import Ask
from shared.errors import NotFound
from shared.ids import PairId, new_id
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for

_Rule: TypeAlias = Callable[[Work, Agreement, Newest], Decision[Agreement]]


async def propose(pool: Pool, ask: Ask, pair_id: PairId, terms: Terms) -> Agreement:
    """Put a new version before the other side. Nothing is in force before they sign."""

    async def decide(work: Work) -> Decision[Agreement]:
        newest = await agreements.standing(work.conn, work.pair)
        return rules_of.propose(work.pair, newest, new_id(), ask.person, terms, ask.now)

    return await create(pool, ask, pair_id, agreements, ("propose", terms), decide)


async def edit(pool: Pool, ask: Ask, pair_id: PairId, version: int, terms: Terms) -> Agreement:
    """Write one's own proposal anew. A signature for the text before is none for this one."""
    return await _change(
        pool,
        ask,
        pair_id,
        version,
        ("edit", terms),
        lambda work, it, newest: rules_of.edit(work.pair, it, newest, ask.person, terms),
    )


async def withdraw(pool: Pool, ask: Ask, pair_id: PairId, version: int) -> Agreement:
    """Take one's own proposal back."""
    return await _change(
        pool,
        ask,
        pair_id,
        version,
        ("withdraw",),
        lambda work, it, newest: rules_of.withdraw(work.pair, it, newest, ask.person, ask.now),
    )


async def sign(pool: Pool, ask: Ask, pair_id: PairId, version: int, revision: int) -> Agreement:
    """Sign the newest version as the other side; from then on it is in force."""
    return await _change(
        pool,
        ask,
        pair_id,
        version,
        ("sign", revision),
        lambda work, it, newest: rules_of.sign(
            work.pair, it, newest, revision, ask.person, ask.now
        ),
    )


async def review(pool: Pool, ask: Ask, pair_id: PairId, version: int) -> Agreement:
    """Say that one has looked at the version in force again."""
    return await _change(
        pool,
        ask,
        pair_id,
        version,
        ("review",),
        lambda work, it, newest: review_rule(work.pair, it, newest, ask.person, ask.now),
    )


async def _change(
    pool: Pool, ask: Ask, pair_id: PairId, version: int, request: Request, rule: _Rule
) -> Agreement:
    async with reading_for(pool, ask.tenant) as conn:
        pair = await find_pair(conn, ask, pair_id)
        named = await agreements.version(conn, pair, version)
    if named is None:
        raise NotFound("there is no such version of the agreement")

    async def decide(work: Work, it: Agreement) -> Decision[Agreement]:
        return rule(work, it, await agreements.standing(work.conn, work.pair))

    return await change(pool, ask, agreements, named.agreement_id, request, decide)
