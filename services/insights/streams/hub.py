"""One reader of the ring for each process: hears that it grew, reads once, fills every log.

Postgres says when (NOTIFY, with the commit); a look every second finds what a lost word or a proxy
that knows no LISTEN has kept from us. Only channels that somebody reads are read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.insights.queries import streams
from services.insights.queries.streams import Channel, Head, Said
from services.insights.streams.event_id import EventId
from services.insights.streams.log import Entry, Log, Reader
from services.insights.streams.sse import frame
from shared import metrics
from shared.logging import logger
from shared.postgres.pool import UNAVAILABLE, Connection, Pool
from shared.postgres.tenancy import for_all, reading_for

LOOK_EVERY_S = 1.0
RETRY_S = 0.5
READ_ROWS = 500

log = logger("streams")


class Hub:
    """The logs of the channels that are read in this process."""

    def __init__(self, pool: Pool, keep: int) -> None:
        self._pool = pool
        self._keep = keep
        self._logs: dict[Channel, Log] = {}
        self._wake = asyncio.Event()
        self._stopped = False

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow the ring until told to stop, then close every reader. Outages are waited out."""
        ending = asyncio.create_task(self._end(stopping))
        try:
            while not self._stopped:
                try:
                    async with self._pool.acquire() as conn:
                        await self._follow(conn)
                except UNAVAILABLE as error:
                    log.warning("ring away", action="retry", error=type(error).__name__)
                    await self._pause(RETRY_S)
        finally:
            ending.cancel()

    async def _end(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self._stopped = True
        for each in self._logs.values():
            for reader in each.readers:
                reader.close()
        self._wake.set()

    async def _follow(self, conn: Connection) -> None:
        def heard(*_: object) -> None:
            self._wake.set()

        await conn.add_listener(streams.LISTEN_TO, heard)
        conn.add_termination_listener(heard)
        try:
            while not self._stopped:
                self._wake.clear()
                if not await self._read(conn):
                    await self._pause(LOOK_EVERY_S)
        finally:
            conn.remove_termination_listener(heard)
            if not conn.is_closed():
                await conn.remove_listener(streams.LISTEN_TO, heard)

    async def _read(self, conn: Connection) -> bool:
        """Read what is new of every channel; whether there may be more."""
        asked = {channel: each.position for channel, each in self._logs.items()}
        if not asked:
            return False
        async with for_all(conn):
            found = await streams.after(conn, asked, READ_ROWS)
        for channel, said in found.items():
            if (each := self._logs.get(channel)) is not None:
                self._take(channel, each, said)
        return any(len(said) == READ_ROWS for said in found.values())

    def _take(self, channel: Channel, each: Log, said: list[Said]) -> None:
        fresh = [it for it in said if it.position > each.position]
        if fresh and fresh[0].position != each.position + 1:
            # The ring has left us behind: nobody here can go on without a snapshot.
            del self._logs[channel]
            for reader in each.readers:
                reader.close()
            return
        each.add(entry_of(channel, each.epoch, it) for it in fresh)

    @asynccontextmanager
    async def reading(self, channel: Channel, reader: Reader) -> AsyncIterator[tuple[Log, Head]]:
        """The channel's log while `reader` reads it, and where the channel stands in the ring.

        Everything up to the log's position is committed. Raises what makes the database unusable.
        """
        async with reading_for(self._pool, channel[1]) as conn:
            head = await streams.head(conn, channel)
        each = self._logs.get(channel)
        if each is None:
            each = self._logs[channel] = Log(head.epoch, head.position, self._keep)
        each.readers.add(reader)
        if self._stopped:
            reader.close()
        metrics.STREAMS.labels(channel[0]).inc()
        try:
            yield each, head
        finally:
            metrics.STREAMS.labels(channel[0]).dec()
            each.readers.discard(reader)
            if not each.readers and self._logs.get(channel) is each:
                del self._logs[channel]

    async def _pause(self, delay_s: float) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), delay_s)
        except TimeoutError:
            return


def entry_of(channel: Channel, epoch: str, said: Said) -> Entry:
    """A position of the ring, as it is sent."""
    name = EventId(channel[0], epoch, said.position)
    return Entry(said.position, said.programme_id, frame("trust", said.body, name))
