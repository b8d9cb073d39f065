"""Cold pairs: every fact another pair, every change stored, beside a bare upsert of the rows."""

from __future__ import annotations

import asyncio
import random

from deploy.local.network import Network
from tests.benchmarks.bench_hot import worker_pace
from tests.benchmarks.facts import make, publish
from tests.benchmarks.harness import POLL_S, Bench, Pace, Result, in_child, pool_of

_WIDTH = "SELECT avg(octet_length(state))::int FROM pair"
_DIRTY = "SELECT count(DISTINCT pair_key) FROM dirty_pair"
_ANY_DIRTY = "SELECT EXISTS (SELECT FROM dirty_pair)"
# All that is kept for each pair beyond its evidence, as it is after every pair was rewritten once.
_STORED = """
    SELECT sum(pg_total_relation_size(name::regclass))::bigint
    FROM unnest('{pair, surfaced, stream_newest}'::text[]) AS name
"""


async def measure(bench: Bench) -> list[Result]:
    """A first fact for every pair, unmeasured; then a second, in another order, measured."""
    pairs = bench.size(small=20_000, full=100_000)
    async with bench.network() as network:
        await _first_facts(bench, network, pairs)
        order = list(range(pairs, 2 * pairs))
        random.Random(bench.seed).shuffle(order)
        await publish(network.stack.kafka_bootstrap, (make(n, pairs) for n in order), bench.say)
        async with pool_of(network, "insights", size=2) as pool:
            await pool.execute("VACUUM ANALYZE pair, evidence, dirty_pair")
            width = int(await pool.fetchval(_WIDTH))
            bare = await _bare(network, pairs, width, bench.seed)
            bench.say("a second fact for every pair")
            pace = await worker_pace(bench, network, pairs)
            left = int(await pool.fetchval(_DIRTY))
            stored = int(await pool.fetchval(_STORED)) / pairs
        again = await _bare(network, pairs, width, bench.seed)
    note = "rows, free space and indexes of pair, surfaced and what the streams remember"
    size = Result("cold", "stored a pair", stored, "bytes", wanted="<= 400", note=note)
    return [*_results(pairs, width, (bare, again), pace, left), size]


async def _bare(network: Network, rows: int, width: int, seed: int) -> float:
    dsn = network.stack.postgres_dsn
    answer = await in_child("child_upsert", dsn=dsn, rows=rows, width=width, seed=seed)
    return float(answer["per_s"])


async def _first_facts(bench: Bench, network: Network, pairs: int) -> None:
    """One agreement a pair, applied and surfaced, so that the second pass finds quiet rows."""
    await publish(network.stack.kafka_bootstrap, (make(n, pairs) for n in range(pairs)))
    bench.say("a first fact for every pair")
    await worker_pace(bench, network, pairs)
    bench.say("until all of them are surfaced")
    async with pool_of(network, "insights", size=2) as pool:
        while await pool.fetchval(_ANY_DIRTY):
            await asyncio.sleep(POLL_S)
    network.stop("insights")


def _results(
    pairs: int, width: int, bare: tuple[float, float], pace: Pace, left: int
) -> list[Result]:
    best = max(bare)
    rows = f"{pairs:,} rows of {width} bytes; better of two, the other {min(bare):,.0f}"
    said = f"{pace.words}; {left:,} pairs still to surface at the end"
    return [
        Result("cold", "bare", best, "rows/s", note=rows),
        Result(
            "cold", "worker", pace.per_s, "facts/s", pace.per_s / best, "cold.bare", ">= 0.4", said
        ),
    ]
