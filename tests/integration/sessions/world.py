"""One pair, its service over HTTP, and a clock that tests move. Holds no test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI

from services.sessions.subscribers import HANDLERS
from services.sessions.sweeper import sweep
from shared.clock import FixedClock
from shared.events.envelope import Event, decode, new_event
from shared.events.fact import Fact
from shared.events.matching import PairEnded, PairStarted
from shared.ids import PairId, PersonId, ProgrammeId, TenantId, new_id
from shared.kafka.per_fact import per_fact
from shared.postgres import outbox
from shared.postgres.pool import Pool
from shared.postgres.tenancy import act_for_all
from tests.support.callers import as_, signed_in

TENANT = TenantId("acme")
MENTOR, MENTEE, STRANGER = PersonId("maria"), PersonId("tom"), PersonId("eve")
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass
class World:
    """The service on a database of its own, at a time that stands still until moved."""

    pool: Pool
    clock: FixedClock
    http: httpx.AsyncClient
    pair: PairId

    async def post(
        self,
        person: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        key: str | None = None,
        match: str | None = None,
        tenant: str = TENANT,
        role: str = "participant",
    ) -> httpx.Response:
        headers = as_(person, role, tenant=tenant)
        if key is not None:
            headers["Idempotency-Key"] = key
        if match is not None:
            headers["If-Match"] = match
        return await self.http.post(path, json=body, headers=headers)

    async def get(
        self, person: str, path: str, *, role: str = "participant", tenant: str = TENANT
    ) -> httpx.Response:
        headers = as_(person, role, tenant=tenant)
        return await self.http.get(path, headers=headers)

    async def ok(
        self, person: str, path: str, body: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        """What a request that must be allowed answers."""
        answer = await self.post(person, path, body)
        assert answer.is_success, answer.text
        return dict(answer.json()) if answer.content else {}

    async def view(self, person: str = MENTOR) -> dict[str, Any]:
        answer = await self.get(person, f"/v1/pairs/{self.pair}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def body(self, **changed: object) -> dict[str, object]:
        """Terms that anybody could agree to."""
        return {"cadence_days": 14, "notice_hours": 24, "channels": ["video", "email"], **changed}

    async def schedule(self, starts_at: datetime, minutes: int = 60, *, by: str = MENTOR) -> str:
        body = {"starts_at": starts_at.isoformat(), "duration_minutes": minutes}
        made = await self.ok(by, f"/v1/pairs/{self.pair}/sessions", body)
        return str(made["session_id"])

    async def offer(self, due_at: datetime, *, by: str = MENTEE, title: str = "read it") -> str:
        """A promise that the other side has not answered."""
        body = {"due_at": due_at.isoformat(), "title": title}
        made = await self.ok(by, f"/v1/pairs/{self.pair}/commitments", body)
        return str(made["commitment_id"])

    async def promise(self, due_at: datetime, *, by: str = MENTEE, title: str = "read it") -> str:
        """A promise that the other side wants."""
        commitment = await self.offer(due_at, by=by, title=title)
        await self.ok(MENTOR if by == MENTEE else MENTEE, f"/v1/commitments/{commitment}/accept")
        return commitment

    async def deliver(self, *facts: Fact, at: datetime | None = None) -> None:
        """Let the service consume others' facts, in one batch."""
        now = at or self.clock.now()
        events = [
            new_event(fact, event_id=new_id(), tenant=TENANT, service="test", now=now)
            for fact in facts
        ]
        async with self.pool.acquire() as conn, conn.transaction():
            await per_fact(HANDLERS)(conn, events, now)

    async def start_pair(self, pair: PairId) -> None:
        await self.deliver(
            PairStarted(
                pair_id=pair,
                mentor_id=MENTOR,
                mentee_id=MENTEE,
                programme_id=ProgrammeId("leaders"),
                started_at=self.clock.now(),
            )
        )

    async def end_pairs(self, ended_at: datetime, *pairs: PairId) -> None:
        """End these pairs, in one batch; the world's own when none is named."""
        ends = [
            PairEnded(
                pair_id=pair,
                mentor_id=MENTOR,
                mentee_id=MENTEE,
                ended_at=ended_at,
                reason="completed",
            )
            for pair in pairs or (self.pair,)
        ]
        await self.deliver(*ends)

    async def sweep(self, *, batch_pairs: int = 200) -> int:
        """Sweep until nothing is due; how many things were decided."""
        total = 0
        while decided := await sweep(self.pool, self.clock.now(), batch_pairs):
            total += decided
        return total

    async def published(self) -> list[Event]:
        """Every fact so far, read back from the records they would become, in order."""
        async with self.pool.acquire() as conn:
            waiting = await outbox.take(conn, 10_000)
        return [decode(each.key, each.value, each.headers) for each in waiting]

    async def types(self) -> list[str]:
        return [event.fact.type for event in await self.published()]

    async def told(self, *types: str) -> list[str]:
        """What was published besides that somebody waits, and besides `types`."""
        quiet = {"reply.requested", "reply.settled", *types}
        return [type_ for type_ in await self.types() if type_ not in quiet]

    async def look(self, query: str, *args: object) -> list[asyncpg.Record]:
        """What is in the tables, of every tenant."""
        async with self.pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            return await conn.fetch(query, *args)

    async def last(self) -> tuple[str, datetime]:
        """The newest fact's type and time."""
        event = (await self.published())[-1]
        return event.fact.type, event.occurred_at


def build_world(pool: Pool, api: FastAPI) -> World:
    """A world whose API is one that others have used: making it takes longer than a test."""
    clock: FixedClock = api.state.clock
    clock.at = START
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=signed_in(api)), base_url="http://sessions"
    )
    return World(pool, clock, http, PairId(new_id()))


def hidden_from(role: str) -> int:
    """What one who is of neither side is answered: a service has no business here at all."""
    return 403 if role == "service" else 404
