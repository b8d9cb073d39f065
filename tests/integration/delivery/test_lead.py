"""Who leads: one relay of a service, by a lock that goes back with its connection."""

from __future__ import annotations

import asyncio

import asyncpg

from deploy.local.stack import Stack
from shared.kafka.producer import Producer
from shared.postgres.pool import Connection
from shared.relay import Relay
from tests.conftest import MakePool
from tests.support.waiting import until


class _FailsOnce(Relay):
    """A relay whose first drain is cancelled by the database; its connection stays good."""

    drains = 0
    again: asyncio.Event

    async def drain(self, conn: Connection) -> int:
        self.drains += 1
        if self.drains == 1:
            raise asyncpg.QueryCanceledError("canceling statement due to statement timeout")
        self.again.set()
        return 0


async def test_a_relay_leads_again_while_another_uses_the_connection_it_led_by(
    stack: Stack, service_pool: MakePool
) -> None:
    """Seen to fail (nobody ever leads again) without `_give_up` in the relay."""
    pool = await service_pool("sessions")
    relay = _FailsOnce("sessions", pool, Producer(stack.kafka_bootstrap, client_id="test"))
    relay.again = asyncio.Event()
    running = asyncio.create_task(relay.run())

    async def given_back() -> bool:
        return relay.drains == 1 and pool.get_idle_size() == pool.get_size()

    await until(given_back, what="the connection given back")
    # The pool hands out first what came back last.
    async with pool.acquire(), asyncio.timeout(10):
        await relay.again.wait()
    relay.stop()
    await running
