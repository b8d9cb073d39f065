"""Commands on sessions: schedule, confirm."""

from __future__ import annotations

from services.sessions.domain import session as rules_of
from services.sessions.domain.rules import Rules
from services.sessions.domain.session import Session, Slot
from services.sessions.domain.thing import Decision
from services.sessions.handlers.commands import Work, change, create
from services.sessions.handlers.common import Ask
from services.sessions.queries import sessions
from shared.ids import PairId, SessionId, new_id
from shared.postgres.pool import Pool


async def schedule(pool: Pool, ask: Ask, rules: Rules, pair_id: PairId, slot: Slot) -> Session:
    """Set a time to meet."""

    async def decide(work: Work) -> Decision[Session]:
        made = rules_of.schedule(work.pair, SessionId(new_id()), ask.person, slot, ask.now, rules)
        rules_of.require_free(slot, await sessions.taken(work.conn, work.pair, ask.now))
        return made

    return await create(pool, ask, pair_id, sessions, ("schedule", slot), decide)


async def confirm(pool: Pool, ask: Ask, session_id: SessionId) -> Session:
    """Say that a session took place; it is held once both sides have."""
    return await change(
        pool,
        ask,
        sessions,
        session_id,
        ("confirm",),
        lambda work, it: rules_of.confirm(work.pair, it, ask.person, ask.now),
    )
