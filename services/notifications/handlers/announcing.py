"""What became of messages, told to the other services and to who has an endpoint for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.notifications.handlers.fan_out import fan_out
from shared.events.envelope import Event
from shared.postgres import outbox
from shared.postgres.pool import Connection


async def announce(
    conn: Connection, news: Sequence[Event], now: datetime, *, beside: Sequence[Event] = ()
) -> None:
    """Publish these facts, if and only if the caller's transaction commits.

    Endpoints get them after those `beside` them, which are on a topic already. To be called once in
    a transaction: endpoints' lines are locked in an order, but in one call alone.
    """
    if news:
        await outbox.append(conn, news)
    await fan_out(conn, [*beside, *news], now)
