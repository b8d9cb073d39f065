"""Where the demo is, while it runs: one line on a terminal, plain lines elsewhere. Stderr only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from deploy.local.demo.size import DemoSize
from deploy.local.progress import say

PLAIN_EVERY = timedelta(days=28)


class Line:
    """Says where the story is. This one says it now and then, in plain lines."""

    def __init__(self, size: DemoSize) -> None:
        self._size = size
        self._next = size.starts_at.date() + PLAIN_EVERY

    def at(self, day: date, records: int, mails: int) -> None:
        """The story has come to `day`."""
        if day >= self._next:
            self._next += PLAIN_EVERY
            say(f"  {day}  {records:>6} records in Kafka  {mails:>5} mails received")


class _Bar(Line):
    def __init__(self, size: DemoSize, progress: Progress, task: TaskID) -> None:
        super().__init__(size)
        self._progress = progress
        self._task = task

    def at(self, day: date, records: int, mails: int) -> None:
        done = (day - self._size.starts_at.date()).days
        said = f"{day}  {records} records  {mails} mails"
        self._progress.update(self._task, completed=done, description=said)


@contextmanager
def line(size: DemoSize) -> Iterator[Line]:
    """The line for as long as the story is told."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Line(size)
        return
    columns = (TextColumn("  {task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        first = str(size.starts_at.date())
        yield _Bar(size, progress, progress.add_task(first, total=size.weeks * 7))
