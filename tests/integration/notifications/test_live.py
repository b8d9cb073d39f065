"""An inbox that is looked at: what comes is seen, whichever process wrote it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from services.notifications.live import Live
from services.notifications.rendering import Templates
from shared.ids import PersonId
from shared.postgres.pool import Pool
from tests.integration.notifications.rig import Rig
from tests.integration.notifications.test_api import BO, over_http
from tests.support.waiting import until
from tests.unit.notifications.builders import MENTEE, MENTOR, TENANT, held, proposed, started

pytestmark = pytest.mark.stack


@dataclass
class Looking:
    """What somebody who looks at an inbox has seen of it."""

    seen: list[tuple[str, Any]] = field(default_factory=list)
    alive: int = 0

    async def sees(self, count: int, event: str) -> list[Any]:
        async def enough() -> object:
            return len(self.of(event)) >= count

        await until(enough, what=f"seen {count} {event}, but {self.seen}")
        return self.of(event)

    def of(self, event: str) -> list[Any]:
        return [data for name, data in self.seen if name == event]


@asynccontextmanager
async def looking(live: Live, person: PersonId = MENTEE) -> AsyncIterator[Looking]:
    found = Looking()

    async def look() -> None:
        async for block in live.stream(TENANT, person):
            if block.startswith(b":"):
                found.alive += 1
                continue
            event, _, data = block.decode().strip().partition("\n")
            said = event.removeprefix("event: "), orjson.loads(data.removeprefix("data: "))
            found.seen.append(said)

    task = asyncio.create_task(look())
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def serving(pool: Pool, heartbeat_s: float = 15.0) -> AsyncIterator[Live]:
    live, stopping = Live(pool, Templates(), heartbeat_s), asyncio.Event()
    running = asyncio.create_task(live.run(stopping))
    try:
        yield live
    finally:
        stopping.set()
        await running


async def test_what_is_unread_comes_first_and_then_each_message_as_it_comes(rig: Rig) -> None:
    await rig.everybody_joins()
    await rig.tell(proposed())
    async with serving(rig.pool) as live, looking(live) as bo:
        (inbox,) = await bo.sees(1, "inbox")
        await rig.tell(held())
        (came,) = await bo.sees(1, "message")

    assert (inbox["unread"], len(inbox["items"])) == (1, 1)
    assert came["workflow"] == "session_held"
    assert bo.of("unread") == [{"unread": 2}]


async def test_what_is_read_elsewhere_is_read_here(rig: Rig) -> None:
    await rig.tell(held())
    async with serving(rig.pool) as live, looking(live) as bo, over_http(rig) as http:
        (inbox,) = await bo.sees(1, "inbox")
        (item,) = inbox["items"]
        await http.post(f"/v1/inbox/{item['message_id']}/read", headers=BO)

        assert await bo.sees(1, "unread") == [{"unread": 0}]


async def test_nobody_is_woken_by_what_is_for_somebody_else(rig: Rig) -> None:
    await rig.everybody_joins()
    async with serving(rig.pool) as live, looking(live) as bo, looking(live, MENTOR) as zoe:
        await bo.sees(1, "inbox")
        await zoe.sees(1, "inbox")
        await rig.change("SELECT pg_notify('inbox', 'other/bo')")
        await rig.tell(started())
        (to_bo,) = await bo.sees(1, "message")
        (to_zoe,) = await zoe.sees(1, "message")

    assert to_bo["message_id"] != to_zoe["message_id"]


async def test_what_came_while_the_listener_was_cut_off_is_seen(rig: Rig) -> None:
    async with serving(rig.pool) as live, looking(live) as bo:
        await bo.sees(1, "inbox")

        async def is_listening() -> object:
            return await rig.rows(
                "SELECT FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
                " AND pid <> pg_backend_pid() AND datname = current_database()"
            )

        await until(is_listening, what="listening")
        await rig.change(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            " AND pid <> pg_backend_pid() AND datname = current_database()"
        )
        await rig.tell(held())

        assert await bo.sees(1, "message")


async def test_a_quiet_inbox_says_that_it_is_there(rig: Rig) -> None:
    async with serving(rig.pool, heartbeat_s=0.05) as live, looking(live) as bo:

        async def is_alive() -> object:
            return bo.alive

        await until(is_alive, what="a sign of life")


async def test_streams_end_when_the_process_does(rig: Rig) -> None:
    async with serving(rig.pool) as live:
        stream = live.stream(TENANT, MENTEE)
        await anext(stream)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
