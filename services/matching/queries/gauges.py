"""What is measured in the database of matching: counts, of nobody in particular."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from shared.postgres.pool import Connection

_RUNS = """
    SELECT state, count(*), min(asked_at) FROM run
    WHERE state IN ('queued', 'running', 'committing') GROUP BY state
"""
_PROPOSED = "SELECT count(*) FROM pair WHERE state = 'proposed'"
_STALE = "SELECT count(*) FROM person_stale"
# Each has an index on its time with its condition, word for word.
_OLDEST_DUE = """
    SELECT min(due_at) FROM (
        SELECT min(answer_until) AS due_at FROM pair WHERE state = 'proposed'
        UNION ALL SELECT min(until) FROM introduction WHERE state = 'offered'
        UNION ALL SELECT min(until) FROM ranking_round WHERE state = 'open'
    ) AS each WHERE due_at <= $1
"""


async def runs(conn: Connection) -> Mapping[str, tuple[int, datetime]]:
    """How many runs are in each open state, and when the oldest of them was asked for."""
    return {row[0]: (row[1], row[2]) for row in await conn.fetch(_RUNS)}


async def proposed(conn: Connection) -> int:
    """Proposed pairs without an answer."""
    found: int = await conn.fetchval(_PROPOSED)
    return found


async def stale(conn: Connection) -> int:
    """People whose place in the index is not up to date."""
    found: int = await conn.fetchval(_STALE)
    return found


async def oldest_due(conn: Connection, now: datetime) -> datetime | None:
    """Since when the oldest of what only time decides is due; None when nothing is."""
    found: datetime | None = await conn.fetchval(_OLDEST_DUE, now)
    return found
