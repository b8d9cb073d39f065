"""Insights in service: a real log, a real worker, and facts of every sort to feed it. No test."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import asyncpg

from services.insights.app import build
from services.insights.projection.place import GROUP, Effort, Place, Progress
from services.insights.projection.swap import Rebuilt, rebuild
from services.insights.projection.verify import Question, Verdict, verify
from services.insights.queries.projection import PROJECTION
from services.insights.settings import InsightsSettings
from services.insights.surfacing import surface
from shared.clock import SystemClock
from shared.events.envelope import Event, encode, new_event
from shared.events.fact import Fact
from shared.events.matching import PairEnded, PairStarted
from shared.events.people import PersonChanged, PersonLeaveEnded, PersonLeaveStarted
from shared.events.sessions import (
    AgreementSigned,
    CommitmentKept,
    CommitmentMissed,
    FeedbackGiven,
    SessionHeld,
)
from shared.events.topics import INSIGHTS
from shared.ids import (
    CommitmentId,
    PairId,
    PersonId,
    ProgrammeId,
    SessionId,
    TenantId,
    derived_id,
    new_id,
)
from shared.kafka.consumer import Consumer
from shared.kafka.delivery import Delivery
from shared.kafka.producer import Producer
from shared.postgres.pool import Pool
from shared.postgres.tenancy import SEES_ALL
from tests.support.databases import ROOT
from tests.support.waiting import until

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
START = datetime(2025, 1, 6, 9, tzinfo=UTC)
EFFORT = Effort(readers=2, batch=300)
_APPLIED = "SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offset"


@dataclass(frozen=True)
class Sent:
    """A record as it goes to the log."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


@dataclass
class Live:
    """The service on a database and topics of its own."""

    place: Place
    namespace: str
    pool: Pool
    # Sees every tenant, as an operator does.
    seen: Pool
    sent: int = 0
    consumer: Consumer | None = None
    _producer: Producer = field(init=False)

    def __post_init__(self) -> None:
        self._producer = Producer(self.place.kafka, client_id="test")

    async def close(self) -> None:
        await self._producer.close()

    async def say(self, events: Iterable[Event]) -> None:
        """Put events on their topics."""
        await self.send([(each.fact.topic.name, *encode(each)) for each in events])

    async def send(self, records: Iterable[tuple[str, bytes, bytes, Any]]) -> None:
        listed = [Sent(self.namespace + topic, *rest) for topic, *rest in records]
        await self._producer.send_all(listed)
        self.sent += len(listed)

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Consumer]:
        """The worker: delivery, redrive, recheck and surfacing, as the runtime runs them."""
        settings = InsightsSettings(postgres="unused", kafka="unused")
        service = build(settings, self.pool, SystemClock())
        delivery = Delivery(GROUP, self.pool, service.apply, SystemClock())
        consumer = Consumer(
            INSIGHTS,
            delivery,
            bootstrap=self.place.kafka,
            namespace=self.namespace,
            max_batch=200,
        )
        await consumer.start()
        stopping = asyncio.Event()
        beside = asyncio.create_task(self._beside(delivery, consumer, stopping))
        try:
            yield consumer
        finally:
            stopping.set()
            await beside
            await consumer.stop()

    async def _beside(
        self, delivery: Delivery, consumer: Consumer, stopping: asyncio.Event
    ) -> None:
        while not stopping.is_set():
            steps = (delivery.redrive, consumer.recheck, partial(surface, self.pool))
            for step in steps:
                try:
                    await step()
                except asyncpg.PostgresError:
                    continue  # the runtime tries a failed step again, too
            try:
                await asyncio.wait_for(stopping.wait(), 0.05)
            except TimeoutError:
                continue

    async def caught_up(self) -> None:
        """Return once everything that was sent has been applied."""

        async def applied() -> object:
            return await self.seen.fetchval(_APPLIED) >= self.sent

        await until(applied, timeout_s=60, what=f"{self.sent} records applied")

    async def rebuild(self, progress: Progress = lambda *_: None, **options: Any) -> Rebuilt:
        return await rebuild(self.place, EFFORT, progress, **options)

    @asynccontextmanager
    async def traffic(self, facts: Facts, chunk: int = 20) -> AsyncIterator[None]:
        """Facts keep arriving as long as the block runs, as fast as they are applied."""
        stopping = asyncio.Event()

        async def keep_saying() -> None:
            while not stopping.is_set():
                await self.say(facts.some(chunk))
                await self.caught_up()

        saying = asyncio.create_task(keep_saying())
        try:
            yield
        finally:
            stopping.set()
            await saying

    async def proved(self, tenant: TenantId | None = None) -> Verdict:
        """What `verify` says."""
        conn = await asyncpg.connect(
            self.place.dsn, server_settings={"search_path": "insights", **SEES_ALL}
        )
        try:
            return await verify(conn, self.place.kafka, Question(tenant))
        finally:
            await conn.close()

    async def picture(self, schema: str = "insights") -> dict[str, set[tuple[Any, ...]]]:
        """All rows of the projection but the states, which differ in their last bits."""
        return {
            table: {
                tuple(value for name, value in row.items() if name not in ("state", "updated_at"))
                for row in await self.seen.fetch(f"SELECT * FROM {schema}.{table}")
            }
            for table in PROJECTION
        }


class Facts:
    """Facts about pairs of two tenants, some of them late, repeated, or about somebody's leave."""

    def __init__(self, pairs: int = 30, seed: int = 1) -> None:
        self._chance = random.Random(seed)
        self._pairs = pairs
        self._told: list[Event] = []

    def some(self, count: int) -> list[Event]:
        """The next so many events."""
        found = [event for event, _ in zip(self._events(), range(count), strict=False)]
        self._told += found
        return found

    def _events(self) -> Iterator[Event]:
        while True:
            if self._told and self._chance.random() < 0.1:
                yield self._chance.choice(self._told)
            else:
                yield self._event()

    def _event(self) -> Event:
        n = self._chance.randrange(self._pairs)
        tenant = GLOBEX if n % 5 == 0 else ACME
        at = START + timedelta(days=self._chance.uniform(0, 400))
        return new_event(
            self._fact(n, at), event_id=new_id(), tenant=tenant, service="sessions", now=at
        )

    def _fact(self, n: int, at: datetime) -> Fact:
        mentor, mentee = PersonId(f"mentor-{n // 3}"), PersonId(f"mentee-{n}")
        who = {"pair_id": pair_id(n), "mentor_id": mentor, "mentee_id": mentee}
        about, by = self._chance.sample([mentor, mentee], 2)
        promise = {
            **who,
            "commitment_id": CommitmentId(new_id()),
            "by": about,
            "due_at": at,
        }
        session = {**who, "session_id": SessionId(new_id())}
        makers = (
            lambda: PairStarted(**who, programme_id=ProgrammeId("spring"), started_at=at),
            lambda: PairEnded(**who, ended_at=at, reason="completed"),
            lambda: AgreementSigned(
                **who,
                agreement_version=1,
                cadence_days=self._chance.choice([7, 14, 30]),
                notice_hours=24,
                channels=("video",),
            ),
            lambda: SessionHeld(
                **session, starts_at=at, duration_minutes=45, confirmed_by=(mentor, mentee)
            ),
            lambda: CommitmentKept(**promise, kept_at=at),
            lambda: CommitmentMissed(**promise),
            lambda: FeedbackGiven(
                **session,
                by=by,
                about=about,
                item="listened",
                answer=self._chance.random() < 0.7,
            ),
            lambda: self._leave(about, at.date()),
            lambda: PersonChanged(
                person_id=about,
                email=f"{about}@mentoring.example",
                display_name=about,
                org_unit=self._chance.choice(["north", "south", None]),
            ),
        )
        weights = (3, 1, 3, 20, 20, 10, 20, 2, 3)
        made: Fact = self._chance.choices(makers, weights)[0]()
        return made

    def _leave(self, who: PersonId, day: date) -> Fact:
        leave = f"leave-{self._chance.randrange(3)}"
        started = date(2025, 3, 1) + timedelta(days=30 * int(leave[-1]))
        if self._chance.random() < 0.5:
            return PersonLeaveStarted(person_id=who, leave_id=leave, started_on=started)
        back = started + timedelta(days=12)
        return PersonLeaveEnded(person_id=who, leave_id=leave, started_on=started, back_on=back)


async def command(live: Live, *words: str) -> tuple[int, Any]:
    """`trustfold insights ... --json` in a process of its own: exit code, and what it said."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "shared.cli", "insights", *words, "--json"),
        cwd=ROOT,
        env={**os.environ, **environ(live)},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await child.communicate()
    return child.returncode or 0, json.loads(out) if out else None


def environ(live: Live) -> dict[str, str]:
    """What the command reads from its environment."""
    return {
        "INSIGHTS_POSTGRES": live.place.dsn,
        "INSIGHTS_KAFKA": str(live.place.kafka),
        "INSIGHTS_NAMESPACE": live.namespace,
        "TRUSTFOLD_POSTGRES": live.place.admin_dsn,
    }


def pair_id(n: int) -> PairId:
    return PairId(derived_id("pair", str(n)))


def poison(n: int) -> list[tuple[str, bytes, bytes, Any]]:
    """Records that no release can read, and one whose time has not come."""
    whole = new_event(
        Facts(seed=n)._fact(1, START), event_id=new_id(), tenant=ACME, service="x", now=START
    )
    topic, (key, _, headers) = whole.fact.topic.name, encode(whole)
    future = whole._replace(event_id=new_id(), occurred_at=datetime.now(UTC) + timedelta(days=400))
    later = future._replace(ce_id=str(future.event_id))
    return [
        (topic, key, b'{"not": "a fact"}', headers),
        (topic, key, b"\xff\x00", headers),
        (later.fact.topic.name, *encode(later)),
    ]
