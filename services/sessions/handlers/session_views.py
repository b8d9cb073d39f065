"""What a member may read of sessions, and what a manager finds to settle. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.sessions.domain.pair import Pair
from services.sessions.domain.session import Session, State, by_now
from services.sessions.handlers.commands import find
from services.sessions.handlers.common import find_pair
from services.sessions.queries import boundaries, commitments, sessions
from services.sessions.queries.sessions import After
from shared.asking import Ask
from shared.ids import PairId, SessionId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for

# Of one person's pairs, more than anybody is in.
OWN = 100


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as time has left it, and its pair for the zones of the two."""

    session: Session
    pair: Pair


@dataclass(frozen=True, slots=True)
class Dispute:
    """Something that two sides cannot settle. It says nothing about what they say."""

    kind: Literal["session", "commitment", "boundary"]
    id: UUID
    pair_id: PairId
    since: datetime


async def view(pool: Pool, ask: Ask, session_id: SessionId) -> SessionView:
    """One session. Raises NotFound for a stranger."""
    async with reading_for(pool, ask.tenant) as conn:
        session = await find(conn, ask, sessions, session_id)
        pair = await find_pair(conn, ask, session.pair_id)
        return SessionView(by_now(pair, session, ask.now)[0], pair)


async def view_page(
    pool: Pool, ask: Ask, pair_id: PairId, state: State | None, after: After | None, limit: int
) -> Sequence[SessionView]:
    """Sessions of a pair by their start. Raises NotFound for a stranger."""
    async with reading_for(pool, ask.tenant) as conn:
        pair = await find_pair(conn, ask, pair_id)
        found = await sessions.page(conn, pair, state, after, limit)
        return [SessionView(by_now(pair, each, ask.now)[0], pair) for each in found]


async def list_disputes(pool: Pool, ask: Ask, limit: int) -> Sequence[Dispute]:
    """What waits for a manager of neither side, the longest first."""
    async with reading_for(pool, ask.tenant) as conn:
        found = await sessions.disputed(conn, ask.tenant, ask.person, limit)
        broken = await commitments.disputed(conn, ask.tenant, ask.person, limit)
        lines = await boundaries.contested(conn, ask.tenant, ask.person, limit)
    disputes = [
        *(Dispute("session", each.session_id, each.pair_id, each.since) for each in found),
        *(Dispute("commitment", each.commitment_id, each.pair_id, each.since) for each in broken),
        *(Dispute("boundary", each.boundary_id, each.pair_id, each.since) for each in lines),
    ]
    return sorted(disputes, key=lambda each: (each.since, each.id))[:limit]
