"""Says what takes time: a bar on a terminal, plain lines elsewhere. Standard error only."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

PLAIN_STEP = 0.25


def say(text: str) -> None:
    """Print one line of progress."""
    print(text, file=sys.stderr, flush=True)


class Meter:
    """Counts bytes towards a total; safe to use from several threads."""

    def __init__(self, label: str, total_bytes: int) -> None:
        """Start at zero."""
        self._label = label
        self._total = max(1, total_bytes)
        self._done = 0
        self._lock = threading.Lock()

    def add(self, count_bytes: int) -> None:
        """Count some more bytes."""
        with self._lock:
            self._set(self._done + count_bytes)

    def at(self, done_bytes: int) -> None:
        """Set the count, after a source gave up half way."""
        with self._lock:
            self._set(done_bytes)

    def _set(self, done_bytes: int) -> None:
        self._done = done_bytes


class _PlainMeter(Meter):
    _said = 0.0

    def _set(self, done_bytes: int) -> None:
        super()._set(done_bytes)
        share = min(1.0, done_bytes / self._total)
        if share >= self._said + PLAIN_STEP:
            self._said = share - share % PLAIN_STEP
            say(f"  {share:4.0%} of {self._total / 1e6:.0f} MB")


class _BarMeter(Meter):
    def __init__(self, label: str, total_bytes: int, bar: Progress) -> None:
        super().__init__(label, total_bytes)
        self._bar = bar
        self._task = bar.add_task(label, total=total_bytes)

    def _set(self, done_bytes: int) -> None:
        super()._set(done_bytes)
        self._bar.update(self._task, completed=done_bytes)


@contextmanager
def meter(label: str, total_bytes: int) -> Iterator[Meter]:
    """Show the progress of one transfer of a known size."""
    console = Console(stderr=True)
    if not console.is_terminal:
        say(f"{label}: {total_bytes / 1e6:.0f} MB")
        yield _PlainMeter(label, total_bytes)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TransferSpeedColumn(), console=console) as bar:
        yield _BarMeter(label, total_bytes, bar)
