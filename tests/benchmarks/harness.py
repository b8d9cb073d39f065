"""What every benchmark shares: scale, seed, results, a network of its own, child processes.

A figure is compared only with figures of the same run. Nothing here fails because it was slow.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from deploy.local.network import SERVICES, Network, NetworkOptions
from deploy.local.process import Process
from deploy.local.stack import Stack
from shared.postgres.pool import Pool, open_pool
from shared.postgres.tenancy import SEES_ALL
from tests.support import callers

ROOT = Path(__file__).parents[2]
POLL_S = 0.05
TIMEOUT_S = 900.0
SAY_EVERY_S = 5.0

# Where nobody calls the services over HTTP, each takes whatever port is free when it starts.
ANY_PORT = {f"{service.upper()}_HTTP_PORT": "0" for service in SERVICES}

Scale = Literal["small", "full"]


@dataclass(frozen=True, slots=True)
class Result:
    """One figure. `ratio` is to what `against` names, of the same run; `wanted` is printed only."""

    bench: str
    what: str
    value: float
    unit: str
    ratio: float | None = None
    against: str = ""
    wanted: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        return f"{self.bench}.{self.what}"


@dataclass(frozen=True, slots=True)
class Pace:
    """How a count grew from its first observation above zero to its end."""

    started_s: float
    first_s: float
    first: int
    last_s: float
    last: int

    @property
    def per_s(self) -> float:
        """Between the first observation and the last: neither start-up nor the first batch."""
        return (self.last - self.first) / max(self.last_s - self.first_s, 1e-9)

    @property
    def words(self) -> str:
        """What was left out of `per_s`, for the note beside the figure."""
        waited, took = self.first_s - self.started_s, self.last_s - self.first_s
        return f"{self.last - self.first:,} in {took:.2f} s; first seen after {waited:.1f} s"


@dataclass
class Bench:
    """One run of the benchmarks: its sizes, its seed, and what it found so far."""

    scale: Scale
    seed: int
    say: Callable[[str], None]
    results: list[Result] = field(default_factory=list)

    def size(self, *, small: int, full: int) -> int:
        """A size for the scale that was asked for."""
        return full if self.scale == "full" else small

    def found(self, name: str) -> float | None:
        """A figure measured earlier in this run, by `bench.what`."""
        return next((result.value for result in self.results if result.name == name), None)

    @asynccontextmanager
    async def network(self, *, called: bool = False) -> AsyncIterator[Network]:
        """A broker and a database of this benchmark's own, prepared, no service running.

        `called` is whether somebody calls the services over HTTP.
        """
        self.say("starting broker and database")
        with Stack.start(environ={}) as stack:
            network = Network(
                stack, NetworkOptions(environ={} if called else ANY_PORT, issuer=callers.issuer)
            )
            await network.prepare()
            with network:
                yield network

    async def watch(
        self, count: Callable[[], Awaitable[int]], total: int, process: Process
    ) -> Pace:
        """Look at `count` until it reaches `total`, saying now and then how far it is."""
        started = said = time.perf_counter()
        first = first_s = 0.0
        while True:
            seen, now = await count(), time.perf_counter()
            if seen and not first:
                first, first_s = seen, now
            if seen >= total:
                return Pace(started, first_s, int(first), now, seen)
            if not process.alive or now - started > TIMEOUT_S:
                raise RuntimeError(f"{seen:,} of {total:,}, then no more\n{process.log_tail()}")
            if now - said > SAY_EVERY_S:
                said = now
                self.say(f"{seen:,} of {total:,}")
            await asyncio.sleep(POLL_S)


@asynccontextmanager
async def pool_of(network: Network, service: str, size: int = 4) -> AsyncIterator[Pool]:
    """A pool of the service's own role that sees every tenant, for looking and for filling."""
    pool = await open_pool(network.dsn(service), service=service, size=size, settings=SEES_ALL)
    try:
        yield pool
    finally:
        await pool.close()


async def in_child(module: str, **arguments: object) -> dict[str, Any]:
    """Run `tests.benchmarks.<module>` in a fresh process; what it printed, as JSON."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"tests.benchmarks.{module}",
        json.dumps(arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        out, _ = await asyncio.wait_for(child.communicate(), TIMEOUT_S)
    finally:
        if child.returncode is None:
            child.kill()
    if child.returncode:
        raise RuntimeError(f"{module} ended with exit code {child.returncode}")
    answer: dict[str, Any] = json.loads(out)
    return answer
