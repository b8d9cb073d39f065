"""What matching measures of itself, a few times a minute. Changes nothing."""

from __future__ import annotations

from datetime import datetime

from services.matching.queries import gauges
from services.matching.runner import COMMIT, WORK
from shared import metrics
from shared.postgres.pool import Connection


async def measure(conn: Connection, now: datetime) -> None:
    """Runs, proposals and the index; and for how long the sweeper is awaited."""
    runs = await gauges.runs(conn)
    for state in (*WORK, *COMMIT):
        metrics.RUNS.labels(state).set(runs[state][0] if state in runs else 0)
    oldest = min((asked_at for _, asked_at in runs.values()), default=now)
    metrics.RUN_WAIT.set(max(0.0, (now - oldest).total_seconds()))
    metrics.PAIRS_PROPOSED.set(await gauges.proposed(conn))
    metrics.INDEX_STALE.set(await gauges.stale(conn))
    since = await gauges.oldest_due(conn, now)
    metrics.SWEEP_DELAY.labels("matching").set((now - since).total_seconds() if since else 0.0)
