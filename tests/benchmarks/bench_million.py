"""A million pairs: what the worker holds in memory when each fact is about another of them.

The pairs are put into the table as they would be after fifty facts; then the real worker reads
facts about a tenth of them, each another pair, while its memory is watched.
"""

from __future__ import annotations

import asyncio
import random

import psutil

from services.insights.domain.model import V1
from services.insights.domain.packing import pack
from services.insights.domain.state import refold
from shared.postgres.pool import Pool
from tests.benchmarks.bench_fold import histories
from tests.benchmarks.facts import MENTEE, MENTOR, TENANT, make, pair_id, publish
from tests.benchmarks.harness import TIMEOUT_S, Bench, Result, pool_of

EACH = 50
STATES = 200
CHUNK = 20_000
MIB = 1024 * 1024
EVERY_S = 0.5
_PAIRS = """
    INSERT INTO pair (tenant, pair_id, mentor_id, mentee_id, state)
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::bytea[])
"""
_APPLIED = "SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offset"
_STATE_BYTES = "SELECT avg(pg_column_size(state))::int FROM pair TABLESAMPLE SYSTEM (1)"


async def measure(bench: Bench) -> list[Result]:
    """The highest resident memory while a tenth of the pairs get a fact."""
    pairs = bench.size(small=20_000, full=1_000_000)
    async with bench.network() as network:
        async with pool_of(network, "insights", 2) as pool:
            await _fill(bench, pool, pairs)
            width = int(await pool.fetchval(_STATE_BYTES))
        order = random.Random(bench.seed).sample(range(pairs, 2 * pairs), pairs // 10)
        await publish(network.stack.kafka_bootstrap, (make(n, pairs) for n in order), bench.say)
        process = network.launch("insights", "worker")
        async with pool_of(network, "insights", 2) as pool:
            held = await _watch(bench, pool, process.pid, len(order))
    note = f"{pairs:,} pairs with a state of {width} bytes; {len(order):,} facts about as many"
    return [Result("million", "worker", max(held) / MIB, "MiB", wanted="<= 300", note=note)]


async def _fill(bench: Bench, pool: Pool, pairs: int) -> None:
    states = [pack(refold(each, V1)) for each in histories(STATES, EACH, bench.seed)]
    for first in range(0, pairs, CHUNK):
        rows = [
            (TENANT, pair_id(n), MENTOR, MENTEE, states[n % STATES])
            for n in range(first, min(first + CHUNK, pairs))
        ]
        await pool.execute(_PAIRS, *map(list, zip(*rows, strict=True)))
        if first % 200_000 == 0:
            bench.say(f"{first:,} pairs in the table")
    await pool.execute("ANALYZE pair")


async def _watch(bench: Bench, pool: Pool, pid: int, total: int) -> list[int]:
    """Resident bytes, twice a second, until all facts are applied."""
    held: list[int] = []
    for _ in range(int(TIMEOUT_S / EVERY_S)):
        held.append(psutil.Process(pid).memory_info().rss)
        applied = int(await pool.fetchval(_APPLIED))
        if applied >= total:
            return held
        if len(held) % 20 == 0:
            bench.say(f"{applied:,} of {total:,}; the worker holds {held[-1] / MIB:.0f} MiB")
        await asyncio.sleep(EVERY_S)
    raise RuntimeError(f"not done after {TIMEOUT_S:.0f} s")
