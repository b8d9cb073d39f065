"""Rebuild: the whole log into a new projection, compared and swapped; beside the worker's pace."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from deploy.local.network import Network
from tests.benchmarks.bench_hot import worker_pace
from tests.benchmarks.facts import make, publish
from tests.benchmarks.harness import POLL_S, ROOT, TIMEOUT_S, Bench, Result, pool_of

PAIRS = 1_000
_ANY_DIRTY = "SELECT EXISTS (SELECT FROM dirty_pair)"


async def measure(bench: Bench) -> list[Result]:
    """The worker applies the log once; the command then builds it anew while the worker runs."""
    total = bench.size(small=100_000, full=1_000_000)
    async with bench.network() as network:
        await publish(
            network.stack.kafka_bootstrap, (make(n, PAIRS) for n in range(total)), bench.say
        )
        bench.say("the live worker")
        pace = await worker_pace(bench, network, total)
        async with pool_of(network, "insights", size=2) as pool:
            bench.say("until all of it is surfaced, as nothing else had to be done before, either")
            while await pool.fetchval(_ANY_DIRTY):
                await asyncio.sleep(POLL_S)
            bench.say("the command")
            done = await _rebuilt(network)
            counted = await pool.fetchval("SELECT count(*) FROM evidence")
    if counted != total or not done["swapped"] or done["comparison"]["repaired"]:
        raise RuntimeError(f"{counted:,} of {total:,} facts, {done}")
    per_s = total / done["build_s"]
    note = (
        f"{PAIRS:,} pairs; {total:,} in {done['build_s']:.1f} s from starting processes to the "
        f"last pair folded; the worker: {pace.words}"
    )
    waited = f"{done['waited_s'] * 1000:.0f} ms in which the live worker could not write"
    return [
        Result("rebuild", "worker", pace.per_s, "facts/s"),
        Result(
            "rebuild", "build", per_s, "facts/s", per_s / pace.per_s, "rebuild.worker", ">= 2", note
        ),
        Result("rebuild", "swap", done["waited_s"] * 1000, "ms", note=waited),
    ]  # fmt: skip


async def _rebuilt(network: Network) -> dict[str, Any]:
    own = {"TRUSTFOLD_POSTGRES": network.stack.postgres_dsn, **network.environ("insights")}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "shared.cli", "insights", "rebuild", "--json"),
        cwd=ROOT,
        env={**os.environ, **own},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(child.communicate(), TIMEOUT_S)
    if child.returncode:
        raise RuntimeError(f"the command ended with exit code {child.returncode}")
    done: dict[str, Any] = json.loads(out)
    return done
