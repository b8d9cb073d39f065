"""Matching on a real database: its API, its facts, and what waits in its outbox. Holds no test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.matching.app import build
from services.matching.computing import compute
from services.matching.domain.run import Run
from services.matching.runner import Runner
from services.matching.settings import MatchingSettings
from shared.clock import FixedClock
from shared.events.envelope import Event, decode, encode, new_event
from shared.events.fact import Fact
from shared.events.people import PersonJoined, PersonState
from shared.ids import TenantId, new_id
from shared.postgres import outbox
from shared.postgres.pool import Pool
from shared.postgres.tenancy import act_for_all
from shared.service import Service
from tests.conftest import MakePool
from tests.support.callers import as_, signed_in

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACME = TenantId("acme")
NINE_TO_FIVE = [{"weekday": day, "from_minute": 540, "until_minute": 1020} for day in range(1, 6)]


_MADE = """
    SELECT pair_id FROM pair WHERE run_id = $1::text::uuid
    ORDER BY fit_permille DESC, mentee_id, mentor_id
"""


@dataclass(frozen=True)
class Matching:
    """The service under test, driven from both of its edges."""

    service: Service
    pool: Pool
    clock: FixedClock
    http: httpx.AsyncClient

    async def hears(
        self, *facts: Fact, at: datetime | None = None, tenant: TenantId = ACME
    ) -> None:
        """The facts arrive, one batch, as if they had happened at `at`."""
        await self.delivers(
            *(
                new_event(
                    fact, event_id=new_id(), tenant=tenant, service="hr", now=at or self.clock.now()
                )
                for fact in facts
            )
        )

    async def delivers(self, *events: Event) -> None:
        """One transaction, as the delivery opens it, of events as they come off the wire."""
        come = [decode(*encode(event)) for event in events]
        async with self.pool.acquire() as conn, conn.transaction():
            await self.service.apply(conn, come, self.clock.now())

    async def get(
        self, path: str, as_: str = "boss", role: str = "manager", tenant: str = ACME
    ) -> httpx.Response:
        return await self.http.get(path, headers=caller(as_, role, tenant))

    async def post(
        self,
        path: str,
        body: object = None,
        as_: str = "boss",
        role: str = "participant",
    ) -> httpx.Response:
        return await self.http.post(path, json=body, headers=caller(as_, role, ACME))

    async def programme(self, programme_id: str = "spring", **settings: Any) -> None:
        """A programme with these settings, whatever it was before."""
        path = f"/v1/programmes/{programme_id}"
        before = await self.get(path)
        seen = {"If-Match": before.headers["ETag"]} if before.is_success else {}
        headers = caller("boss", "manager", ACME) | seen
        body = {"name": "Spring", "settings": settings}
        answer = await self.http.put(path, json=body, headers=headers)
        assert answer.is_success, answer.text

    async def run(self, **wish: Any) -> str:
        """The path of a run that a worker has worked out, in this process."""
        if not (await self.get("/v1/programmes/spring")).is_success:
            await self.programme()
        asked = await self.post("/v1/programmes/spring/runs", wish, role="manager")
        assert asked.status_code == 202, asked.text
        path = f"/v1/runs/{asked.json()['run_id']}"
        await self._worked_on(path)
        return path

    async def commit(self, run: str) -> dict[str, Any]:
        """The run, committed by a manager and made by a worker."""
        asked = await self.post(f"{run}/commit", role="manager")
        assert asked.status_code == 202, asked.text
        return await self._worked_on(run)

    async def _worked_on(self, run: str) -> dict[str, Any]:
        """The run, once neither this worker nor another has anything to do with it."""
        while True:
            await self.runner().step()
            seen: dict[str, Any] = (await self.get(run)).json()
            if seen["state"] not in ("queued", "running", "committing"):
                return seen

    async def match(self, **wish: Any) -> dict[str, Any]:
        """A run that is committed: what it proposed, best first, and who got nobody, and why."""
        run = await self.run(**wish)
        await self.commit(run)
        made = [row["pair_id"] for row in await self.rows(_MADE, run.rpartition("/")[2])]
        proposed = [(await self.get(f"/v1/pairs/{pair_id}")).json() for pair_id in made]
        unmatched = (await self.get(f"{run}/unmatched")).json()["unmatched"]
        shown = [{name: one[name] for name in ("person_id", "reason")} for one in unmatched]
        return {"proposed": proposed, "unmatched": shown}

    def runner(self) -> Runner:
        """A worker's, which works runs out without a process of their own."""

        async def execute(tenant: TenantId, run: Run) -> None:
            await compute(self.pool, tenant, run, self.clock.now(), lambda *_: None)

        return Runner(self.pool, self.clock, execute)

    async def rows(self, statement: str, *args: object) -> list[Any]:
        """The rows of a statement that sees every tenant."""
        async with self.pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            return list(await conn.fetch(statement, *args))

    async def proposed_pair(self) -> str:
        """The path of a pair of `ann` (mentor) and `ben`, proposed."""
        await self.hears(mentor("ann"), mentee("ben"))
        return f"/v1/pairs/{(await self.match())['proposed'][0]['pair_id']}"

    async def accepted_pair(self) -> str:
        path = await self.proposed_pair()
        for member in ("ann", "ben"):
            assert (await self.post(f"{path}/accept", as_=member)).status_code == 200
        return path

    async def started_pair(self) -> str:
        path = await self.accepted_pair()
        assert (await self.post(f"{path}/start", as_="ann")).status_code == 200
        return path

    async def announced(self) -> list[Event]:
        """What waits to be published, read back as a consumer would."""
        async with self.pool.acquire() as conn:
            waiting = await outbox.take(conn, 1000)
        return [decode(one.key, one.value, one.headers) for one in waiting]

    async def kept(self, statement: str) -> Any:
        """The one value of a statement that sees every tenant."""
        async with self.pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            return await conn.fetchval(statement)

    async def announced_types(self) -> list[str]:
        return [event.fact.type for event in await self.announced()]


@pytest.fixture
async def matching(service_pool: MakePool) -> AsyncIterator[Matching]:
    async with matching_with(await service_pool("matching")) as running:
        yield running


@asynccontextmanager
async def matching_with(pool: Pool, **settings: Any) -> AsyncIterator[Matching]:
    """The service with these settings."""
    clock, known = FixedClock(START), {"postgres": "unused", "kafka": "unused"}
    service = build(MatchingSettings.model_validate(known | settings), pool, clock)
    transport = httpx.ASGITransport(app=signed_in(service.api))
    async with httpx.AsyncClient(transport=transport, base_url="http://matching") as http:
        yield Matching(service, pool, clock, http)


def caller(person: str, role: str, tenant: str) -> dict[str, str]:
    return as_(person, role, tenant=tenant)


def state(person_id: str, **changes: Any) -> dict[str, Any]:
    """The fields of a person's fact."""
    return {
        "person_id": person_id,
        "email": f"{person_id}@example.org",
        "display_name": person_id.title(),
        "timezone": "Europe/London",
        "hours": NINE_TO_FIVE,
        **changes,
    }


def mentor(person_id: str, capacity: int = 1, **changes: Any) -> PersonState:
    part = {"roles": ["mentor"], "capacity": capacity, "offers": ["python"]}
    return PersonJoined.model_validate(state(person_id, participation=part) | changes)


def mentee(person_id: str, **changes: Any) -> PersonState:
    part = {"roles": ["mentee"], "goals": ["python"]}
    return PersonJoined.model_validate(state(person_id, participation=part) | changes)


def days(number: int) -> timedelta:
    return timedelta(days=number)
