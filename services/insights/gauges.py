"""What insights measures of itself, a few times a minute. Changes nothing."""

from __future__ import annotations

from datetime import datetime

from services.insights.queries import freshness, gauges
from shared import metrics
from shared.events import topics
from shared.postgres.pool import Connection


async def measure(conn: Connection, now: datetime) -> None:
    """How far the scores are behind the log, and what is still to be told."""
    as_of, _ = await freshness.fresh(conn, topics.INSIGHTS.name, None)
    if as_of is not None:
        metrics.SCORE_AGE.set(max(0.0, (now - as_of).total_seconds()))
    metrics.UNSURFACED.set(await gauges.unsurfaced(conn))
    metrics.ALERTS_OPEN.set(await gauges.open_alerts(conn))
