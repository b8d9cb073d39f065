"""Two people, the real services on a real stack, and a clock that a story moves. Holds no test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from deploy.local.demo.log import Log
from deploy.local.demo.noise import Record
from deploy.local.network import Network, NetworkOptions
from deploy.local.stack import Stack
from shared.clock import FileClock
from shared.events.envelope import Event, decode, encode, new_event
from shared.events.fact import Fact
from shared.events.topics import FEEDBACK, INSIGHTS, MATCHING, PAIRS, SESSIONS, SESSIONS_GROUP
from shared.ids import PairId, TenantId, new_id
from shared.kafka.lag import CaughtUp
from shared.postgres.pool import Pool, open_pool
from shared.postgres.tenancy import act_for_all
from tests.support.waiting import until

TENANT = TenantId("acme")
GROUPS = {"matching": MATCHING, "sessions": SESSIONS_GROUP, "insights": INSIGHTS}
PACE = {
    "MATCHING_SWEEP_EVERY_S": "0.1",
    "SESSIONS_SWEEP_EVERY_S": "0.1",
    # The clock jumps by weeks here; that is no outage.
    "SESSIONS_OUTAGE_AFTER": "P1000D",
    "INSIGHTS_SURFACE_EVERY_S": "0.1",
}


@dataclass
class Stage:
    """What a story needs: requests of a person, facts of others, time, and the log to read."""

    network: Network
    clock: FileClock
    log: Log
    http: httpx.AsyncClient
    pools: Mapping[str, Pool]
    pair: PairId

    async def ask(
        self,
        method: str,
        person: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        role: str = "participant",
        headers: Mapping[str, str] | None = None,
        service: str = "sessions",
    ) -> httpx.Response:
        """One request of one person."""
        who = self.network.issuer.headers(person, role, TENANT, **(headers or {}))
        url = self.network.url(service) + path.replace("{pair}", str(self.pair))
        return await self.http.request(method, url, json=body, headers=who)

    async def do(
        self, person: str, path: str, body: Mapping[str, object] | None = None, **how: Any
    ) -> dict[str, Any]:
        """A POST that is allowed, and its answer."""
        answer = await self.ask("POST", person, path, body, **how)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return dict(answer.json()) if answer.content else {}

    async def see(self, person: str, path: str, **how: Any) -> Any:
        """A GET that is allowed, and its answer."""
        answer = await self.ask("GET", person, path, **how)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def tell(self, *facts: Fact) -> None:
        """Publish others' facts at the story's time, and wait until all have read them."""
        now = self.clock.now()
        records = []
        for fact in facts:
            event = new_event(
                fact, event_id=new_id(), tenant=TENANT, service=fact.topic.producers[0], now=now
            )
            key, value, headers = encode(event)
            records.append(Record(fact.topic.name, key, value, headers))
        await self.log.send(records)
        await self.read_up(*self.pools)

    async def go_to(self, at: datetime) -> None:
        """Move every clock to `at`, and wait until what is due by then has been decided."""
        self.clock.set(at)

        async def swept() -> bool:
            mark = (await self.see("ops", "/v1/sweeper", role="service"))["swept_until"]
            return mark is not None and datetime.fromisoformat(mark) >= at

        await until(swept, what=f"swept until {at}")

    async def read_up(self, *services: str) -> None:
        """Wait until what is published by now is counted, by one after the other as facts flow."""
        for service in services:
            for name, pool in self.pools.items():
                await until(partial(_relayed, pool), what=f"outbox of {name} empty")
            caught_up = CaughtUp(
                self.pools[service], GROUPS[service], bootstrap=self.network.stack.kafka_bootstrap
            )
            await until(partial(caught_up, 1), what=f"{service} at the end of the log")

    async def events(self, *types: str) -> list[Event]:
        """What is in the log about the pair, in the order of each topic; of some types, or all."""
        records = await self.log.read(topic.name for topic in (SESSIONS, FEEDBACK, PAIRS))
        events = [decode(each.key, each.value, list(each.headers)) for each in records]
        return [event for event in events if not types or event.fact.type in types]

    async def everything(self) -> bytes:
        """Every byte of every topic but the people's: what nobody's words may be in."""
        records = await self.log.read(topic.name for topic in (SESSIONS, FEEDBACK, PAIRS))
        return b"".join((each.key or b"") + (each.value or b"") for each in records)

    async def tables(self, service: str = "sessions") -> str:
        """Every row of every table of a service, as text."""
        pool, found = self.pools[service], []
        async with pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            names = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
            for (table,) in await conn.fetch(names):
                found += [
                    r["row"] for r in await conn.fetch(f'SELECT t::text AS row FROM "{table}" t')
                ]
        return "\n".join(found)


@asynccontextmanager
async def open_stage(
    run_dir: Path, start: datetime, services: Sequence[str] = ("sessions", "insights")
) -> AsyncIterator[Stage]:
    """These services as processes of their own, on a stack of their own."""
    clock = FileClock(run_dir / "clock")
    clock.set(start)
    options = NetworkOptions(clock_file=run_dir / "clock", environ=PACE)
    with Stack.start() as stack, Network(stack, options) as network:
        await network.prepare()
        for service in services:
            network.launch(service)
        for service in services:
            network.wait_ready(service)
        async with (
            Log(stack.kafka_bootstrap) as log,
            httpx.AsyncClient(timeout=30, trust_env=False) as http,
            AsyncExitStack() as opened,
        ):
            pools = {
                service: await opened.enter_async_context(_pool(network, service))
                for service in services
            }
            yield Stage(network, clock, log, http, pools, PairId(new_id()))


@asynccontextmanager
async def _pool(network: Network, service: str) -> AsyncIterator[Pool]:
    async with await open_pool(network.dsn(service), service=service, size=2) as pool:
        yield pool


async def _relayed(pool: Pool) -> bool:
    """Whether every fact that is committed has been acknowledged by the broker."""
    return not await pool.fetchval("SELECT EXISTS (SELECT FROM outbox)")
