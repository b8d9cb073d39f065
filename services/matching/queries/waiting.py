"""Statements on who waits for a mentor since before a pair of theirs. Holds no rule.

Who waits again because a pair was matched anew, or left by its mentor, keeps the time they first
looked for one, and stands first among equals. They begin afresh after a pair that came to an end of
its own. Opens no transaction.
"""

from __future__ import annotations

from datetime import datetime

from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

_SINCE = """
    SELECT person_id, since
    FROM (
        SELECT tenant, person_id, greatest(looks_since, (
            SELECT max(ended_at) FROM pair
            WHERE pair.tenant = looks.tenant AND pair.mentee_id = looks.person_id
              AND pair.state = 'ended' AND pair.end_reason NOT IN ('rematched', 'person_left')
        )) AS since
        FROM participation AS looks WHERE tenant = $1 AND looks_since IS NOT NULL
    ) AS waits
    WHERE EXISTS (
        SELECT FROM pair
        WHERE pair.tenant = waits.tenant AND pair.mentee_id = waits.person_id
          AND pair.state = 'ended' AND pair.end_reason IN ('rematched', 'person_left')
          AND pair.ended_at > since
    )
"""


async def waiting_since(conn: Connection, tenant: TenantId) -> dict[PersonId, datetime]:
    """When those mentees first waited who wait again. Who waits for the first time is not in it."""
    return {row["person_id"]: row["since"] for row in await conn.fetch(_SINCE, tenant)}
