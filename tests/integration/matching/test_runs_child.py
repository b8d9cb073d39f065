"""A run in a process of its own is worked out there; whoever dies, nothing is lost or done twice.

The people's table is held where a run has to be caught in the middle of its work.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import orjson
import psutil
import pytest

from deploy.local.stack import Stack
from services.matching.handlers.committing import commit_some
from services.matching.run_child import ORPHANED
from services.matching.run_process import CHILD, RunProcesses
from services.matching.runner import Runner
from shared.ids import TenantId
from shared.postgres.pool import Pool, open_pool
from tests.integration.matching.conftest import Matching, mentee, mentor
from tests.support.databases import service_dsn, with_database
from tests.support.waiting import until

pytestmark = pytest.mark.stack
SLOW = "tests.support.slow_run"
RUNS = "/v1/programmes/spring/runs"


async def dsn_of(matching: Matching, stack: Stack) -> str:
    name = await matching.kept("SELECT current_database()")
    return service_dsn(with_database(stack.postgres_dsn, name), "matching")


@pytest.fixture
async def dsn(matching: Matching, stack: Stack) -> str:
    return await dsn_of(matching, stack)


async def asked_for(matching: Matching) -> str:
    """The path of a run over Ann and Ben that nobody has begun."""
    await matching.hears(mentor("ann"), mentee("ben"))
    await matching.programme()
    return f"/v1/runs/{(await matching.post(RUNS, {}, role='manager')).json()['run_id']}"


def worker(matching: Matching, pool: Pool, dsn: str) -> Runner:
    return Runner(pool, matching.clock, RunProcesses(dsn, pool, matching.clock).execute)


@asynccontextmanager
async def held_up(matching: Matching) -> AsyncIterator[None]:
    """Whoever reads people waits until the context ends."""
    async with matching.pool.acquire() as conn, conn.transaction():
        await conn.execute("LOCK TABLE person IN ACCESS EXCLUSIVE MODE")
        yield


def children(module: str = CHILD) -> list[psutil.Process]:
    return [
        child for child in psutil.Process().children(recursive=True) if module in child.cmdline()
    ]


async def at_work(matching: Matching) -> None:
    """Wait until the child stands before the people's table."""
    waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'person'::regclass AND NOT granted"
    await until(lambda: matching.kept(waiting), what="a child that reads people")


async def test_a_run_is_worked_out_by_a_process_of_its_own(matching: Matching, dsn: str) -> None:
    run = await asked_for(matching)

    assert await worker(matching, matching.pool, dsn).step() is True

    seen = (await matching.get(run)).json()
    assert (seen["state"], seen["pairs"], seen["attempt"]) == ("ready", 1, 1)
    assert children() == []


async def test_cancelling_ends_the_process(matching: Matching, dsn: str) -> None:
    run = await asked_for(matching)
    async with held_up(matching):
        step = asyncio.create_task(worker(matching, matching.pool, dsn).step())
        await at_work(matching)
        assert len(children()) == 1

        await matching.post(f"{run}/cancel", role="manager")

        assert await step is True
        assert children() == []
    assert (await matching.get(run)).json()["state"] == "cancelled"
    assert (await matching.get(f"{run}/report")).status_code == 404


async def test_how_far_the_process_is_can_be_followed_until_somebody_cancels(
    matching: Matching, dsn: str
) -> None:
    run = await asked_for(matching)
    processes = RunProcesses(dsn, matching.pool, matching.clock, child=SLOW)
    step = asyncio.create_task(Runner(matching.pool, matching.clock, processes.execute).step())
    stream = asyncio.create_task(matching.get(f"{run}/progress"))

    async def is_far() -> bool:
        return bool((await matching.get(run)).json()["progress"]["done"])

    await until(is_far, what="how far it is noted")
    far = (await matching.get(run)).json()
    assert far["progress"] == {"stage": "candidates", "done": 3, "total": 10}
    await matching.post(f"{run}/cancel", role="manager")

    assert await step is True
    told = [
        orjson.loads(line.removeprefix("data: "))
        for line in (await stream).text.splitlines()
        if line.startswith("data: ")
    ]
    assert (told[0]["state"], told[-1]["state"]) in {
        ("queued", "cancelled"),
        ("running", "cancelled"),
    }
    assert all(before != after for before, after in pairwise(told))
    assert children(SLOW) == []


async def test_a_run_that_takes_too_long_is_ended_and_has_failed(
    matching: Matching, dsn: str
) -> None:
    run = await asked_for(matching)
    processes = RunProcesses(dsn, matching.pool, matching.clock, child=SLOW, most_s=0.01)

    await Runner(matching.pool, matching.clock, processes.execute).step()

    seen = (await matching.get(run)).json()
    assert (seen["state"], seen["failure"], seen["attempt"]) == ("failed", "took_too_long", 1)
    assert children(SLOW) == []


async def test_a_process_that_is_killed_is_followed_by_another(
    matching: Matching, dsn: str
) -> None:
    run = await asked_for(matching)
    runner = worker(matching, matching.pool, dsn)
    async with held_up(matching):
        step = asyncio.create_task(runner.step())
        await at_work(matching)
        children()[0].kill()
        await step
    assert (await matching.get(run)).json()["state"] == "running"

    await runner.step()

    seen = (await matching.get(run)).json()
    assert (seen["state"], seen["attempt"], seen["pairs"]) == ("ready", 2, 1)


async def test_a_worker_that_is_gone_is_followed_by_another(matching: Matching, dsn: str) -> None:
    run = await asked_for(matching)
    gone = await open_pool(dsn, service="matching", size=2)
    async with held_up(matching):
        step = asyncio.create_task(worker(matching, gone, dsn).step())
        await at_work(matching)
        # Nobody takes it over while its worker lives.
        assert await worker(matching, matching.pool, dsn).step() is False
        step.cancel()
        gone.terminate()
        await asyncio.wait({step})
        await until(lambda: free(matching), what="the lock of the dead worker given back")

    assert await worker(matching, matching.pool, dsn).step() is True

    seen = (await matching.get(run)).json()
    assert (seen["state"], seen["attempt"], seen["pairs"]) == ("ready", 2, 1)


async def free(matching: Matching) -> bool:
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    return not await matching.kept(held)


async def test_a_process_whose_worker_is_gone_ends_too(matching: Matching, dsn: str) -> None:
    """Seen to fail without the thread that waits for the end of standard input."""
    run = await asked_for(matching)
    await matching.kept("UPDATE run SET state = 'running', attempt = 1 RETURNING 1")
    order = {
        "dsn": dsn,
        "tenant": "acme",
        "run_id": run.rpartition("/")[2],
        "now": matching.clock.now().isoformat(),
    }
    async with held_up(matching):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", CHILD, stdin=PIPE, stdout=PIPE
        )
        assert child.stdin is not None
        child.stdin.write(orjson.dumps(order) + b"\n")
        await child.stdin.drain()
        await at_work(matching)

        child.stdin.close()

        assert await asyncio.wait_for(child.wait(), 30) == ORPHANED


async def test_a_commit_that_is_killed_goes_on_where_it_was(matching: Matching, dsn: str) -> None:
    await matching.hears(*(mentor(f"m{n}") for n in range(5)), *(mentee(f"n{n}") for n in range(5)))
    run = await matching.run()
    await matching.post(f"{run}/commit", role="manager")
    run_id = (await matching.rows("SELECT run_id FROM run"))[0]["run_id"]
    now = matching.clock.now()
    await commit_some(matching.pool, TenantId("acme"), run_id, now, batch=2)
    assert len(await matching.announced()) == 2
    async with matching.pool.acquire() as conn, conn.transaction():
        await conn.execute("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE")
        step = asyncio.create_task(
            commit_some(matching.pool, TenantId("acme"), run_id, now, batch=2)
        )
        waiting = (
            "SELECT count(*) FROM pg_locks WHERE relation = 'outbox'::regclass AND NOT granted"
        )
        await until(lambda: matching.kept(waiting), what="a batch in the middle of its work")
        step.cancel()
        await asyncio.wait({step})

    done = await matching.commit(run)

    assert done["became"] == {"proposed": 5}
    mentees = [event.fact.model_dump()["mentee_id"] for event in await matching.announced()]
    assert sorted(mentees) == [f"n{n}" for n in range(5)]
