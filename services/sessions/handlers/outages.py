"""What is done about an outage before anything is decided: its time is given back. No rule, no SQL.

Part of a sweep, in its transaction and with its turn: killed at any point, it goes on from what was
committed, and gives nothing back twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from services.sessions.domain.outages import outage
from services.sessions.handlers.kinds import KINDS
from services.sessions.queries import outages
from shared.postgres.pool import Connection

_TABLES = tuple(kind.kept.SWEPT for kind in KINDS)


async def give_back(conn: Connection, now: datetime, after: timedelta, limit: int) -> int | None:
    """Record an outage of more than `after`, and give its time back in at most `limit` pairs.

    How many things moved, 0 when those that are left are in use; None when there is nothing to do.
    """
    if (lasted := outage(await outages.alive_at(conn), now, after)) is not None:
        await outages.record(conn, lasted)
    await outages.beat(conn, now)
    unfinished = await outages.unfinished(conn)
    if unfinished is None:
        return None
    moved = await outages.give_back(conn, _TABLES, unfinished, limit)
    if not moved and not await outages.is_touched(conn, _TABLES, unfinished):
        await outages.finish(conn, unfinished)
        return 1
    return moved
