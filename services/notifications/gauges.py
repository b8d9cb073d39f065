"""What notifications measures of itself, a few times a minute. Changes nothing."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from services.notifications.domain.message import Channel
from services.notifications.queries import gauges
from shared import metrics
from shared.postgres.pool import Connection


async def measure(conn: Connection, now: datetime) -> None:
    """What should be out by now, by channel, and what endpoints wait for."""
    due = await gauges.due(conn, now)
    for channel in get_args(Channel):
        count, since = due.get(channel, (0, now))
        metrics.MESSAGES_DUE.labels(channel).set(count)
        metrics.MESSAGE_DELAY.labels(channel).set((now - since).total_seconds())
    metrics.ENDPOINT_LINES.set(await gauges.due_lines(conn, now))
