"""Commands on sessions: schedule, confirm, answer."""

from __future__ import annotations

from uuid import UUID

from services.sessions.domain import feedback as feedback_rules
from services.sessions.domain import session as rules_of
from services.sessions.domain.feedback import Answer
from services.sessions.domain.pair import Pair
from services.sessions.domain.rules import Rules
from services.sessions.domain.session import Session, Slot
from services.sessions.handlers import once
from services.sessions.handlers.common import Ask, announce, lock_pair
from services.sessions.queries import sessions
from shared.errors import NotFound
from shared.events.sessions import FeedbackItem
from shared.ids import PairId, SessionId, new_id
from shared.postgres.pool import Connection, Pool


async def schedule(pool: Pool, ask: Ask, rules: Rules, pair_id: PairId, slot: Slot) -> Session:
    """Set a time to meet."""
    fingerprint = once.fingerprint_of("schedule", pair_id, slot)
    async with pool.acquire() as conn, conn.transaction():
        pair = await lock_pair(conn, ask, pair_id)
        if (created := await once.earlier(conn, ask, fingerprint)) is not None:
            return await _find(conn, ask, SessionId(UUID(created)))
        session_id = SessionId(new_id())
        session, happened = rules_of.schedule(pair, session_id, ask.person, slot, ask.now, rules)
        rules_of.require_free(slot, await sessions.taken(conn, pair, ask.now))
        await sessions.save(conn, [session])
        await once.remember(conn, ask, fingerprint, str(session_id))
        await announce(conn, happened)
        return session


async def confirm(pool: Pool, ask: Ask, session_id: SessionId) -> Session:
    """Say that a session took place; it is held once both sides have."""
    async with pool.acquire() as conn, conn.transaction():
        pair, session = await _lock(conn, ask, session_id)
        confirmed, happened = rules_of.confirm(pair, session, ask.person, ask.now)
        await sessions.save(conn, [confirmed])
        await announce(conn, happened)
        return confirmed


async def answer(
    pool: Pool, ask: Ask, session_id: SessionId, item: FeedbackItem, *, yes: bool
) -> None:
    """Give a private answer about the other side."""
    async with pool.acquire() as conn, conn.transaction():
        pair, session = await _lock(conn, ask, session_id)
        given = await sessions.given(conn, ask.tenant, session_id, ask.person)
        new = Answer(ask.tenant, session_id, ask.person, item, yes, ask.now)
        happened = feedback_rules.give(pair, session, given, new)
        if happened:
            await sessions.give(conn, new)
        await announce(conn, happened)


async def _lock(conn: Connection, ask: Ask, session_id: SessionId) -> tuple[Pair, Session]:
    """The pair of a session, held, and the session as it is since then."""
    pair_id = (await _find(conn, ask, session_id)).pair_id
    pair = await lock_pair(conn, ask, pair_id)
    return pair, await _find(conn, ask, session_id)


async def _find(conn: Connection, ask: Ask, session_id: SessionId) -> Session:
    session = await sessions.find(conn, ask.tenant, session_id)
    if session is None:
        raise NotFound
    return session
