"""Statements on private answers."""

from __future__ import annotations

from collections.abc import Sequence

from services.sessions.domain.feedback import Answer
from shared.ids import PersonId, SessionId, TenantId
from shared.postgres.pool import Connection

_GIVEN = """
    SELECT tenant, session_id, given_by, item, answer, given_at FROM feedback
    WHERE tenant = $1 AND session_id = $2 AND given_by = $3
"""
_GIVE = """
    INSERT INTO feedback (tenant, session_id, given_by, item, answer, given_at)
    VALUES ($1, $2, $3, $4, $5, $6)
"""


async def given(
    conn: Connection, tenant: TenantId, session_id: SessionId, person: PersonId
) -> Sequence[Answer]:
    """What `person` has answered about one session."""
    rows = await conn.fetch(_GIVEN, tenant, session_id, person)
    return [
        Answer(tenant, session_id, person, row["item"], row["answer"], row["given_at"])
        for row in rows
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
    )
