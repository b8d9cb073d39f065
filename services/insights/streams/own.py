"""What the members of a pair get live: its partner-safe trust, when that has changed.

Looked at once a tick of the clock, never because something came; what is sent is made of what both
may know alone, and so is its id. A private answer changes neither the bytes nor when they come.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable

from services.insights.queries import streams
from services.insights.queries.pairs import PairOf
from services.insights.streams.event_id import of_content
from services.insights.streams.feed import Pace
from services.insights.streams.log import Reader
from services.insights.streams.sse import HEARTBEAT, OPENING, frame
from services.insights.views.streamed import told_to_pair
from shared import metrics
from shared.logging import logger
from shared.postgres.pool import UNAVAILABLE, Pool
from shared.postgres.tenancy import acting_for_all, reading_for

log = logger("streams")


class PairReader(Reader):
    """Somebody who follows one pair. `position` is ours alone, and never told."""

    __slots__ = ("content", "position")

    def __init__(self) -> None:
        super().__init__()
        self.position = 0
        self.content: bytes | None = None

    def hear(self, position: int, content: bytes | None) -> None:
        """Take in what was said last of the pair; wakes only if it is something else to them."""
        if position > self.position:
            self.position = position
            if content != self.content:
                self.content = content
                self.wake()


class OwnStreams:
    """The streams of single pairs in one process."""

    def __init__(
        self,
        pool: Pool,
        pace: Pace,
        tick_s: float,
        fresh: Callable[[], Awaitable[bytes]],
    ) -> None:
        self._pool = pool
        self._pace = pace
        self._tick_s = tick_s
        self._fresh = fresh
        self._readers: dict[PairOf, set[PairReader]] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """Look at the pairs that somebody follows, once a tick, until told to stop."""
        while not stopping.is_set():
            try:
                # Ticks are those of the clock, the same in every process and after every start.
                await asyncio.wait_for(stopping.wait(), self._tick_s - time.time() % self._tick_s)
            except TimeoutError:
                if self._readers:
                    await self._look()
        for reader in [each for readers in self._readers.values() for each in readers]:
            reader.close()

    async def _look(self) -> None:
        asked = {
            pair: min(reader.position for reader in readers)
            for pair, readers in self._readers.items()
        }
        try:
            async with acting_for_all(self._pool) as conn:
                found = await streams.newest_of(conn, asked)
        except UNAVAILABLE as error:
            log.warning("ring away", action="retry", error=type(error).__name__)
            return
        for pair, (position, body) in found.items():
            content = told_to_pair(body)
            for reader in self._readers.get(pair, ()):
                reader.hear(position, content)

    async def stream(
        self, pair: PairOf, last: str | None, reader: PairReader
    ) -> AsyncGenerator[bytes, None]:
        """Bytes for one member: what is so now, unless `last` is its id; then each change."""
        self._readers.setdefault(pair, set()).add(reader)
        metrics.STREAMS.labels("pair").inc()
        try:
            yield OPENING
            async with reading_for(self._pool, pair[0]) as conn:
                found = await streams.newest_of(conn, {pair: 0})
            for position, body in found.values():
                reader.hear(position, told_to_pair(body))
            sent = reader.content
            if sent is not None and of_content(sent) != last:
                yield frame("snapshot", sent, of_content(sent))
            async for part in self._live(reader, sent):
                yield part
        finally:
            metrics.STREAMS.labels("pair").dec()
            self._readers[pair].discard(reader)
            if not self._readers[pair]:
                del self._readers[pair]

    async def _live(self, reader: PairReader, sent: bytes | None) -> AsyncGenerator[bytes, None]:
        ends = time.monotonic() + self._pace.most_s
        beat = 0.0
        while not reader.closed and (now := time.monotonic()) < ends:
            content = reader.content
            if content is not None and content != sent:
                sent = content
                yield frame("trust", content, of_content(content))
            elif now >= beat:
                beat = now + self._pace.heartbeat_s
                yield HEARTBEAT + frame("fresh", await self._fresh())
            else:
                await reader.wait(min(beat, ends) - now)
