"""Writes down how attempts ended, as many at a time as have ended meanwhile.

Whoever handed a message over waits here until that is written down, so no more messages are ever in
doubt than are being handed over at once. Those that wait are written in one transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.notifications.domain import announcement
from services.notifications.domain.attempt import Next
from services.notifications.handlers.announcing import announce
from services.notifications.queries import messages
from services.notifications.queries.messages import Due, Settling
from shared.clock import Clock
from shared.events.envelope import Event
from shared.postgres.pool import Pool
from shared.postgres.tenancy import act_for_all

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt at these messages (one, or all of a digest) that ended so."""

    due: Sequence[Due]
    then: Sequence[Next]


class Settler:
    """One for all senders of a process."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._waiting: list[tuple[Ended, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def settle(self, ended: Ended) -> None:
        """Return when it is written down, with its announcement. Raises what the database does."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((ended, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        await done

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    await self._write_patiently([ended for ended, _ in batch])
                except BaseException as error:
                    # Each who waits is told; the lease of what they sent will end.
                    for _, done in batch:
                        if not done.done():
                            done.set_exception(error)
                    if not isinstance(error, Exception):
                        raise
                else:
                    for _, done in batch:
                        if not done.done():
                            done.set_result(None)
        finally:
            self._writing = None

    async def _write_patiently(self, batch: Sequence[Ended]) -> None:
        """A worker may lock what endpoints wait for in another order. What has been handed over
        must not be handed over again for that.
        """
        for _ in range(_TRIES - 1):
            with suppress(asyncpg.DeadlockDetectedError):
                return await self._write(batch)
        return await self._write(batch)

    async def _write(self, batch: Sequence[Ended]) -> None:
        now = self._clock.now()
        pairs = [pair for ended in batch for pair in zip(ended.due, ended.then, strict=True)]
        sent = [due for due, then in pairs if then.state == "sent"]
        others = [
            Settling(due.message.message_id, due.attempt, then)
            for due, then in pairs
            if then.state != "sent"
        ]
        async with self._pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            changed = await messages.settle_sent(
                conn, [due.message.message_id for due in sent], now
            )
            if others:
                changed |= await messages.settle_others(conn, others)
            news = [
                event
                for due, then in pairs
                if due.message.message_id in changed
                and (event := _news(due, then, now)) is not None
            ]
            await announce(conn, news, now)


def _news(due: Due, then: Next, now: datetime) -> Event | None:
    match then.state:
        case "sent":
            return announcement.sent(due.message, now)
        case "failed":
            return announcement.failed(due.message, then.reason or "unknown", now)
        case _:
            return None
