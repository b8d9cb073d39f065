"""What is measured in the database of insights: counts, of nobody in particular."""

from __future__ import annotations

from shared.postgres.pool import Connection

# A pair that changes with every batch is marked many times.
_UNSURFACED = "SELECT count(DISTINCT pair_key) FROM dirty_pair"
_ALERTS = "SELECT count(*) FROM risk WHERE alerted_on IS NOT NULL"


async def unsurfaced(conn: Connection) -> int:
    """Pairs that changed since they were last told of."""
    found: int = await conn.fetchval(_UNSURFACED)
    return found


async def open_alerts(conn: Connection) -> int:
    """Alerts that are open, of all tenants."""
    found: int = await conn.fetchval(_ALERTS)
    return found
