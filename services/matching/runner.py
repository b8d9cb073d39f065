"""Takes runs that wait, has each worked out by a process of its own, and commits what was agreed.

One process of the whole network works on a run at a time. It may die at any point: the lock it held
dies with it, and the next one begins again, or goes on committing where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias

from services.matching.domain.run import Run, State, begin, fail
from services.matching.handlers.committing import commit_some
from services.matching.queries import runs
from shared import metrics
from shared.clock import Clock
from shared.ids import TenantId
from shared.logging import logger
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import act_for_all, acting_for, reading_for

# Works the run out and keeps the result. Returns a code of what trying again does not mend, or
# None; raises, or leaves the run as it is, for what may go well the next time.
Execute: TypeAlias = Callable[[TenantId, Run], Awaitable[str | None]]

# To be worked out, which takes minutes; to be committed, which waits for no such thing.
WORK: tuple[State, ...] = ("queued", "running")
COMMIT: tuple[State, ...] = ("committing",)

log = logger("matching.runner")


class Runner:
    """Does what is to be done about runs, a step at a time; several may do so beside each other."""

    def __init__(self, pool: Pool, clock: Clock, execute: Execute) -> None:
        self._pool = pool
        self._clock = clock
        self._execute = execute

    async def step(self, states: tuple[State, ...] = (*COMMIT, *WORK)) -> bool:
        """Bring the first run in these states on that nobody else works on; False for none."""
        async with self._pool.acquire() as conn:
            for tenant, run in await self._open(conn, states):
                if not await runs.take(conn, run.run_id):
                    continue
                try:
                    return await self._bring_on(tenant, run)
                finally:
                    await asyncio.shield(runs.give_back(conn, run.run_id))
        return False

    async def _open(
        self, conn: Connection, states: tuple[State, ...]
    ) -> list[tuple[TenantId, Run]]:
        async with conn.transaction():
            await act_for_all(conn)
            return await runs.still_open(conn, states)

    async def _bring_on(self, tenant: TenantId, run: Run) -> bool:
        """Whether there was something to do: it may have changed before it was taken."""
        if run.state == "committing":
            return await commit_some(self._pool, tenant, run.run_id, self._clock.now())
        begun = await self._begin(tenant, run)
        if begun is None or begun.state != "running":
            return begun is not None
        said = {"run": str(run.run_id), "attempt": begun.attempt}
        log.info("working", action="run.begin", **said)
        started = time.monotonic()
        failure = await self._execute(tenant, begun)
        outcome = await self._outcome(tenant, begun, failure)
        metrics.RUN_SECONDS.labels(outcome).observe(time.monotonic() - started)
        if failure is not None:
            await self._fail(tenant, begun, failure)
        log.info("worked", action="run.end", failure=failure, **said)
        return True

    async def _outcome(self, tenant: TenantId, run: Run, failure: str | None) -> str:
        """How working on it ended. What still runs has lost its process, and is begun again."""
        if failure is not None:
            return "failed"
        async with reading_for(self._pool, tenant) as conn:
            found = await runs.find(conn, tenant, run.run_id)
        state = found.state if found is not None else "cancelled"
        return {"running": "died", "cancelled": "cancelled"}.get(state, "done")

    async def _begin(self, tenant: TenantId, run: Run) -> Run | None:
        async with acting_for(self._pool, tenant) as conn:
            held = await runs.lock(conn, tenant, run.run_id)
            if held is None or held.state not in ("queued", "running"):
                return None
            begun = replace(begin(held, self._clock.now()), revision=held.revision + 1)
            await runs.save(conn, tenant, begun)
            return begun

    async def _fail(self, tenant: TenantId, run: Run, failure: str) -> None:
        async with acting_for(self._pool, tenant) as conn:
            held = await runs.lock(conn, tenant, run.run_id)
            if held is not None and (held.state, held.attempt) == ("running", run.attempt):
                failed = fail(held, failure, self._clock.now())
                await runs.save(conn, tenant, replace(failed, revision=held.revision + 1))
