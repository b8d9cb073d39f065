"""A command in the foreground: ends by itself, by Ctrl-C or SIGTERM, or because a part died.

Whatever ends it, what it opened is closed, nothing is printed but words, and a second Ctrl-C does
not cut the closing short.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from deploy.local.errors import StackError
from deploy.local.progress import say

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM)

T = TypeVar("T")


class Foreground:
    """Runs one command's work. `died` is what a stack and a network call when a part dies."""

    def __init__(self) -> None:
        self._failure: StackError | None = None
        self._interrupted = False
        self._wake: Callable[[], object] | None = None
        self._lock = threading.Lock()

    def guard(self, command: Callable[[], int], *failures: type[Exception]) -> int:
        """The command's exit code; 130 when interrupted, 1 in words for one of `failures`."""
        known: tuple[type[Exception], ...] = (StackError, *failures)
        with self._signals():
            try:
                return command()
            except KeyboardInterrupt:
                say("stopped")
                return EXIT_INTERRUPTED
            except known as error:
                say(f"failed: {error}")
                return EXIT_FAILED

    def died(self, error: StackError) -> None:
        """A part ended unasked: so does the work. Called from any thread."""
        with self._lock:
            self._failure = self._failure or error
            wake = self._wake
        if wake:
            wake()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end. Raises StackError when a part died, KeyboardInterrupt when told to."""
        return asyncio.run(self._run(work))

    async def _run(self, work: Coroutine[Any, Any, T]) -> T:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
        with self._lock:
            self._wake = lambda: loop.call_soon_threadsafe(task.cancel)
            failed = self._failure
        if failed:
            task.cancel()
        with self._cancelling(loop, task):
            try:
                return await task
            except BaseException:
                # A part that died shows first as a refused connection: name the death, not that.
                if self._failure:
                    raise self._failure from None
                if self._interrupted:
                    raise KeyboardInterrupt from None
                raise
            finally:
                self._wake = None

    @contextmanager
    def _cancelling(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[T]) -> Iterator[None]:
        def interrupt() -> None:
            self._interrupted = True
            task.cancel()

        before = {number: signal.getsignal(number) for number in SIGNALS}
        for number in SIGNALS:
            loop.add_signal_handler(number, interrupt)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN if self._interrupted else handler)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def interrupt(_number: int, _frame: object) -> None:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            raise KeyboardInterrupt

        before = {number: signal.signal(number, interrupt) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
