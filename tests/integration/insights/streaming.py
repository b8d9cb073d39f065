"""A database of insights with API processes on it, for tests of what is live. Holds no test."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from services.insights.app import build
from services.insights.managed import tell_managers
from services.insights.queries import streams
from services.insights.queries.pairs import find_pair
from services.insights.settings import InsightsSettings
from services.insights.surfacing import surface
from shared.clock import FixedClock
from shared.events.envelope import Event
from shared.postgres.pool import Pool, open_pool
from shared.service import Service
from tests.integration.insights.listening import Api
from tests.support.databases import Databases, service_dsn
from tests.support.seeing import seeing
from tests.unit.insights.facts import ACME, PAIR, START, event, kept

TODAY = START + timedelta(days=400)
OWN = f"/v1/pairs/{PAIR}/stream"


@dataclass(frozen=True)
class World:
    """A database of insights, what happens in it, and API processes on it."""

    service: Service
    pool: Pool
    dsn: str
    running: list[Api]

    async def happens(self, *events: Event, day: datetime = TODAY) -> None:
        """Counted, surfaced, and the managers' tick."""
        async with seeing(self.pool) as conn:
            await self.service.apply(conn, events, TODAY)
        while await surface(self.pool):
            pass
        await tell_managers(self.pool, FixedClock(day))

    async def api(self, **environ: str) -> Api:
        """A process, ready."""
        api = Api(self.dsn, {"INSIGHTS_PEOPLE_EVERY_S": "0.05", **environ})
        self.running.append(api)
        await api.start()
        return api

    async def says_much(self) -> None:
        """A megabyte of changes: more than the buffers of a connection hold, soon."""
        body = json.dumps({"pair_id": str(PAIR), "much": "x" * 100_000}).encode()
        async with seeing(self.pool) as conn:
            pair = await find_pair(conn, ACME, PAIR)
            assert pair is not None
            for _ in range(10):
                await streams.say(conn, "service", [(pair, body)])

    async def positions(self, stream: str) -> list[int]:
        async with seeing(self.pool) as conn:
            rows = await conn.fetch(_POSITIONS, stream)
        return [row[0] for row in rows]


NewWorld: TypeAlias = Callable[[], Awaitable[World]]


_POSITIONS = "SELECT position FROM stream_change WHERE stream = $1 ORDER BY 1"


@asynccontextmanager
async def worlds(databases: Databases) -> AsyncIterator[NewWorld]:
    """`await new_world()`: one that nothing has happened in."""
    made: list[tuple[World, str]] = []

    async def make() -> World:
        admin_dsn = await databases.create("insights")
        dsn = service_dsn(admin_dsn, "insights")
        pool = await open_pool(dsn, service="insights", size=4)
        service = build(InsightsSettings(postgres="x", kafka="x"), pool, FixedClock(TODAY))
        made.append((World(service, pool, dsn, []), admin_dsn))
        return made[-1][0]

    try:
        yield make
    finally:
        for world, admin_dsn in made:
            for api in world.running:
                api.kill()
            world.pool.terminate()
            await databases.drop(admin_dsn)


def first_of(pair_id: UUID, day: float = 1) -> Event:
    """The first evidence of a pair."""
    return event(kept(pair_id), day)
