"""One tenant asks fifty times as much as another: what the other one notices.

One process of the API. The quiet tenant asks at a steady rate, alone and then beside the loud one;
latency counts from when a request was due. Both send from a process of their own.
"""

from __future__ import annotations

from typing import Any

from services.matching.subscribers import HANDLERS
from shared.events.envelope import new_event
from shared.events.people import PersonJoined
from shared.ids import PersonId, TenantId, new_id
from shared.kafka.per_fact import per_fact
from shared.postgres.pool import Pool
from shared.postgres.tenancy import act_for_all
from tests.benchmarks.facts import START
from tests.benchmarks.harness import Bench, Result, in_child, pool_of
from tests.benchmarks.processes import replicas

QUIET_PER_S = 5.0
TIMES = 50
PEOPLE = 200
FAIR: dict[str, str] = {}
# So many that nobody waits in line: the process as it would be without fair shares.
UNFAIR = {
    "MATCHING_REQUESTS_IN_FLIGHT": "1000",
    "MATCHING_REQUESTS_PER_TENANT": "1000",
    "MATCHING_REQUESTS_BESIDE_OTHERS": "1000",
    "MATCHING_REQUESTS_WAITING": "10000",
}


async def measure(bench: Bench) -> list[Result]:
    """The quiet tenant's p99: alone, beside the loud one, and so without fair shares."""
    span_s = bench.size(small=15, full=60)
    found: dict[str, dict[str, Any]] = {}
    async with bench.network(called=True) as network:
        async with pool_of(network, "matching", 1) as pool:
            await _people(pool)
        for name, environ in (("fair", FAIR), ("unfair", UNFAIR)):
            with replicas(network, "matching", ("api",), **environ) as (served,):
                for times in (0, TIMES):
                    bench.say(f"{name}, {times} x")
                    found[f"{name} {times}"] = await in_child(
                        "child_noisy", url=served.url, per_s=QUIET_PER_S, times=times, span_s=span_s
                    )
    alone = found["fair 0"]["p99_ms"]
    return [
        Result("noisy", "alone", alone, "ms", note=f"p99 at {QUIET_PER_S:.0f}/s, one API"),
        *(
            Result(
                "noisy", words, found[key]["p99_ms"], "ms", found[key]["p99_ms"] / alone,
                "noisy.alone", wanted,
                f"p99 beside {TIMES} x; p50 {found[key]['p50_ms']:.1f}; the loud one was answered"
                f" {found[key]['loud_per_s']:.0f}/s, its p99 {found[key]['loud_p99_ms']:.0f} ms",
            )
            for key, words, wanted in (
                (f"fair {TIMES}", "beside a loud one", "<= 2 x"),
                (f"unfair {TIMES}", "without fair shares", ""),
            )
        ),
    ]  # fmt: skip


async def _people(pool: Pool) -> None:
    apply = per_fact(HANDLERS)
    for tenant in ("quiet", "loud"):
        events = [
            new_event(
                PersonJoined(
                    person_id=PersonId(f"E-{n}"), email=f"p{n}@acme.example", display_name=f"P {n}"
                ),
                event_id=new_id(), tenant=TenantId(tenant), service="hr", now=START,
            )
            for n in range(PEOPLE)
        ]  # fmt: skip
        async with pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            await apply(conn, events, START)
