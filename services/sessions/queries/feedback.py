"""Statements on private answers."""

from __future__ import annotations

from collections.abc import Sequence

from services.sessions.domain.feedback import Answer
from services.sessions.domain.session import Session
from shared.ids import PersonId, SessionId, TenantId
from shared.postgres.pool import Connection

_OF_SESSION = """
    SELECT given_by, item, answer, given_at, shared FROM feedback
    WHERE tenant = $1 AND session_id = $2 ORDER BY given_at, item
"""
_GIVE = """
    INSERT INTO feedback (tenant, session_id, given_by, item, answer, given_at, shared)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_HELD_BEFORE = """
    SELECT count(*) FROM session
    WHERE tenant = $1 AND pair_id = $2 AND state = 'held' AND starts_at < $3
"""


async def of_session(conn: Connection, tenant: TenantId, session_id: SessionId) -> Sequence[Answer]:
    """What both sides have answered about one session, in order."""
    return [
        Answer(
            tenant,
            session_id,
            PersonId(row["given_by"]),
            row["item"],
            row["answer"],
            row["given_at"],
            row["shared"],
        )
        for row in await conn.fetch(_OF_SESSION, tenant, session_id)
    ]


async def give(conn: Connection, answer: Answer) -> None:
    await conn.execute(
        _GIVE,
        answer.tenant,
        answer.session_id,
        answer.given_by,
        answer.item,
        answer.yes,
        answer.given_at,
        answer.shared,
    )


async def held_before(conn: Connection, session: Session) -> int:
    """How many sessions the pair had held before this one."""
    starts_at = session.slot.starts_at
    count: int = await conn.fetchval(_HELD_BEFORE, session.tenant, session.pair_id, starts_at)
    return count
