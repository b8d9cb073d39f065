"""Hot pairs: the real insights worker beside a bare `getmany` loop over the same topics."""

from __future__ import annotations

from deploy.local.network import Network
from tests.benchmarks.facts import make, publish
from tests.benchmarks.harness import Bench, Pace, Result, in_child, pool_of

PAIRS = 1_000
# What the group has committed: one row a partition, so that looking costs next to nothing.
_APPLIED = "SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offset"


async def worker_pace(bench: Bench, network: Network, total: int, workers: int = 1) -> Pace:
    """Start workers and watch what they commit until `total` records are applied."""
    async with pool_of(network, "insights", size=2) as pool:

        async def applied() -> int:
            return int(await pool.fetchval(_APPLIED))

        before = await applied()
        others = [network.launch("insights", "worker") for _ in range(workers - 1)]
        process = network.launch("insights", "worker")

        async def since() -> int:
            return await applied() - before

        pace = await bench.watch(since, total, process)
        for other in others:
            other.close()
        return pace


async def two_workers(bench: Bench, total: int) -> Pace:
    """As `measure`, with a group of two workers that share the partitions."""
    async with bench.network() as network:
        await publish(
            network.stack.kafka_bootstrap, (make(n, PAIRS) for n in range(total)), bench.say
        )
        return await worker_pace(bench, network, total, workers=2)


async def measure(bench: Bench) -> list[Result]:
    """The bare loop before and after the worker; the better of the two is what counts."""
    total = bench.size(small=20_000, full=300_000)
    async with bench.network() as network:
        bootstrap = network.stack.kafka_bootstrap
        await publish(bootstrap, (make(n, PAIRS) for n in range(total)), bench.say)
        bench.say("bare loop, worker, bare loop")
        before = await in_child("child_getmany", bootstrap=bootstrap, total=total)
        pace = await worker_pace(bench, network, total)
        async with pool_of(network, "insights", size=2) as pool:
            counted = await pool.fetchval("SELECT count(*) FROM evidence")
        network.stop("insights")
        after = await in_child("child_getmany", bootstrap=bootstrap, total=total)
    if counted != total:
        raise RuntimeError(f"{counted:,} of {total:,} facts counted")
    group = await two_workers(bench, total)
    bare = max(before["per_s"], after["per_s"])
    least = min(before["per_s"], after["per_s"])
    return [
        Result("hot", "bare", bare, "records/s", note=f"better of two, the other {least:,.0f}"),
        Result(
            "hot", "worker", pace.per_s, "facts/s", pace.per_s / bare, "hot.bare", ">= 0.35",
            f"{PAIRS:,} pairs; {pace.words}",
        ),
        Result(
            "hot", "two workers", group.per_s, "facts/s", group.per_s / bare, "hot.bare", "",
            f"one group on the same cores; {group.words}",
        ),
    ]  # fmt: skip
