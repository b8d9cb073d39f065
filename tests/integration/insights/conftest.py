"""Insights on a real database: its facts, its API, and what waits in its outbox. Holds no test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from deploy.local.stack import Stack
from services.insights.app import build
from services.insights.projection.place import Place
from services.insights.settings import InsightsSettings
from services.insights.surfacing import surface
from shared.clock import FixedClock, SystemClock
from shared.events.envelope import Event, decode
from shared.events.insights import TrustChanged
from shared.events.topics import every_topic
from shared.postgres import outbox
from shared.postgres.pool import Pool, open_pool
from shared.postgres.tenancy import SEES_ALL
from shared.service import Service
from tests.conftest import MakePool, MakeTopics
from tests.integration.insights.live import Live
from tests.integration.insights.streaming import NewWorld, World, worlds
from tests.support import callers
from tests.support.databases import Databases, service_dsn
from tests.support.seeing import seeing
from tests.unit.insights.facts import ACME, ANN, PAIR, START

TODAY = START + timedelta(days=400)
TRUST = f"/v1/pairs/{PAIR}/trust"
PROJECTIONS = {
    "participant": f"{TRUST}/shared",
    "manager": f"{TRUST}/managed",
    "service": TRUST,
}


@dataclass(frozen=True)
class Insights:
    """The service under test, driven from both of its edges."""

    service: Service
    pool: Pool
    http: httpx.AsyncClient

    async def hears(self, events: Sequence[Event]) -> None:
        """One batch in one transaction, as the delivery opens it."""
        async with seeing(self.pool) as conn:
            await self.service.apply(conn, events, TODAY)

    async def surfaces(self) -> list[TrustChanged]:
        """Surface until nothing is left; the facts that then wait in the outbox, taken from it."""
        while await surface(self.pool):
            pass
        return [self.trust_in(event) for event in await self.published()]

    @staticmethod
    def trust_in(event: Event) -> TrustChanged:
        assert isinstance(event.fact, TrustChanged)
        return event.fact

    async def published(self) -> list[Event]:
        """What waits in the outbox, taken from it."""
        async with seeing(self.pool) as conn:
            waiting = await outbox.take(conn, 10_000)
            await outbox.settle(conn, [each.position for each in waiting])
        return [decode(each.key, each.value, each.headers) for each in waiting]

    async def rows(self, table: str) -> list[dict[str, Any]]:
        async with seeing(self.pool) as conn:
            return [dict(row) for row in await conn.fetch(f"SELECT * FROM {table} ORDER BY 1, 2")]

    async def get(
        self, path: str, as_: str = ANN, role: str = "participant", tenant: str = ACME
    ) -> httpx.Response:
        headers = callers.as_(as_, role, tenant)
        return await self.http.get(path, headers=headers)

    async def trust(self, as_: str = ANN, role: str = "participant", **query: str) -> Any:
        """The answer to "how does the pair stand", which must be one."""
        path = f"{PROJECTIONS[role]}?{httpx.QueryParams(query)}"
        answer = await self.get(path, as_, role)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
async def insights(service_pool: MakePool) -> AsyncIterator[Insights]:
    pool = await service_pool("insights")
    settings = InsightsSettings(postgres="unused", kafka="unused")
    service = build(settings, pool, FixedClock(TODAY))
    transport = httpx.ASGITransport(callers.signed_in(service.api))
    async with httpx.AsyncClient(transport=transport, base_url="http://insights") as http:
        yield Insights(service, pool, http)


@pytest.fixture
async def live(stack: Stack, databases: Databases, make_topics: MakeTopics) -> AsyncIterator[Live]:
    """Insights with a log and a database of its own; `live.worker()` starts its worker."""
    admin_dsn = await databases.create("insights")
    dsn = service_dsn(admin_dsn, "insights")
    pool = await open_pool(dsn, service="insights", size=8)
    seen = await open_pool(dsn, service="insights", size=4, settings=SEES_ALL)
    namespace = await make_topics(every_topic())
    place = Place(dsn, admin_dsn, stack.kafka_bootstrap, SystemClock())
    running = Live(place, namespace, pool, seen)
    try:
        yield running
    finally:
        await running.close()
        seen.terminate()
        pool.terminate()
        await databases.drop(admin_dsn)


@pytest.fixture
async def new_world(databases: Databases) -> AsyncIterator[NewWorld]:
    async with worlds(databases) as new:
        yield new


@pytest.fixture
async def world(new_world: NewWorld) -> World:
    return await new_world()
