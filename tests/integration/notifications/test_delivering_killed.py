"""kill -9 of a process that has handed events over and has no answer yet."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

import pytest

from shared.postgres.pool import open_pool
from tests.integration.notifications.hooks import hooks_on, of_pair, seen
from tests.support.databases import ROOT, Databases, service_dsn
from tests.support.receiver import SLOW, Receiver
from tests.support.waiting import until
from tests.unit.notifications.builders import held, scheduled

pytestmark = pytest.mark.stack


async def test_nothing_is_lost_and_what_is_doubled_has_the_same_id(databases: Databases) -> None:
    admin = await databases.create("notifications")
    dsn = service_dsn(admin, "notifications")
    pool = await open_pool(dsn, service="notifications", size=4)
    async with Receiver([SLOW] * 3) as receiver, hooks_on(pool) as hooks:
        await hooks.endpoint(receiver.url)
        firsts = await hooks.tell(*(of_pair(scheduled(), number) for number in range(3)))
        seconds = await hooks.tell(*(of_pair(held(), number) for number in range(3)))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.integration.notifications.hook_process"),
            *(dsn, hooks.clock.now().isoformat()),
            cwd=ROOT,
        )
        try:
            await until(seen(lambda: len(receiver.got), 3), what="three are under way")
        finally:
            process.kill()
            await process.wait()
        receiver.release()

        await hooks.deliver()
        assert sorted(receiver.ids) == sorted(firsts), "before the lease ends nobody takes them"
        hooks.clock.at += timedelta(minutes=5)
        await hooks.deliver()

        assert sorted(receiver.ids) == sorted([*firsts, *firsts, *seconds])
        for first, second in zip(firsts, seconds, strict=True):
            mine = [each for each in receiver.ids if each in (first, second)]
            assert mine == [first, first, second]
        states = await hooks.rows("SELECT state, attempt FROM delivery ORDER BY position")
        assert [tuple(row) for row in states] == [("delivered", 2)] * 3 + [("delivered", 1)] * 3
    pool.terminate()
    await databases.drop(admin)
