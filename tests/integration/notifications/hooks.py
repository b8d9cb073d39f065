"""Endpoints over HTTP, facts by `fan_out`, and a deliverer that is driven step by step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import httpx

from services.notifications.api import build_api, endpoints
from services.notifications.channels.guarded_http import GuardedHttp, HttpLimits
from services.notifications.delivering import Deliverer, DeliveryLimits
from services.notifications.domain.web_address import Reach
from services.notifications.handlers.fan_out import fan_out
from shared.clock import FixedClock
from shared.events.envelope import Event
from shared.events.fact import Fact
from shared.ids import PairId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import act_for_all
from tests.support.callers import as_, signed_in
from tests.unit.notifications.builders import START, happened

INSIDE = Reach(http=True, any_port=True, networks=(ip_network("127.0.0.0/8"),))
BOSS = as_("boss", "manager")
STRANGER = as_("boss", "manager", "other")


@dataclass
class Hooks:
    """One process of the service, as far as endpoints go. `again` is another one."""

    pool: Pool
    clock: FixedClock
    http: httpx.AsyncClient
    client: GuardedHttp
    deliverer: Deliverer
    told: list[Event] = field(default_factory=list)

    def again(self, **limits: Any) -> Deliverer:
        return deliverer_on(self.pool, self.clock, self.client, **limits)

    async def endpoint(self, url: str, *types: str, **headers: str) -> dict[str, Any]:
        body = {"url": url, "types": types or ["*"]}
        answer = await self.http.post("/v1/endpoints", json=body, headers={**BOSS, **headers})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def get(self, path: str, **params: Any) -> dict[str, Any]:
        answer = await self.http.get(path, headers=BOSS, params=params)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def log(self, made: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
        """The delivery log, the oldest first."""
        path = f"/v1/endpoints/{made['endpoint_id']}/deliveries"
        return list(reversed((await self.get(path, **params))["items"]))

    async def view(self, made: dict[str, Any]) -> dict[str, Any]:
        return await self.get(f"/v1/endpoints/{made['endpoint_id']}")

    async def change(self, made: dict[str, Any], **body: Any) -> httpx.Response:
        revision = (await self.view(made))["revision"]
        return await self.http.patch(
            f"/v1/endpoints/{made['endpoint_id']}",
            json=body,
            headers={**BOSS, "If-Match": f'"{revision}"'},
        )

    async def tell(self, *facts: Fact) -> list[str]:
        """Facts happen; their event ids, which are the webhook-ids."""
        number = len(self.told)
        events = [
            happened(fact, at=self.clock.now(), number=number + place)
            for place, fact in enumerate(facts)
        ]
        return await self.fan_out(*events)

    async def fan_out(self, *events: Event) -> list[str]:
        self.told += events
        async with self.pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            await fan_out(conn, events, self.clock.now())
        return [str(event.event_id) for event in events]

    async def deliver(self, deliverer: Deliverer | None = None) -> None:
        """Send all that is due, and wait for the answers."""
        deliverer = deliverer or self.deliverer
        while await deliverer.step() or deliverer.under_way:
            pass

    async def rows(self, statement: str, *args: object) -> list[Any]:
        """What a query finds among all tenants."""
        async with self.pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            return list(await conn.fetch(statement, *args))

    def pass_time(self, **parts: float) -> None:
        self.clock.at += timedelta(**parts)


def deliverer_on(
    pool: Pool, clock: FixedClock, client: GuardedHttp, chance: float = 0.0, **limits: Any
) -> Deliverer:
    return Deliverer(pool, clock, client, INSIDE, DeliveryLimits(**limits), lambda: chance)


@asynccontextmanager
async def hooks_on(pool: Pool, *, timeout_s: float = 5.0, **limits: Any) -> AsyncIterator[Hooks]:
    clock = FixedClock(START)
    api = build_api(clock, [endpoints.build_router(pool, INSIDE)])
    client = GuardedHttp(INSIDE, HttpLimits(timeout_s, 64))
    deliverer = deliverer_on(pool, clock, client, **limits)
    transport = httpx.ASGITransport(signed_in(api))
    async with httpx.AsyncClient(transport=transport, base_url="http://notifications") as http:
        yield Hooks(pool, clock, http, client, deliverer)
    await deliverer.aclose()
    await client.aclose()


def of_pair(fact: Fact, number: int) -> Fact:
    """The fact about another pair."""
    return fact.model_copy(update={"pair_id": PairId(UUID(int=1_000 + number))})


def seen(receiver_ids: Callable[[], int], count: int) -> Callable[[], Awaitable[bool]]:
    """A condition to wait for: so many requests have come in."""

    async def enough() -> bool:
        return receiver_ids() >= count

    return enough
