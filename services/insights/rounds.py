"""When to surface: soon after something was counted, and never because of a private answer.

A round that a private answer had started would show what else had come by then a moment earlier
than without it. So answers are surfaced with what comes next, or by the next look at the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.insights.queries.erasure import ERASED
from services.insights.subscribers import APPLY
from services.insights.surfacing import MAX_PAIRS, surface
from shared.erasing import erase
from shared.events import topics
from shared.events.envelope import Event
from shared.events.people import PersonErased
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import act_for_all


class Rounds:
    """Surfaces what this process counts. `wake` is set when there is something to surface."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._seen = False
        self.wake = asyncio.Event()

    async def apply(self, conn: Connection, events: Sequence[Event], now: datetime) -> None:
        """Count a batch, as `handlers.apply` does; and say of whom nothing more is known."""
        await act_for_all(conn)
        for event in events:
            if isinstance(event.fact, PersonErased):
                await erase(conn, "insights", ERASED, event, now)
        await APPLY(conn, events, now)
        self._seen = self._seen or any(it.fact.topic is not topics.FEEDBACK for it in events)

    def committed(self) -> None:
        """What was counted can be seen."""
        if self._seen:
            self._seen = False
            self.wake.set()

    async def surface(self) -> bool:
        """One round; whether there is more to do at once."""
        try:
            done = await surface(self._pool)
        except asyncpg.SerializationError:
            done = None
        if done is None:
            # Somebody else is at it, perhaps without having seen what we counted.
            self.wake.set()
            return False
        return done >= MAX_PAIRS
