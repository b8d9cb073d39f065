"""The private answers after a session: what is asked now, answering, what may be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.sessions.domain import feedback as rules_of
from services.sessions.domain.feedback import Answer, Asked
from services.sessions.domain.pair import Pair
from services.sessions.domain.session import Session, by_now
from services.sessions.domain.thing import Decision
from services.sessions.handlers.commands import Work, change, find
from services.sessions.handlers.common import find_pair
from services.sessions.queries import feedback, sessions
from shared.asking import Ask
from shared.events.sessions import FeedbackItem
from shared.ids import SessionId
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import reading_for


@dataclass(frozen=True, slots=True)
class Seen:
    """What one side may see: their own answers, and of the other's what is not private any more."""

    item: FeedbackItem | None
    closes_at: datetime
    yours: Sequence[Answer]
    theirs: Sequence[Answer]


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as it comes in."""

    item: FeedbackItem
    yes: bool
    shared: bool


async def answer(pool: Pool, ask: Ask, session_id: SessionId, said: Said) -> None:
    """Give a private answer about the other side to what is asked now."""

    async def decide(work: Work, session: Session) -> Decision[Session]:
        new = Answer(ask.tenant, session_id, ask.person, said.item, said.yes, ask.now, said.shared)
        happened = rules_of.give(work.pair, await _asked(work.conn, ask, work.pair, session), new)
        if happened:
            await feedback.give(work.conn, new)
        return session, happened

    await change(pool, ask, sessions, session_id, ("answer", said), decide)


async def view(pool: Pool, ask: Ask, session_id: SessionId) -> Seen:
    """What is asked of the one who asks, and what they may see. Raises NotFound for a stranger."""
    async with reading_for(pool, ask.tenant) as conn:
        session = await find(conn, ask, sessions, session_id)
        pair = await find_pair(conn, ask, session.pair_id)
        asked = await _asked(conn, ask, pair, session)
        return Seen(
            item=rules_of.question(pair, asked, ask.person, ask.now),
            closes_at=asked.closes_at,
            yours=asked.of(ask.person),
            theirs=rules_of.theirs(pair, asked, ask.person),
        )


async def _asked(conn: Connection, ask: Ask, pair: Pair, session: Session) -> Asked:
    given = await feedback.of_session(conn, session.tenant, session.session_id)
    # As time has left it: whether the sweeper has been changes nothing.
    return Asked(
        by_now(pair, session, ask.now)[0], await feedback.held_before(conn, session), given
    )
