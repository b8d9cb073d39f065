"""Commands on the private answers after a session: answer."""

from __future__ import annotations

from services.sessions.domain import feedback as rules_of
from services.sessions.domain.feedback import Answer
from services.sessions.domain.session import Session
from services.sessions.domain.thing import Decision
from services.sessions.handlers.commands import Work, change
from services.sessions.handlers.common import Ask
from services.sessions.queries import feedback, sessions
from shared.events.sessions import FeedbackItem
from shared.ids import SessionId
from shared.postgres.pool import Pool


async def answer(
    pool: Pool, ask: Ask, session_id: SessionId, item: FeedbackItem, *, yes: bool
) -> None:
    """Give a private answer about the other side."""

    async def decide(work: Work, session: Session) -> Decision[Session]:
        given = await feedback.given(work.conn, ask.tenant, session_id, ask.person)
        new = Answer(ask.tenant, session_id, ask.person, item, yes, ask.now)
        happened = rules_of.give(work.pair, session, given, new)
        if happened:
            await feedback.give(work.conn, new)
        return session, happened

    await change(pool, ask, sessions, session_id, ("answer", item, yes), decide)
