"""The inbox: which events this service has already counted. Decides nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.postgres.pool import Connection

_CLAIM = """
    INSERT INTO inbox (event_id) SELECT DISTINCT unnest($1::uuid[])
    ON CONFLICT DO NOTHING RETURNING event_id
"""


async def claim(conn: Connection, event_ids: Sequence[UUID]) -> set[UUID]:
    """Mark events as counted, in the caller's transaction; the ids that were new.

    Whoever claims second, here or in another process, waits for the first and gets nothing.
    """
    rows = await conn.fetch(_CLAIM, sorted(event_ids))
    return {row["event_id"] for row in rows}
