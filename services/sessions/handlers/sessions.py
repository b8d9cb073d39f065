"""Commands on sessions: schedule, move, call off, and what is said once one has started."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from services.sessions.domain import afterwards, moving
from services.sessions.domain import session as rules_of
from services.sessions.domain.afterwards import Outcome
from services.sessions.domain.moving import Wish
from services.sessions.domain.outages import was_away
from services.sessions.domain.rules import Rules
from services.sessions.domain.session import Plan, Session
from services.sessions.domain.terms import require_unbroken
from services.sessions.domain.thing import Decision
from services.sessions.handlers.booking import agreement_of, hold_times, notice_of
from services.sessions.handlers.commands import Work, change, create
from services.sessions.queries import outages, sessions
from shared.asking import Ask
from shared.ids import PairId, PersonId, SessionId, new_id
from shared.postgres.pool import Pool

Who = Literal["me", "other"]


async def schedule(pool: Pool, ask: Ask, rules: Rules, pair_id: PairId, plan: Plan) -> Session:
    """Set a time to meet, at once, when both are free and it keeps to what they agreed."""

    async def decide(work: Work) -> Decision[Session]:
        pair = work.pair
        made = rules_of.schedule(pair, SessionId(new_id()), ask.person, plan, ask.now, rules)
        agreement = await agreement_of(work)
        terms = agreement.terms if agreement else None
        require_unbroken(terms, pair, plan.slot, plan.booking.channel)
        (await hold_times(work)).require(plan.slot)
        return made

    return await create(pool, ask, pair_id, sessions, ("schedule", plan), decide)


async def reschedule(
    pool: Pool, ask: Ask, rules: Rules, session_id: SessionId, wish: Wish
) -> Session:
    """Move a session before it starts."""

    async def decide(work: Work, session: Session) -> Decision[Session]:
        agreement = await agreement_of(work)
        move = wish.of(session, notice_of(agreement))
        moved = moving.reschedule(work.pair, session, ask.person, move, ask.now, rules)
        if moved[0] != session:
            terms = agreement.terms if agreement else None
            require_unbroken(terms, work.pair, move.slot, move.channel)
            (await hold_times(work)).require(move.slot, session.session_id)
        return moved

    return await change(pool, ask, sessions, session_id, ("reschedule", wish), decide)


async def cancel(pool: Pool, ask: Ask, session_id: SessionId) -> Session:
    """Call a session off before it starts."""

    async def decide(work: Work, session: Session) -> Decision[Session]:
        notice = notice_of(await agreement_of(work))
        return moving.cancel(work.pair, session, ask.person, notice, ask.now)

    return await change(pool, ask, sessions, session_id, ("cancel",), decide)


async def confirm(pool: Pool, ask: Ask, session_id: SessionId) -> Session:
    """Say that a session took place; it is held once both sides have."""
    return await _say(pool, ask, session_id, "confirm", afterwards.confirm)


async def dispute(pool: Pool, ask: Ask, session_id: SessionId) -> Session:
    """Say, as who is said not to have been there, that one was."""
    return await _say(pool, ask, session_id, "dispute", afterwards.dispute)


async def withdraw(pool: Pool, ask: Ask, session_id: SessionId) -> Session:
    """Take back that the other was not there."""
    return await _say(pool, ask, session_id, "withdraw", afterwards.withdraw)


async def no_show(pool: Pool, ask: Ask, session_id: SessionId, who: Who) -> Session:
    """Say that oneself, or the other, was not there."""
    rule = afterwards.was_not_there if who == "me" else afterwards.claim

    async def decide(work: Work, session: Session) -> Decision[Session]:
        slot = session.slot
        outage = was_away(await outages.between(work.conn, slot.starts_at, slot.ends_at), slot)
        return rule(work.pair, session, ask.person, ask.now, outage=outage)

    return await change(pool, ask, sessions, session_id, ("no-show", who), decide)


async def resolve(
    pool: Pool, ask: Ask, session_id: SessionId, outcome: Outcome, missed_by: Sequence[PersonId]
) -> Session:
    """Settle a dispute, as a manager of neither side."""
    return await change(
        pool,
        replace(ask, judging=True),
        sessions,
        session_id,
        ("resolve", outcome, missed_by),
        lambda work, it: afterwards.resolve(work.pair, it, outcome, missed_by, ask.now),
    )


async def _say(
    pool: Pool, ask: Ask, session_id: SessionId, word: str, rule: Callable[..., Decision[Session]]
) -> Session:
    return await change(
        pool,
        ask,
        sessions,
        session_id,
        (word,),
        lambda work, it: rule(work.pair, it, ask.person, ask.now),
    )
