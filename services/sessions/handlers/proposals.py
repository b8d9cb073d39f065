"""Commands on proposals of times: propose, accept one, decline, withdraw; and reading them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.sessions.domain import proposal as rules_of
from services.sessions.domain.pair import Pair
from services.sessions.domain.proposal import Offer, Proposal
from services.sessions.domain.rules import Rules
from services.sessions.domain.session import Booking, Plan
from services.sessions.domain.session import schedule as schedule_session
from services.sessions.domain.terms import broken_term
from services.sessions.domain.thing import Decision
from services.sessions.handlers.booking import agreement_of, hold_times
from services.sessions.handlers.commands import Work, change, create, find
from services.sessions.handlers.common import find_pair
from services.sessions.queries import proposals, sessions
from shared.asking import Ask
from shared.ids import PairId, SessionId, new_id
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A proposal, and its pair for the zones of the two."""

    proposal: Proposal
    pair: Pair


async def propose(pool: Pool, ask: Ask, pair_id: PairId, offer: Offer) -> Proposal:
    """Put times before the other side. Neither what is taken nor what was agreed forbids it."""

    async def decide(work: Work) -> Decision[Proposal]:
        waiting = len(await proposals.open_of(work.conn, work.pair, ask.now))
        return rules_of.propose(work.pair, new_id(), ask.person, offer, waiting, ask.now)

    return await create(pool, ask, pair_id, proposals, ("propose", offer), decide)


async def accept(pool: Pool, ask: Ask, rules: Rules, proposal_id: UUID, number: int) -> Proposal:
    """Pick one of the times: it is booked, whatever it breaks of the agreement."""

    async def decide(work: Work, proposal: Proposal) -> Decision[Proposal]:
        if rules_of.is_picked(proposal, ask.person, number):
            return proposal, ()
        pair = work.pair
        slot, offer = rules_of.pick(proposal, ask.person, number, ask.now), proposal.offer
        agreement = await agreement_of(work)
        terms = agreement.terms if agreement else None
        found = broken_term(terms, pair, slot, offer.channel)
        allowed_by, term = (ask.person, found.term) if found else (None, None)
        plan = Plan(slot, Booking(offer.channel, None, allowed_by, term))
        session_id = SessionId(new_id())
        made, told = schedule_session(pair, session_id, proposal.proposed_by, plan, ask.now, rules)
        (await hold_times(work)).require(slot)
        await sessions.save(work.conn, [made])
        return rules_of.accept(proposal, number, session_id), told

    return await change(pool, ask, proposals, proposal_id, ("accept", number), decide)


async def decline(pool: Pool, ask: Ask, proposal_id: UUID) -> Proposal:
    """Say no to all of the times."""
    return await change(
        pool,
        ask,
        proposals,
        proposal_id,
        ("decline",),
        lambda work, it: rules_of.decline(work.pair, it, ask.person, ask.now),
    )


async def withdraw(pool: Pool, ask: Ask, proposal_id: UUID) -> Proposal:
    """Take the times back."""
    return await change(
        pool,
        ask,
        proposals,
        proposal_id,
        ("withdraw",),
        lambda work, it: rules_of.withdraw(work.pair, it, ask.person, ask.now),
    )


async def view(pool: Pool, ask: Ask, proposal_id: UUID) -> ProposalView:
    """One proposal. Raises NotFound for a stranger."""
    async with reading_for(pool, ask.tenant) as conn:
        proposal = await find(conn, ask, proposals, proposal_id)
        return ProposalView(proposal, await find_pair(conn, ask, proposal.pair_id))


async def list_open(pool: Pool, ask: Ask, pair_id: PairId) -> Sequence[ProposalView]:
    """What waits for a word in a pair. Raises NotFound for a stranger."""
    async with reading_for(pool, ask.tenant) as conn:
        pair = await find_pair(conn, ask, pair_id)
        waiting = await proposals.open_of(conn, pair, ask.now)
        return [ProposalView(each, pair) for each in waiting]
