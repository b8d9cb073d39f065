"""The per-event design on the same facts: what batching is worth."""

from __future__ import annotations

from tests.benchmarks.bench_hot import PAIRS
from tests.benchmarks.facts import make, publish
from tests.benchmarks.harness import Bench, Result, in_child


async def measure(bench: Bench) -> list[Result]:
    """Facts a second of the baseline, and how many times that the hot worker of this run does."""
    total = bench.size(small=1_000, full=3_000)
    async with bench.network() as network:
        bootstrap = network.stack.kafka_bootstrap
        await publish(bootstrap, (make(n, PAIRS) for n in range(total)))
        bench.say("one transaction and one send a message")
        dsn = network.dsn("insights")
        answer = await in_child("child_per_event", bootstrap=bootstrap, dsn=dsn, total=total)
    rate = float(answer["per_s"])
    results = [Result("per_event", "baseline", rate, "facts/s", note=f"{total:,} facts")]
    hot = bench.found("hot.worker")
    if hot is not None:
        times, against = hot / rate, "per_event.baseline"
        results.append(Result("per_event", "hot worker", hot, "facts/s", times, against, ">= 100"))
    return results
