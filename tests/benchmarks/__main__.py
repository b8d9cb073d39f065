"""`python -m tests.benchmarks [names...]`: run, print, and at full scale write the page."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from deploy.local.stack import Stack, StackOptions
from tests.benchmarks import (
    bench_audit,
    bench_cold,
    bench_commands,
    bench_decode,
    bench_doors,
    bench_fold,
    bench_hot,
    bench_intake,
    bench_latency,
    bench_matching,
    bench_memory,
    bench_million,
    bench_noisy,
    bench_page,
    bench_per_event,
    bench_planning,
    bench_rebuild,
    bench_relay,
    bench_run,
    bench_scim,
    bench_sending,
    bench_shortlist,
    bench_stream,
    bench_sweeper,
    bench_tokens,
    bench_windows,
    report,
)
from tests.benchmarks.harness import Bench, Result

SEED = 20260105
# In this order: the per-event design is compared with the hot worker of the same run.
BENCHES: dict[str, Callable[[Bench], Coroutine[Any, Any, list[Result]]]] = {
    "fold": bench_fold.measure,
    "decode": bench_decode.measure,
    "hot": bench_hot.measure,
    "per_event": bench_per_event.measure,
    "cold": bench_cold.measure,
    "rebuild": bench_rebuild.measure,
    "relay": bench_relay.measure,
    "latency": bench_latency.measure,
    "stream": bench_stream.measure,
    "page": bench_page.measure,
    "memory": bench_memory.measure,
    "million": bench_million.measure,
    "commands": bench_commands.measure,
    "noisy": bench_noisy.measure,
    "sweeper": bench_sweeper.measure,
    "matching": bench_matching.measure,
    "run": bench_run.measure,
    "shortlist": bench_shortlist.measure,
    "intake": bench_intake.measure,
    "scim": bench_scim.measure,
    "doors": bench_doors.measure,
    "tokens": bench_tokens.measure,
    "planning": bench_planning.measure,
    "sending": bench_sending.measure,
    "windows": bench_windows.measure,
    "audit": bench_audit.measure,
}


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(BENCHES)}")
    parser.add_argument("--scale", choices=("small", "full"), default="full")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--write", action="store_true", help="write the page at any scale")
    asked = parser.parse_args()
    if unknown := set(asked.names) - BENCHES.keys():
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    return asked


def _say(name: str, started: float, text: str) -> None:
    print(f"{time.monotonic() - started:6.0f} s  {name}: {text}", file=sys.stderr, flush=True)


def postgres_version() -> str:
    """The version of the database that the stack brings."""
    import asyncpg

    async def ask(dsn: str) -> str:
        conn = await asyncpg.connect(dsn)
        try:
            return str(await conn.fetchval("SHOW server_version"))
        finally:
            await conn.close()

    with Stack.start(StackOptions(kafka=False), environ={}) as stack:
        return asyncio.run(ask(stack.postgres_dsn))


def main() -> None:
    """Run what was asked for; a benchmark that breaks ends the run, after the table so far."""
    asked = arguments()
    started, before = time.monotonic(), os.getloadavg()[0]
    about = report.machine(postgres_version())
    bench = Bench(asked.scale, asked.seed, print)
    try:
        for name, measure in BENCHES.items():
            if name in asked.names or not asked.names:
                bench.say = partial(_say, name, started)
                bench.results += asyncio.run(measure(bench))
                bench.say("done")
    finally:
        load = (before, os.getloadavg()[0])
        print("\n" + "  ".join(f"{key} {value}" for key, value in about.items()))
        print(f"scale {asked.scale}, seed {asked.seed}, load average {load[0]:.1f}, {load[1]:.1f}")
        print(report.table(bench.results))
    if asked.json:
        found = report.document(bench, about, load)
        asked.json.write_text(json.dumps(found, indent=2) + "\n")
    if asked.write or (asked.scale == "full" and not asked.names):
        report.PAGE.write_text(report.page(bench, about, load))


if __name__ == "__main__":
    main()
