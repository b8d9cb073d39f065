"""Streams: a committed fact until a listener has it; a thousand listeners on one process.

Latency: as `latency` does it, an open loop into the outbox of sessions, with insights as one
process of all roles; seen is when the bytes of the event are in this process. Fan-out: changes are
put into the ring at a slow, fixed pace; late is the last of all listeners. Listeners are raw
connections of this process, on the same two cores as all else.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

import psutil

from deploy.local.network import Network
from services.insights.domain.projections import Subject
from services.insights.queries import streams
from services.insights.queries.pairs import PairRow
from shared.postgres.pool import Pool
from tests.benchmarks.bench_latency import Probe, run_load
from tests.benchmarks.facts import MENTEE, MENTOR, TENANT, pair_id
from tests.benchmarks.harness import Bench, Result, pool_of
from tests.support.callers import as_

RATES = (200, 1_000)
WRITERS = 8
WARM_FACTS = 400
CHANGES_PER_S = 10
BODY = b'{"about":"' + b"x" * 2_400 + b'"}'
SEEN = re.compile(rb'event: trust\ndata: \{"pair_id":"([0-9a-f-]{36})".*?"revision":(\d+)')
REQUEST = (
    "GET /v1/stream HTTP/1.1\r\nHost: bench\r\n"
    f"Authorization: {as_('bench', 'service', TENANT)['Authorization']}\r\n\r\n"
)
TIMEOUT_S = 120.0


class Listener(asyncio.Protocol):
    """A raw connection that reads a stream; `hear` gets each event that is whole."""

    def __init__(self) -> None:
        self.live = asyncio.Event()
        self.heard = 0
        self.bytes = 0
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(REQUEST.encode())

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        *blocks, self._rest = (self._rest + data).split(b"\n\n")
        for block in blocks:
            if b"event: trust" in block:
                self.heard += 1
                self.hear(block)
            elif b"event: live" in block:
                self.live.set()

    def hear(self, block: bytes) -> None:
        """Take in one event."""


class Watching(Listener):
    """Tells a probe which facts an event stands for."""

    def __init__(self, probe: Probe) -> None:
        super().__init__()
        self._probe = probe

    def hear(self, block: bytes) -> None:
        found = SEEN.search(block)
        assert found is not None
        pair, now = UUID(found[1].decode()), time.perf_counter()
        for _ in range(int(found[2]) - self._probe.counted[pair]):
            waiting = self._probe.waiting[pair]
            self._probe.taken.append(now - (waiting.popleft() if waiting else now))
        self._probe.counted[pair] = int(found[2])


@asynccontextmanager
async def connected(network: Network, listener: Listener) -> AsyncIterator[Listener]:
    """The listener, connected to insights and past its snapshot."""
    loop, (host, port) = asyncio.get_running_loop(), _where(network)
    transport, _ = await loop.create_connection(lambda: listener, host, port)
    try:
        await asyncio.wait_for(listener.live.wait(), TIMEOUT_S)
        yield listener
    finally:
        transport.abort()


def _where(network: Network) -> tuple[str, int]:
    parts = urlsplit(network.url("insights"))
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def _same(listener: Listener) -> Listener:
    return listener


async def measure(bench: Bench) -> list[Result]:
    """Latency at each rate, then the crowd."""
    results: list[Result] = []
    async with bench.network(called=True) as network:
        network.launch("sessions", "relay")
        network.launch("insights")
        network.wait_ready("insights")
        async with (
            pool_of(network, "sessions", WRITERS) as sessions,
            pool_of(network, "insights", 2) as insights,
        ):
            results += await _latency(bench, network, sessions)
            results += await _crowd(bench, network, insights)
    return results


async def _latency(bench: Bench, network: Network, sessions: Pool) -> list[Result]:
    seconds = bench.size(small=5, full=20)
    results: list[Result] = []
    probe, first = Probe(), WARM_FACTS
    async with connected(network, Watching(probe)):
        await _load_and_wait(sessions, probe, 0, WARM_FACTS, RATES[0])
        for rate in RATES:
            bench.say(f"{rate} facts a second for {seconds} s")
            probe.taken, probe.late = [], []
            await _load_and_wait(sessions, probe, first, rate * seconds, rate)
            first += rate * seconds
            cuts = statistics.quantiles(probe.taken, n=100, method="inclusive")
            late = statistics.quantiles(probe.late, n=100, method="inclusive")
            note = f"{len(probe.taken):,} facts; commit due to done p99 {late[98] * 1e3:.1f} ms"
            results += [
                Result("stream", f"p50 at {rate}/s", cuts[49] * 1e3, "ms", wanted="50", note=note),
                Result("stream", f"p99 at {rate}/s", cuts[98] * 1e3, "ms", wanted="250"),
            ]
    return results


async def _load_and_wait(pool: Pool, probe: Probe, first: int, count: int, rate: int) -> None:
    target = len(probe.taken) + count
    async with asyncio.timeout(count / rate + TIMEOUT_S):
        await run_load(pool, probe, first, count, rate)
        while len(probe.taken) < target:
            await asyncio.sleep(0.01)


async def _crowd(bench: Bench, network: Network, pool: Pool) -> list[Result]:
    size = bench.size(small=1_000, full=1_000)
    seconds = bench.size(small=5, full=20)
    process = psutil.Process(network.pid("insights"))
    empty = process.memory_info().rss
    started = time.perf_counter()
    crowd = [Listener() for _ in range(size)]
    async with _all_connected(network, crowd):
        joined_s = time.perf_counter() - started
        held = process.memory_info().rss
        bench.say(f"{size} listeners after {joined_s:.1f} s")
        taken, cpu_s = await _changes(pool, crowd, seconds * CHANGES_PER_S, process)
    cuts = statistics.quantiles(taken, n=100, method="inclusive")
    got = sum(each.bytes for each in crowd) / len(crowd) / 1e3
    cost_ms = cpu_s * 1e3 / len(taken)
    note = f"{len(taken)} changes of {len(BODY):,} bytes; {cost_ms:.0f} ms of CPU each"
    return [
        Result("stream", f"{size} listeners, all have it p50", cuts[49] * 1e3, "ms", note=note),
        Result("stream", f"{size} listeners, all have it p99", cuts[98] * 1e3, "ms"),
        Result("stream", "memory per listener", (held - empty) / size / 1e3, "kB"),
        Result("stream", f"{size} snapshots", joined_s, "s", note=f"{got:,.0f} kB each, in all"),
    ]


@asynccontextmanager
async def _all_connected(network: Network, crowd: list[Listener]) -> AsyncIterator[None]:
    loop, (host, port) = asyncio.get_running_loop(), _where(network)
    opened = []
    for listener in crowd:
        transport, _ = await loop.create_connection(partial(_same, listener), host, port)
        opened.append(transport)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await asyncio.gather(*[each.live.wait() for each in crowd])
        yield
    finally:
        for transport in opened:
            transport.abort()


async def _changes(
    pool: Pool, crowd: list[Listener], count: int, process: psutil.Process
) -> tuple[list[float], float]:
    """Put changes into the ring; how long until the last listener had each, and the CPU's time."""
    taken: list[float] = []
    before = process.cpu_times()
    pair = PairRow(1, TENANT, Subject(pair_id(0), MENTOR, MENTEE), None, None, None, None)
    for n in range(1, count + 1):
        due_s = time.perf_counter() + 1 / CHANGES_PER_S
        async with pool.acquire() as conn, conn.transaction():
            await streams.say(conn, "service", [(pair, BODY)])
        committed_s = time.perf_counter()
        async with asyncio.timeout(TIMEOUT_S):
            while any(each.heard < n for each in crowd):
                await asyncio.sleep(0.001)
        taken.append(time.perf_counter() - committed_s)
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
    after = process.cpu_times()
    return taken, after.user + after.system - before.user - before.system
