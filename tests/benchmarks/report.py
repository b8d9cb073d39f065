"""Figures as a table for the terminal and as `docs/benchmarks.md`. Measures nothing."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from deploy.local.jars import kafka_version
from tests.benchmarks.harness import ROOT, Bench, Result

PAGE = ROOT / "docs" / "benchmarks.md"
TITLES = ("what", "figure", "ratio", "wanted", "how")


def machine(postgres: str) -> dict[str, str]:
    """What the figures were measured on."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in _lines(Path("/proc/cpuinfo"))
            if line.startswith("model name")
        ),
        platform.processor() or platform.machine(),
    )
    return {
        "processor": cpu,
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "Python": platform.python_version(),
        "Apache Kafka": kafka_version(),
        "PostgreSQL": postgres,
    }


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _row(result: Result) -> tuple[str, ...]:
    value = f"{result.value:,.0f}" if result.value >= 100 else f"{result.value:,.2f}"
    ratio = f"{result.ratio:,.2f} x {result.against}" if result.ratio is not None else ""
    return (result.name, f"{value} {result.unit}", ratio, result.wanted, result.note)


def table(results: Sequence[Result]) -> str:
    """The figures in columns."""
    rows = [TITLES, *map(_row, results)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(TITLES))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def document(bench: Bench, about: dict[str, str], load: tuple[float, float]) -> dict[str, Any]:
    """Everything about a run, for `--json`."""
    return {
        "scale": bench.scale,
        "seed": bench.seed,
        "machine": about,
        "load_average": {"before": load[0], "after": load[1]},
        "results": [asdict(result) for result in bench.results],
    }


def page(bench: Bench, about: dict[str, str], load: tuple[float, float]) -> str:
    """The text of `docs/benchmarks.md`."""
    lines = [INTRODUCTION.strip(), "", "## The run", ""]
    lines += [f"- {name}: {value}" for name, value in about.items()]
    lines += [
        f"- scale `{bench.scale}`, seed {bench.seed}",
        f"- load average {load[0]:.1f} before and {load[1]:.1f} after: "
        "broker, database and client share the cores",
        "",
        "## Figures",
        "",
        f"| {' | '.join(TITLES)} |",
        f"|{'---|' * len(TITLES)}",
    ]
    lines += [f"| {' | '.join(_row(result))} |" for result in bench.results]
    return "\n".join([*lines, "", METHOD.strip(), ""])


INTRODUCTION = """
# Benchmarks

`make bench` writes this page. It starts Apache Kafka and PostgreSQL of its own for each group of
figures, fsync on, all on the machine below. A ratio compares two figures of one run; figures of
different runs or machines are not comparable. `wanted` is printed, never asserted.
"""

METHOD = """
## How each is measured
- **hot**: facts about 1,000 pairs wait on the topics. `bare` is aiokafka's `getmany` with the
  worker's fetch settings, in a process of its own, counting records and doing nothing else,
  before and after the worker; the better counts. `worker` is the real process (`run insights
  --role worker`), surfacing included. It is watched from outside, every 50 ms, through the
  offsets it commits with its effects: from the first commit seen to the last, so neither start-up
  nor the first batch is in either figure.
- **cold**: every pair has a row and one fact, surfaced and vacuumed. A second fact for each waits
  on the topics, in another order, so that every fact locks, loads and stores another row. `bare`
  is an unnest upsert of as many rows as wide as the packed state, over rows that are there,
  sorted, 5,000 to a transaction; no evidence, no lock, no load, no Kafka.
- **per_event**: FastStream as its documentation shows it: decode, BEGIN, inbox, SELECT FOR
  UPDATE, fold, UPDATE, COMMIT, send and wait, commit the offset. Same decoding, same fold.
- **relay**: rows wait in the outbox; the real relay process; from the first records seen at the
  ends of the log to the last one acknowledged and settled. `take`, `send` and `settle` are the
  parts of one drain, measured in a process of their own on a quarter of the facts.
- **latency**: real relay, real worker. Eight connections commit one fact a transaction, at its
  due time whether or not the one before was seen; from the answer to that COMMIT until another
  connection reads the pair's state with the fact in it. The clients run on the same cores and are
  in the figure.
- **memory**: resident size of the four processes (API, worker and relay in each), twice a second,
  while insights applies the whole log from its start. The others consume what they read of it:
  notifications the sessions, matching and sessions the trust that insights publishes meanwhile. The
  slope means something at full scale only.
- **million**: the pairs are in the table with states of fifty facts; the real worker reads facts
  about a tenth of them, each another, while its resident size is watched.
- **commands**: sessions as in production: one process of the API or two, one of the worker, one of
  the relay; the load in one more, raw HTTP/1.1 on sixteen connections, an Idempotency-Key with
  every request.
  `bare` is what the database was asked by the same commands, recorded once and sent by asyncpg
  from one process about other pairs, a transaction a command, before and after; the better counts.
  At a fixed rate a request's latency counts from when it was due. CPU is user and system time of
  each process and its children, for each command.
- **sweeper**: copies of one promise that was made over the API; the virtual clock jumps over a
  minute in which a hundredth of them are due, three times. Until the last of their facts is read
  from the topic by a reader of its own.
- **matching**: one organisation drawn from the seed, people in memory, no broker and no database,
  in a process of its own. `total` is candidates, solution and report with its proof. `bare` is
  OR-tools on the same arcs, in turn with ours; of two rounds the better one of each counts.
  `violations` are asked pair by pair of the slow rules. SciPy is asked for a tenth of it.
- **run**: the same people in the database; a run is asked for, its process starts, reads everybody
  at one instant, works, and keeps the result. Then the commit: every pair looked at again, kept,
  and announced to the outbox, a thousand a transaction.
- **fold**, **decode**: in memory, best of five, no broker and no database.
"""
