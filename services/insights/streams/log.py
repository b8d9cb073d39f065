"""The newest part of one channel in memory, shared by everybody who reads it. Does no I/O.

Nobody has a queue: each reader has a position, and asks for what comes after it. Who is so slow
that its position has left the log is cut. So a thousand readers cost one log and not a thousand
queues, and what all of them get next is put together once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from shared.ids import ProgrammeId

# What is handed to a reader at once; more would only be copied into the buffers of its connection.
CHUNK_BYTES = 64 * 1024


class Entry(NamedTuple):
    """One position, as it is sent."""

    position: int
    programme_id: ProgrammeId | None
    frame: bytes


class Chunk(NamedTuple):
    """What comes next, and the position it leads to. It may be empty for one programme."""

    position: int
    frames: bytes


class Reader:
    """Somebody who waits: for news, for a time, or to be closed. Belongs to one task."""

    __slots__ = ("_woken", "closed")

    def __init__(self) -> None:
        self.closed = False
        self._woken: asyncio.Future[None] | None = None

    async def wait(self, timeout_s: float) -> None:
        """Return when woken or closed, or when the time is over."""
        if self.closed or timeout_s <= 0:
            return
        loop = asyncio.get_running_loop()
        self._woken = loop.create_future()
        timer = loop.call_later(timeout_s, self.wake)
        try:
            await self._woken
        finally:
            timer.cancel()
            self._woken = None

    def wake(self) -> None:
        """Let `wait` return."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def close(self) -> None:
        """Let `wait` return, now and from now on."""
        self.closed = True
        self.wake()


class Log:
    """The newest entries of a channel from `position` on, at least `keep` of them."""

    def __init__(self, epoch: str, position: int, keep: int) -> None:
        self.epoch = epoch
        self.position = position
        self.readers: set[Reader] = set()
        self._keep = keep
        self._entries: list[Entry] = []
        # Most readers stand at the same place.
        self._chunks: dict[tuple[int, ProgrammeId | None], Chunk] = {}

    def add(self, entries: Iterable[Entry]) -> None:
        """Take in what follows, and wake the readers."""
        for entry in entries:
            if entry.position != self.position + 1:
                raise ValueError(f"{entry.position} does not follow {self.position}")
            self._entries.append(entry)
            self.position = entry.position
        if len(self._entries) > 2 * self._keep:
            del self._entries[: -self._keep]
        self._chunks.clear()
        for reader in self.readers:
            reader.wake()

    def after(self, position: int, programme: ProgrammeId | None = None) -> Chunk | None:
        """What follows a position, perhaps of one programme; None if it is not here any more."""
        start = position - (self.position - len(self._entries))
        if start < 0:
            return None
        key = (position, programme)
        if key not in self._chunks:
            self._chunks[key] = self._chunk(position, start, programme)
        return self._chunks[key]

    def _chunk(self, position: int, start: int, programme: ProgrammeId | None) -> Chunk:
        frames, size = [], 0
        for place in range(start, len(self._entries)):
            entry = self._entries[place]
            position = entry.position
            if programme is None or entry.programme_id == programme:
                frames.append(entry.frame)
                size += len(entry.frame)
                if size >= CHUNK_BYTES:
                    break
        return Chunk(position, b"".join(frames))
