"""Time as an argument. Edges hold a clock and pass `now` down; nothing else asks for the time."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Says what time it is, always aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """Stands still until moved. For tests of one process."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class FileClock:
    """A virtual clock shared by many processes: the instant written in a file.

    The demo and tests move months in seconds with it. Reading costs a few microseconds; writing is
    atomic, so a reader sees the old instant or the new one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        return datetime.fromisoformat(self._path.read_text(encoding="ascii"))

    def set(self, at: datetime) -> None:
        """Move every process that shares the file to `at`. Raises ValueError for a naive time."""
        if at.tzinfo is None:
            raise ValueError("a clock needs an aware time")
        draft = self._path.with_suffix(f".{os.getpid()}")
        draft.write_text(at.astimezone(UTC).isoformat(), encoding="ascii")
        draft.replace(self._path)
