"""How messages fare, for those who oversee them: counts of a while, and of nobody in particular."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.ids import TenantId
from shared.postgres.pool import Connection

_HEALTH = """
    SELECT channel,
           count(*) FILTER (WHERE state = 'sent'),
           count(*) FILTER (WHERE state IN ('queued', 'gathered', 'claimed')),
           count(*) FILTER (WHERE state = 'waiting_for_address'),
           count(*) FILTER (WHERE state = 'failed'),
           count(*) FILTER (WHERE state = 'expired'),
           count(*) FILTER (WHERE state = 'suppressed'),
           min(due_at) FILTER (WHERE state IN ('queued', 'claimed') AND due_at <= $3)
    FROM message WHERE tenant = $1 AND created_at > $2
    GROUP BY channel ORDER BY channel
"""


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """What became of the messages of a channel. `waiting` have their time still to come, or wait
    for their reader's hours; `oldest_due` is the oldest that should be out by now.
    """

    channel: str
    sent: int
    waiting: int
    without_address: int
    failed: int
    expired: int
    suppressed: int
    oldest_due: datetime | None


async def channels(
    conn: Connection, tenant: TenantId, since: datetime, now: datetime
) -> Sequence[ChannelHealth]:
    """Of every channel that anything was to be said over since then."""
    return [ChannelHealth(*row) for row in await conn.fetch(_HEALTH, tenant, since, now)]
