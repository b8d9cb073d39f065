"""A process of its own for each run: started, listened to, and ended when nobody wants the run.

What it needs (the database with its password, which run) goes in over standard input; how far it
is comes out over standard output, a line each. When whoever started it is gone, so is it.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import orjson

from services.matching.domain.run import Run
from services.matching.queries import runs
from shared.clock import Clock
from shared.ids import TenantId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import acting_for, reading_for

NOTE_EVERY_S = 0.5
# Twenty times what the largest organisation of the benchmarks takes.
MOST_S = 3_600.0
TOOK_TOO_LONG = "took_too_long"
CHILD = "services.matching.run_child"


class RunProcesses:
    """Has runs worked out by processes of their own, over the same database."""

    def __init__(
        self, dsn: str, pool: Pool, clock: Clock, *, child: str = CHILD, most_s: float = MOST_S
    ) -> None:
        """`child` is the module that is run; a run may take `most_s`."""
        self._dsn = dsn
        self._pool = pool
        self._clock = clock
        self._child = child
        self._most_s = most_s

    async def execute(self, tenant: TenantId, run: Run) -> str | None:
        """Have the run worked out; a code of what trying again does not mend, or None.

        Returns early, and ends the process, when the run was cancelled meanwhile or takes too long.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", self._child, stdin=PIPE, stdout=PIPE
        )
        limit = asyncio.timeout(self._most_s)
        try:
            assert process.stdin is not None
            process.stdin.write(orjson.dumps(self._order(tenant, run)) + b"\n")
            await process.stdin.drain()
            async with limit:
                return await self._listen(process, tenant, run)
        except TimeoutError:
            if not limit.expired():
                raise
            return TOOK_TOO_LONG
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _order(self, tenant: TenantId, run: Run) -> dict[str, Any]:
        now = self._clock.now().isoformat()
        return {"dsn": self._dsn, "tenant": tenant, "run_id": str(run.run_id), "now": now}

    async def _listen(self, process: Process, tenant: TenantId, run: Run) -> str | None:
        last: tuple[str, int, int] | None = None
        async for line in _lines(process, NOTE_EVERY_S):
            if line is not None:
                said = orjson.loads(line)
                if "failure" in said:
                    return str(said["failure"])
                last = (said["stage"], said["done"], said["total"])
            elif not await self._is_wanted(tenant, run, last):
                return None
        return None

    async def _is_wanted(
        self, tenant: TenantId, run: Run, progress: tuple[str, int, int] | None
    ) -> bool:
        """Note how far it is, and whether anybody still waits for it."""
        if progress is None:
            async with reading_for(self._pool, tenant) as conn:
                found = await runs.find(conn, tenant, run.run_id)
            return found is not None and found.state == "running"
        async with acting_for(self._pool, tenant) as conn:
            return await runs.note(conn, tenant, run, progress)


async def _lines(process: Process, every_s: float) -> AsyncIterator[bytes | None]:
    """What the process says, line by line; None whenever `every_s` went by. Ends with it."""
    assert process.stdout is not None
    loop = asyncio.get_running_loop()
    reading = asyncio.ensure_future(process.stdout.readline())
    due = loop.time() + every_s
    try:
        while True:
            await asyncio.wait({reading}, timeout=max(0.0, due - loop.time()))
            if reading.done():
                line = reading.result()
                if not line:
                    return
                reading = asyncio.ensure_future(process.stdout.readline())
                yield line
            if loop.time() >= due:
                due = loop.time() + every_s
                yield None
    finally:
        reading.cancel()
