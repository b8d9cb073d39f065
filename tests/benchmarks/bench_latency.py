"""Latency: a fact is committed to the outbox of sessions until its pair's state is visible.

Open loop: a fact is due when the clock says so, whether or not the one before has been seen, and a
writer that falls behind is reported. The watcher asks again every few milliseconds: what it
reports is up to one look too late, never too early.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from services.insights.domain.model import V1
from services.insights.domain.packing import unpack
from shared.postgres import outbox
from shared.postgres.pool import Pool
from tests.benchmarks.facts import make
from tests.benchmarks.harness import Bench, Result, pool_of

RATES = (200, 1_000)
PAIRS = 200
WRITERS = 8
LOOK_S = 0.003
SETTLE_S = 60.0
WARM_FACTS = 400
_STATES = "SELECT pair_id, state FROM pair WHERE state IS NOT NULL"


@dataclass
class Probe:
    """Commits by pair that were not seen yet, and what became of the others (seconds)."""

    waiting: defaultdict[UUID, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    known: dict[UUID, bytes] = field(default_factory=dict)
    counted: defaultdict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    taken: list[float] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)

    async def look(self, pool: Pool) -> None:
        """See which pairs moved, and by how many facts."""
        rows = await pool.fetch(_STATES)
        now = time.perf_counter()
        self.looks.append(now)
        for pair, packed in rows:
            if self.known.get(pair) == packed:
                continue
            self.known[pair] = packed
            state = unpack(packed, V1)
            assert state is not None
            for _ in range(state.count - self.counted[pair]):
                # Seen before its commit was answered: no time at all has passed.
                committed = self.waiting[pair].popleft() if self.waiting[pair] else now
                self.taken.append(now - committed)
            self.counted[pair] = state.count


async def _write(pool: Pool, probe: Probe, queue: asyncio.Queue[tuple[int, float] | None]) -> None:
    """Commit one fact a transaction; a pair has one writer, so that its commits are in order."""
    async with pool.acquire() as conn:
        while (due := await queue.get()) is not None:
            number, due_s = due
            event = make(number, PAIRS, at=datetime.now(UTC))
            async with conn.transaction():
                await outbox.append(conn, [event])
            now = time.perf_counter()
            probe.waiting[UUID(event.fact.subject)].append(now)
            probe.late.append(now - due_s)


async def run_load(pool: Pool, probe: Probe, first: int, count: int, rate: int) -> None:
    """Give each writer its facts when they are due."""
    queues: list[asyncio.Queue[tuple[int, float] | None]] = [
        asyncio.Queue() for _ in range(WRITERS)
    ]
    async with asyncio.TaskGroup() as group:
        for queue in queues:
            group.create_task(_write(pool, probe, queue))
        started = time.perf_counter()
        for n in range(count):
            due_s = started + n / rate
            if (delay_s := due_s - time.perf_counter()) > 0:
                await asyncio.sleep(delay_s)
            queues[(first + n) % PAIRS % WRITERS].put_nowait((first + n, due_s))
        for queue in queues:
            queue.put_nowait(None)


async def _run(
    sessions: Pool, insights: Pool, probe: Probe, first: int, count: int, rate: int
) -> None:
    """Load and watch until everything is seen."""
    target = len(probe.taken) + count
    loading = asyncio.create_task(run_load(sessions, probe, first, count, rate))
    async with asyncio.timeout(count / rate + SETTLE_S):
        while len(probe.taken) < target:
            await probe.look(insights)
            await asyncio.sleep(LOOK_S)
    await loading


async def measure(bench: Bench) -> list[Result]:
    """The real relay and the real worker, at each rate in turn."""
    seconds = bench.size(small=5, full=20)
    results: list[Result] = []
    async with bench.network() as network:
        network.launch("sessions", "relay")
        network.launch("insights", "worker")
        async with (
            pool_of(network, "sessions", WRITERS) as sessions,
            pool_of(network, "insights", 2) as insights,
        ):
            probe, first = Probe(), WARM_FACTS
            await _run(sessions, insights, probe, 0, WARM_FACTS, RATES[0])
            for rate in RATES:
                bench.say(f"{rate} facts a second for {seconds} s")
                probe.taken, probe.looks, probe.late = [], [], []
                await _run(sessions, insights, probe, first, rate * seconds, rate)
                first += rate * seconds
                results += _results(rate, probe)
    return results


def _results(rate: int, probe: Probe) -> list[Result]:
    cuts = statistics.quantiles(probe.taken, n=100, method="inclusive")
    gaps = [b - a for a, b in zip(probe.looks, probe.looks[1:], strict=False)]
    late = statistics.quantiles(probe.late, n=100, method="inclusive")
    note = (
        f"{len(probe.taken):,} facts; looked every {statistics.median(gaps) * 1e3:.1f} ms; "
        f"commit due to done p99 {late[98] * 1e3:.1f} ms"
    )
    return [
        Result("latency", f"p50 at {rate}/s", cuts[49] * 1e3, "ms", note=note),
        Result("latency", f"p99 at {rate}/s", cuts[98] * 1e3, "ms"),
    ]
