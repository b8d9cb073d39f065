"""What sessions measures of itself, a few times a minute. Changes nothing."""

from __future__ import annotations

from datetime import datetime

from services.sessions.handlers.kinds import KINDS
from services.sessions.queries import sweeps
from shared import metrics
from shared.postgres.pool import Connection

_TABLES = tuple(kind.kept.SWEPT for kind in KINDS)


async def measure(conn: Connection, now: datetime) -> None:
    """For how long what only time decides has been waiting for the sweeper."""
    since = await sweeps.oldest_due(conn, _TABLES, now)
    delay_s = (now - since).total_seconds() if since else 0.0
    metrics.SWEEP_DELAY.labels("sessions").set(delay_s)
