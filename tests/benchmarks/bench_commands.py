"""Commands over HTTP, beside the same statements sent bare: how many a second, and how late.

The service runs as in production: its API, its worker with the sweeper, and its relay are
processes of their own, on a broker and a database that are in the figure, as is the load. Every
request carries an Idempotency-Key.
"""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from deploy.local.network import Network
from shared.events.envelope import Event, new_event
from shared.events.matching import PairStarted
from shared.ids import PersonId, ProgrammeId, new_id
from tests.benchmarks.facts import START, publish
from tests.benchmarks.harness import POLL_S, TIMEOUT_S, Bench, Result, in_child, pool_of
from tests.benchmarks.processes import Pids, replicas, stack_pids, words
from tests.benchmarks.rounds import EDGE, STEPS, TENANT, members, pair_id

WANTED_PER_S = 1_500
LANES = 16
# One process of the API, then two: each has half of the connections.
APIS = (1, 2)
# Rounds that the bare child runs through the service before it sends their statements itself.
RECORDED = 2
_STARTED = "SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offset"


def started(place: int) -> Event:
    """The fact that the pair at `place` began."""
    who = members(place)
    fact = PairStarted(
        pair_id=pair_id(place),
        mentor_id=PersonId(who["mentor"]),
        mentee_id=PersonId(who["mentee"]),
        programme_id=ProgrammeId("leaders"),
        started_at=START,
    )
    return new_event(fact, event_id=new_id(), tenant=TENANT, service="matching", now=START)


async def measure(bench: Bench) -> list[Result]:
    """For one and for two processes of the API: bare, as fast as answers come, at a fixed rate."""
    results: list[Result] = []
    for apis in APIS:
        async with bench.network(called=True) as network:
            results += await _with(bench, network, apis)
    return results


async def _with(bench: Bench, network: Network, apis: int) -> list[Result]:
    load = _Load(bench)
    roles = [("worker",), ("relay",), *[("api",)] * apis]
    with replicas(network, "sessions", *roles) as (worker, relay, *served):
        watch: dict[str, list[int]] = {
            "api": [each.process.pid for each in served],
            "worker": [worker.process.pid],
            "relay": [relay.process.pid],
            **stack_pids(),
        }
        await _pairs(bench, network, load.pairs)
        await _filled(bench, network, load, watch)
        bench.say("the bare statements")
        bare = await load.bare(network, watch, 1)
        bench.say(f"the load on {apis} of the API")
        found = await load.run([each.url for each in served], watch)
        again = await load.bare(network, watch, 2)
    return _results(apis, load, max(bare, again, key=lambda each: float(each["per_s"])), found)


class _Load:
    """How much of what: the places of pairs are used once, by the load and by the bare."""

    def __init__(self, bench: Bench) -> None:
        self.warm = bench.size(small=3_000, full=10_000)
        self.fast = bench.size(small=8_000, full=60_000)
        self.rate = WANTED_PER_S / 2
        self.paced = int(self.rate * bench.size(small=8, full=40))
        self.bare_rounds = bench.size(small=1_500, full=6_000)
        self._rounds = (self.warm + self.fast + self.paced) // len(STEPS) + EDGE
        self._bare_places = RECORDED + self.bare_rounds
        self.pairs = self._rounds + 3 * self._bare_places

    async def run(self, urls: list[str], watch: Pids) -> dict[str, Any]:
        """The load, from a process of its own."""
        return await in_child(
            "child_commands", urls=urls, watch=watch, connections=LANES, rate=self.rate,
            warm=self.warm, fast=self.fast, paced=self.paced,
        )  # fmt: skip

    async def bare(self, network: Network, watch: Pids, place: int) -> dict[str, Any]:
        """The same statements, from a process of its own; `place` is 0, 1 or 2, each used once."""
        return await in_child(
            "child_bare_commands", dsn=network.dsn("sessions"), watch=watch, lanes=LANES,
            first=self._rounds + place * self._bare_places, rounds=self.bare_rounds,
        )  # fmt: skip


async def _filled(bench: Bench, network: Network, load: _Load, watch: Pids) -> None:
    """Tables that hold something and of which the planner knows how much.

    As autovacuum sees to it. Until it has been there, plans made for an empty table read all of it.
    """
    bench.say("filling the tables")
    await load.bare(network, watch, 0)
    conn = await asyncpg.connect(network.stack.postgres_dsn, command_timeout=TIMEOUT_S)
    await conn.execute("VACUUM ANALYZE")
    await conn.close()


async def _pairs(bench: Bench, network: Network, count: int) -> None:
    """The facts that they began, consumed by the worker."""
    bench.say(f"{count:,} pairs")
    await publish(network.stack.kafka_bootstrap, (started(n) for n in range(count)))
    async with pool_of(network, "sessions", 2) as pool, asyncio.timeout(TIMEOUT_S):
        while int(await pool.fetchval(_STARTED)) < count:
            await asyncio.sleep(POLL_S)


def _results(apis: int, load: _Load, bare: dict[str, Any], found: dict[str, Any]) -> list[Result]:
    name = "one API process" if apis == 1 else f"{apis} API processes"
    statements = ", ".join(map(str, bare["statements"]))
    against = f"bare beside {name}"
    paced = f"{load.paced:,} commands, latency from when each was due"
    return [
        Result(
            "commands", against, bare["per_s"], "transactions/s",
            note=f"{statements} statements each; {words(bare['cpu_ms'])}",
        ),
        Result(
            "commands", name, found["per_s"], "commands/s", found["per_s"] / bare["per_s"],
            f"commands.{against}", ">= 1,500 and >= 0.35",
            f"{load.fast:,} commands on {LANES} connections; {words(found['cpu_ms'])}",
        ),
        Result(
            "commands", f"{name}, p50 at {load.rate:.0f}/s", found["p50_ms"], "ms",
            note=f"{paced}; {words(found['paced_cpu_ms'])}",
        ),
        Result(
            "commands", f"{name}, p99 at {load.rate:.0f}/s", found["p99_ms"], "ms", wanted="<= 50",
            note=f"p99.9 {found['p999_ms']:.1f}, longest {found['max_ms']:.1f}",
        ),
    ]  # fmt: skip
