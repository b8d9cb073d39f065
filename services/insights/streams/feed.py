"""What one reader of a tenant's stream gets: a snapshot or what it missed, then each change.

No gap and no repetition, whatever happens meanwhile: the snapshot is of one position, what follows
begins at the next, and a position is missing only if somebody says so (`reset`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from services.insights.queries import streams
from services.insights.queries.streams import Channel
from services.insights.streams.event_id import EventId, resumable
from services.insights.streams.hub import Hub, entry_of
from services.insights.streams.log import Log, Reader
from services.insights.streams.sse import HEARTBEAT, OPENING, frame
from shared import metrics
from shared.ids import PairId, ProgrammeId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for

# As much as is sent at once, about: what a slow reader leaves lying is no more than a page.
PAGE_ROWS = 40
# Readers that start at once take turns: the pool is for everybody.
READING_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """When a stream says that it is alive, and when it ends so that its reader is asked anew who
    it is."""

    heartbeat_s: float
    most_s: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which stream, of one programme perhaps, after which id."""

    channel: Channel
    programme: ProgrammeId | None
    last: EventId | None


class _Place:
    """How far one reader has come."""

    __slots__ = ("position",)

    def __init__(self, position: int) -> None:
        self.position = position


class Feed:
    """Makes the streams of one process."""

    def __init__(
        self, pool: Pool, hub: Hub, pace: Pace, fresh: Callable[[Channel], Awaitable[bytes]]
    ) -> None:
        self._pool = pool
        self._hub = hub
        self._pace = pace
        self._fresh = fresh
        self._turns = asyncio.Semaphore(READING_AT_ONCE)

    async def stream(self, wanted: Wanted, reader: Reader) -> AsyncGenerator[bytes, None]:
        """Bytes for one reader, until it is closed, too slow, or has had its time."""
        yield OPENING
        async with self._hub.reading(wanted.channel, reader) as (log, head):
            if wanted.last is not None and resumable(wanted.last, head):
                place = _Place(wanted.last.position)
            else:
                if wanted.last is not None:
                    yield frame("reset", b"{}")
                place = _Place(log.position)
                async for part in self._snapshot(wanted, place.position):
                    yield part
                yield frame("live", b"{}", _id(wanted, log, place))
            async for part in self._missed(wanted, log, place):
                yield part
            async for part in self._live(wanted, log, reader, place):
                yield part

    async def _snapshot(self, wanted: Wanted, position: int) -> AsyncGenerator[bytes, None]:
        """Every pair as it was said last by `position`.

        No long transaction: what was said after `position` is left out, and comes as a change.
        """
        last: PairId | None = None
        while True:
            async with self._turns, reading_for(self._pool, wanted.channel[1]) as conn:
                page = await streams.newest_page(conn, wanted.channel, last, PAGE_ROWS)
            frames = [
                frame("snapshot", each.body)
                for each in page
                if each.position <= position and wanted.programme in (None, each.programme_id)
            ]
            if frames:
                yield b"".join(frames)
            if len(page) < PAGE_ROWS:
                return
            last = page[-1].pair_id

    async def _missed(self, wanted: Wanted, log: Log, place: _Place) -> AsyncGenerator[bytes, None]:
        """What is in the ring, and in memory no longer."""
        while log.after(place.position) is None:
            async with self._turns, reading_for(self._pool, wanted.channel[1]) as conn:
                found = await streams.after(conn, {wanted.channel: place.position}, PAGE_ROWS)
            said = found.get(wanted.channel, [])
            if not said or said[0].position != place.position + 1:
                return  # gone from the ring while we read: `_live` ends the stream
            entries = [entry_of(wanted.channel, log.epoch, each) for each in said]
            place.position = entries[-1].position
            chosen = [it.frame for it in entries if wanted.programme in (None, it.programme_id)]
            if chosen:
                yield b"".join(chosen)

    async def _live(
        self, wanted: Wanted, log: Log, reader: Reader, place: _Place
    ) -> AsyncGenerator[bytes, None]:
        """What comes, as it comes; a reader that is too far behind is let go."""
        ends = time.monotonic() + self._pace.most_s
        beat = 0.0
        while not reader.closed and (now := time.monotonic()) < ends:
            chunk = log.after(place.position, wanted.programme)
            if chunk is None:
                metrics.STREAMS_CUT.inc()
                return
            if chunk.frames:
                yield chunk.frames
            if now >= beat:
                beat = now + self._pace.heartbeat_s
                yield await self._alive(wanted, log, _Place(chunk.position))
            if chunk.position > place.position:
                place.position = chunk.position
            else:
                await reader.wait(min(beat, ends) - now)

    async def _alive(self, wanted: Wanted, log: Log, place: _Place) -> bytes:
        # The id goes on, too: who follows a quiet programme must not fall out of the ring.
        fresh = await self._fresh(wanted.channel)
        return HEARTBEAT + frame("fresh", fresh, _id(wanted, log, place))


def _id(wanted: Wanted, log: Log, place: _Place) -> EventId:
    return EventId(wanted.channel[0], log.epoch, place.position)
