"""Memory: the four services, all roles, before and after a long log of facts about hot pairs."""

from __future__ import annotations

import asyncio
import statistics
import time
from functools import partial

import psutil

from deploy.local.network import SERVICES, Network
from deploy.local.process import Process
from shared.postgres.pool import Pool
from tests.benchmarks.facts import make, publish
from tests.benchmarks.harness import TIMEOUT_S, Bench, Result, pool_of

PAIRS = 1_000
MIB = 1024 * 1024
EVERY_S = 0.5
STARTED, START_S = "started", 60.0
_APPLIED = "SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offset"

Sample = tuple[int, dict[str, float]]


async def measure(bench: Bench) -> list[Result]:
    """Resident memory of each process at the start, at its highest, and its slope over the load."""
    total = bench.size(small=40_000, full=1_000_000)
    async with bench.network() as network:
        bench.say("the log")
        await publish(
            network.stack.kafka_bootstrap, (make(n, PAIRS) for n in range(total)), bench.say
        )
        running = {name: network.launch(name) for name in SERVICES}
        for process in running.values():
            await asyncio.to_thread(process.until, partial(_started, process), START_S, STARTED)
        async with pool_of(network, "insights", 2) as pool:
            samples = await _samples(bench, running, pool, total)
        consumed = {name: await _consumed(network, name) for name in SERVICES}
    return [_result(name, samples, consumed[name]) for name in SERVICES]


def _started(process: Process) -> bool:
    return STARTED in process.log_tail()


async def _consumed(network: Network, service: str) -> int:
    async with pool_of(network, service, 2) as pool:
        return int(await pool.fetchval(_APPLIED))


async def _samples(
    bench: Bench, running: dict[str, Process], pool: Pool, total: int
) -> list[Sample]:
    """What each process holds, every half second until insights has applied everything."""
    samples: list[Sample] = []
    started = time.monotonic()
    while not samples or samples[-1][0] < total:
        applied = int(await pool.fetchval(_APPLIED))
        samples.append((applied, {name: _held_mib(each) for name, each in running.items()}))
        if len(samples) % 20 == 0:
            held = samples[-1][1]["insights"]
            bench.say(f"{applied:,} of {total:,}; insights holds {held:.0f} MiB")
        if time.monotonic() - started > TIMEOUT_S:
            raise RuntimeError(f"{applied:,} of {total:,} after {TIMEOUT_S:.0f} s")
        await asyncio.sleep(EVERY_S)
    return samples


def _held_mib(process: Process) -> float:
    try:
        return float(psutil.Process(process.pid).memory_info().rss) / MIB
    except psutil.NoSuchProcess:
        name, code = process.launch.name, process.exit_code
        raise RuntimeError(f"{name} ended with {code}\n{process.log_tail()}") from None


def _result(name: str, samples: list[Sample], consumed: int) -> Result:
    """The slope is of the second half: the first fills caches and pools."""
    held = [one[name] for _, one in samples]
    later = samples[len(samples) // 2 :]
    slope = 0.0
    if len({applied for applied, _ in later}) > 1:
        line = statistics.linear_regression(
            [a / 1e6 for a, _ in later], [m[name] for _, m in later]
        )
        slope = line.slope
    note = (
        f"{held[0]:.0f} at the start, {held[-1]:.0f} at the end, {slope:+.1f} MiB a million facts "
        f"of insights over the second half; {consumed:,} records of its own consumed"
    )
    return Result("memory", name, max(held), "MiB", wanted="<= 200, flat", note=note)
