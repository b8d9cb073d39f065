"""What matching does about late promises, inside the delivery's transaction or the sweeper's.

Holds no rule and no SQL.
"""

from __future__ import annotations

from datetime import datetime

from services.matching.domain.load import COUNTS_FOR, late, settled
from services.matching.queries import places
from shared.events.envelope import Event
from shared.events.sessions import CommitmentFact, RepairDelivered
from shared.postgres.pool import Connection


async def on_missed(conn: Connection, event: Event, _now: datetime) -> None:
    """Set one of a mentor's places aside while what they promised is late."""
    assert isinstance(event.fact, CommitmentFact)
    promise = late(event.fact, event.occurred_at)
    if promise is not None:
        await places.open_late(conn, event.tenant, promise)


async def on_settled(conn: Connection, event: Event, _now: datetime) -> None:
    """Give the place back."""
    assert isinstance(event.fact, CommitmentFact | RepairDelivered)
    closing = settled(event.fact, event.occurred_at)
    if closing is not None:
        await places.close_late(conn, event.tenant, closing)


async def forget(conn: Connection, now: datetime, limit: int) -> int:
    """Forget what counts no longer, at most `limit`; for the sweeper."""
    return await places.forget_late(conn, now - COUNTS_FOR, limit)
