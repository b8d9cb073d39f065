"""A stack of its own for each fault test, with the two processes under test: relay and worker."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import pytest

from deploy.local.network import Network, NetworkOptions
from deploy.local.stack import Stack
from shared.postgres.pool import open_pool
from shared.postgres.tenancy import SEES_ALL
from tests.faults.load import Load, Size

RELAY, WORKER = ("sessions", "relay"), ("insights", "worker")
UnderLoad: TypeAlias = Callable[[Size, int], AbstractAsyncContextManager[tuple[Network, Load]]]


@pytest.fixture
async def under_load() -> UnderLoad:
    """`async with under_load(size, seed) as (network, load)`."""

    @asynccontextmanager
    async def start(size: Size, seed: int) -> AsyncIterator[tuple[Network, Load]]:
        with Stack.start(environ={}) as stack:
            network = Network(stack, NetworkOptions())
            await network.prepare()
            sessions = await open_pool(network.dsn("sessions"), service="sessions", size=12)
            insights = await open_pool(
                network.dsn("insights"), service="insights", size=4, settings=SEES_ALL
            )
            try:
                with network:
                    for service, role in (RELAY, WORKER):
                        network.launch(service, role)
                    yield network, Load(sessions, insights, size, random.Random(seed))
            finally:
                sessions.terminate()
                insights.terminate()

    return start
