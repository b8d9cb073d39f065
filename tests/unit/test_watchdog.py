"""A worker that has work and does none ends itself; one that waits for an outage does not."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from shared import runtime
from shared.kafka.delivery import Progress
from shared.runtime import EXIT_STALLED, _Process


class Ended(Exception):
    """Stands for the end of the process."""


class Reader:
    """A consumer as the watchdog sees it."""

    def __init__(self, *, lag: int, halted: str | None = None) -> None:
        self._lag = lag
        self.halted = halted

    def lag(self) -> int:
        return self._lag

    async def hint(self) -> None:
        """Nothing to tell."""


def process(reader: Reader, progress: Progress) -> _Process:
    made = _Process.__new__(_Process)
    made._stopping = asyncio.Event()
    made._roles = frozenset({"worker"})
    made._consumer = reader  # type: ignore[assignment]
    made._delivery = SimpleNamespace(progress=progress)  # type: ignore[assignment]
    made._settings = SimpleNamespace(stall_timeout_s=0.02)  # type: ignore[assignment]
    return made


async def watched(reader: Reader, progress: Progress, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the watchdog ends the process within a few of its stall timeouts."""

    def end(code: int) -> None:
        assert code == EXIT_STALLED
        raise Ended

    monkeypatch.setattr(runtime, "WATCH_EVERY_S", 0.005)
    monkeypatch.setattr("os._exit", end)
    try:
        await asyncio.wait_for(process(reader, progress)._watch(), 0.3)
    except Ended:
        return True
    except TimeoutError:
        return False
    return False


@pytest.mark.parametrize(
    ("reader", "progress", "ends"),
    [
        pytest.param(Reader(lag=5), Progress(), True, id="behind and idle: stuck"),
        pytest.param(Reader(lag=0, halted="x"), Progress(), True, id="halted: stuck"),
        pytest.param(Reader(lag=0), Progress(), False, id="nothing to do"),
        pytest.param(Reader(lag=5), Progress(busy_since=1.0), False, id="waiting for the database"),
    ],
)
async def test_the_watchdog_ends_a_process_that_is_stuck_and_no_other(
    reader: Reader, progress: Progress, ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await watched(reader, progress, monkeypatch) is ends
