"""A rollout of each service under load: nothing lost, nothing twice, and nobody notices."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.network import SERVICES, Network, NetworkOptions
from deploy.local.stack import Stack
from shared.events.envelope import encode, new_event
from shared.events.matching import PairStarted
from shared.events.topics import GROUPS, PAIRS, PEOPLE, SESSIONS
from shared.ids import PairId, PersonId, TenantId, new_id
from shared.kafka.producer import Producer
from shared.postgres.pool import Pool, open_pool
from shared.postgres.tenancy import SEES_ALL
from tests.faults.load import Load, Size
from tests.faults.rollout import Rollout
from tests.support.waiting import until

pytestmark = pytest.mark.stack

TENANT = TenantId("acme")
COUPLES = 2
FACTS = Size(facts=3_000, pairs=150)
SETTLED_S = 120.0
# One read of each service, by another service.
READS = {
    "matching": "/v1/people?limit=1",
    "sessions": "/v1/sweeper",
    "notifications": "/v1/messages?limit=1",
    "insights": "/v1/trust?limit=1",
}


@dataclass(frozen=True)
class Sent:
    """A record that only has to be sent."""

    topic: str
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


@dataclass
class Town:
    """People and pairs, who go on acting over HTTP for as long as a rollout takes."""

    network: Network
    rolled: Rollout
    pairs: Sequence[PairId]
    http: httpx.AsyncClient
    kept: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    newest: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    is_over: bool = False

    async def act(self) -> None:
        """Everybody does one thing after another. What is refused is kept, and looked at later."""
        async with asyncio.TaskGroup() as group:
            for number, pair in enumerate(self.pairs):
                group.create_task(self._promise(pair, number))
                group.create_task(self._change(f"person-{number}"))
            group.create_task(self._read())

    async def _promise(self, pair: PairId, number: int) -> None:
        """The mentee promises, the mentor wants it and says that it was kept."""
        while not self.is_over:
            due = (datetime.now(UTC) + timedelta(days=7)).isoformat()
            place, mentor = f"/v1/pairs/{pair}/commitments", f"mentor-{number}"
            made = await self._ask(
                "sessions", "POST", place, f"mentee-{number}", json={"due_at": due}
            )
            if made is not None:
                promise = made["commitment_id"]
                for verb in ("accept", "keep"):
                    await self._ask("sessions", "POST", f"/v1/commitments/{promise}/{verb}", mentor)
                self.kept.append(promise)

    async def _change(self, person: str) -> None:
        """HR says something new of somebody: each time under an id of its own, in order."""
        for number in range(10**6):
            if self.is_over:
                return
            id_ = f"{person}-{number}"
            event = {
                "specversion": "1.0", "id": id_, "source": "urn:example:hr",
                "type": "person.changed" if number else "person.joined",
                "time": datetime.now(UTC).isoformat(),
                "data": {
                    "person_id": person, "email": f"{person}@acme.example",
                    "display_name": f"N {number}", "languages": ["en"], "timezone": "UTC",
                    "participation": {"roles": ["mentor"], "capacity": 1, "offers": []},
                },
            }  # fmt: skip
            headers = {"content-type": "application/cloudevents+json"}
            found = await self._ask(
                "matching", "POST", "/v1/events", "hr", "hr", json=event, headers=headers
            )
            if found is not None:
                self.changed.append(id_)
                self.newest[person] = number

    async def _read(self) -> None:
        service = self.rolled.service
        while not self.is_over:
            await self._ask(service, "GET", READS[service], "mentee-0", "service")

    async def _ask(
        self,
        service: str,
        method: str,
        path: str,
        person: str,
        role: str = "participant",
        **how: Any,
    ) -> dict[str, Any] | None:
        """The answer of a request that went well; None for one that did not."""
        mine = service == self.rolled.service
        url = (self.rolled.url() if mine else self.network.url(service)) + path
        who = self.network.issuer.headers(person, role, TENANT, **how.pop("headers", {}))
        try:
            answer = await self.http.request(method, url, headers=who, **how)
        except httpx.TransportError as error:
            self.refused.append(f"{service} {method} {path}: {error!r}")
            return None
        if not answer.is_success:
            self.refused.append(f"{service} {method} {path}: {answer.status_code} {answer.text}")
            return None
        return dict(answer.json()) if answer.content else {}


@asynccontextmanager
async def rolling(service: str) -> AsyncIterator[tuple[Town, Load]]:
    """A network with one service in six processes, pairs that are known, and a load of facts."""
    async with AsyncExitStack() as closing:
        stack = closing.enter_context(Stack.start(environ={}))
        network = closing.enter_context(Network(stack, NetworkOptions()))
        await network.prepare()
        for other in SERVICES:
            if other != service:
                network.launch(other)
        rolled = Rollout(network, service)
        closing.callback(rolled.close)
        await rolled.start()
        for other in SERVICES:
            if other != service:
                await asyncio.to_thread(network.wait_ready, other)
        sessions = await open_pool(network.dsn("sessions"), service="sessions", size=8)
        insights = await open_pool(
            network.dsn("insights"), service="insights", size=4, settings=SEES_ALL
        )
        closing.callback(sessions.terminate)
        closing.callback(insights.terminate)
        http = await closing.enter_async_context(httpx.AsyncClient(timeout=30.0))
        pairs = await start_pairs(network, insights)
        chance = random.Random(20260105)
        yield Town(network, rolled, pairs, http), Load(sessions, insights, FACTS, chance)


async def start_pairs(network: Network, insights: Pool) -> list[PairId]:
    """Pairs have begun, as matching would say it, and every service knows."""
    now, found = datetime.now(UTC), []
    producer = Producer(network.stack.kafka_bootstrap, client_id="test")
    for number in range(COUPLES):
        fact = PairStarted(
            pair_id=PairId(new_id()), mentor_id=PersonId(f"mentor-{number}"),
            mentee_id=PersonId(f"mentee-{number}"), programme_id="autumn", started_at=now,
        )  # fmt: skip
        event = new_event(fact, event_id=new_id(), tenant=TENANT, service="matching", now=now)
        await producer.send_all([Sent(PAIRS.name, *encode(event))])
        found.append(fact.pair_id)
    await producer.close()
    await until(lambda: caught_up(network), timeout_s=SETTLED_S, what="pairs known to everybody")
    return found


async def caught_up(network: Network) -> bool:
    """Whether every group has committed everything that is in its topics, in its own database."""
    consumer = AIOKafkaConsumer(bootstrap_servers=network.stack.kafka_bootstrap)
    await consumer.start()
    try:
        for group in GROUPS:
            names = [topic.name for topic in group.topics]
            parts = [
                TopicPartition(it.name, n) for it in group.topics for n in range(it.partitions)
            ]
            ends = await consumer.end_offsets(parts)
            pool = await open_pool(network.dsn(group.name), service=group.name, size=1)
            try:
                rows = await pool.fetch(
                    "SELECT topic, partition, next_offset FROM consumer_offset "
                    "WHERE topic = ANY($1::text[])", names,
                )  # fmt: skip
                if await pool.fetchval("SELECT count(*) FROM outbox"):
                    return False
            finally:
                pool.terminate()
            done = {(row[0], row[1]): row[2] for row in rows}
            if any(done.get((it.topic, it.partition), 0) < end for it, end in ends.items()):
                return False
        return True
    finally:
        await consumer.stop()


async def records(network: Network, topic: str) -> list[Any]:
    """Everything in a topic, in the order of each partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=network.stack.kafka_bootstrap)
    await consumer.start()
    try:
        parts = [TopicPartition(topic, n) for n in range(6)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends, found = await consumer.end_offsets(parts), []
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                found += batch
        return found
    finally:
        await consumer.stop()


def named(record: Any, name: str) -> str:
    return str(dict(record.headers).get(name, b"").decode())


@pytest.mark.full
@pytest.mark.parametrize("service", SERVICES)
async def test_a_rollout_under_load_loses_nothing_and_is_not_noticed(service: str) -> None:
    """Seen to fail (requests are refused) when a process is asked until it has stopped."""
    async with rolling(service) as (town, load):
        acting = asyncio.create_task(town.act())
        writing = asyncio.create_task(load.write())
        await town.rolled.roll()
        await writing
        town.is_over = True
        await acting

        assert town.refused == []
        assert min(len(town.kept), len(town.changed)) > 2 * COUPLES
        network = town.network
        await until(lambda: caught_up(network), timeout_s=SETTLED_S, what="everything read")

        await every_promise_is_told_once(town)
        await every_change_is_told_once_and_in_order(town)
        await the_same_is_known_everywhere(town)
        assert await letters(network) == 0
        counted = {row[0] for row in await load.insights.fetch("SELECT event_id FROM evidence")}
        assert load.committed.keys() <= counted
        scores_are_what_the_log_says(network)


async def every_promise_is_told_once(town: Town) -> None:
    told = Counter(
        (named(it, "ce_type"), json.loads(it.value).get("commitment_id"))
        for it in await records(town.network, SESSIONS.name)
    )
    for promise in town.kept:
        for what in ("made", "accepted", "kept"):
            assert told[f"commitment.{what}", promise] == 1, (what, promise)


async def every_change_is_told_once_and_in_order(town: Town) -> None:
    told = [
        named(it, "ce_id")
        for it in await records(town.network, PEOPLE.name)
        if named(it, "ce_source") == "urn:example:hr"
    ]
    assert Counter(told) == Counter(town.changed)
    for person, newest in town.newest.items():
        order = [each for each in told if each.startswith(f"{person}-")]
        assert order == [f"{person}-{number}" for number in range(newest + 1)]


def scores_are_what_the_log_says(network: Network) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "shared.cli", "insights", "verify", "--orders", "1"],
        env=network.environ("insights"), capture_output=True, text=True, timeout=SETTLED_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


async def the_same_is_known_everywhere(town: Town) -> None:
    wanted = {person: f"N {newest}" for person, newest in town.newest.items()}
    for service in ("matching", "notifications"):
        pool = await open_pool(
            town.network.dsn(service), service=service, size=1, settings=SEES_ALL
        )
        rows = await pool.fetch("SELECT person_id, display_name FROM person")
        pool.terminate()
        known = {row[0]: row[1] for row in rows}
        assert {person: known.get(person) for person in wanted} == wanted


async def letters(network: Network) -> int:
    found = 0
    for service in SERVICES:
        pool = await open_pool(network.dsn(service), service=service, size=1, settings=SEES_ALL)
        found += await pool.fetchval("SELECT count(*) FROM dead_letter")
        pool.terminate()
    return found
