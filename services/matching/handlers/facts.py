"""What matching does about facts of insights, inside the delivery's transaction."""

from __future__ import annotations

from datetime import datetime

from services.matching.handlers import introductions
from services.matching.queries import trust
from shared.events.envelope import Event
from shared.events.insights import TrustChanged
from shared.postgres.pool import Connection


async def on_trust_changed(conn: Connection, event: Event, now: datetime) -> None:
    """Keep the bands of the pair's newest trust."""
    assert isinstance(event.fact, TrustChanged)
    await trust.save(conn, event.tenant, event.fact)
    await introductions.on_trust_changed(conn, event, now)
