"""What is measured in the database of notifications: counts, of nobody in particular."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from shared.postgres.pool import Connection

_DUE = """
    SELECT channel, count(*), min(due_at) FROM message
    WHERE state IN ('queued', 'claimed') AND due_at <= $1 GROUP BY channel
"""
_LINES = "SELECT count(*) FROM delivery_line WHERE due_at <= $1"


async def due(conn: Connection, now: datetime) -> Mapping[str, tuple[int, datetime]]:
    """How many messages of each channel should be out by now, and since when the oldest."""
    return {row[0]: (row[1], row[2]) for row in await conn.fetch(_DUE, now)}


async def due_lines(conn: Connection, now: datetime) -> int:
    """Lines of endpoints that have something to be sent by now."""
    found: int = await conn.fetchval(_LINES, now)
    return found
