"""As of when, and how many events behind: a real worker on a real log, told by another process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import httpx
import pytest

from deploy.local.stack import Stack
from shared.events.envelope import Event, encode
from shared.events.topics import every_topic
from shared.kafka.producer import Producer
from shared.postgres.pool import open_pool
from tests.conftest import MakeTopics
from tests.integration.insights.listening import Api
from tests.support.databases import Databases, service_dsn
from tests.support.waiting import until
from tests.unit.insights.facts import answered, event, kept

pytestmark = pytest.mark.stack

Ask = Callable[[str], Awaitable[httpx.Response]]


class _Record:
    """An event as a record of a namespace."""

    def __init__(self, it: Event, namespace: str) -> None:
        self.topic = namespace + it.fact.topic.name
        self.key, self.value, self.headers = encode(it)


def behind(answer: httpx.Response) -> int:
    return int(answer.headers["trustfold-events-behind"])


def as_of(answer: httpx.Response) -> datetime:
    return datetime.fromisoformat(answer.headers["trustfold-as-of"])


async def test_every_answer_says_how_fresh_it_is_and_people_learn_nothing_of_answers(
    stack: Stack, databases: Databases, make_topics: MakeTopics
) -> None:
    """Seen to fail when the topic of private answers is counted for everybody."""
    namespace = await make_topics(every_topic())
    admin_dsn = await databases.create("insights")
    dsn = service_dsn(admin_dsn, "insights")
    kafka = {"INSIGHTS_KAFKA": stack.kafka_bootstrap, "INSIGHTS_NAMESPACE": namespace}
    api, worker = Api(dsn, {}), Api(dsn, kafka, "worker")
    producer = Producer(stack.kafka_bootstrap, client_id="test")
    pool = await open_pool(dsn, service="insights", size=2)

    async def send(*events: Event) -> datetime:
        await producer.send_all([_Record(it, namespace) for it in events])
        return datetime.now(UTC)

    async def ask(role: str) -> httpx.Response:
        return await api.get("/v1/trust", role=role)

    try:
        await api.start()
        unknown = await ask("service")
        assert "trustfold-as-of" not in unknown.headers
        await worker.start()
        await caught_up(ask, await send(event(kept(), 1)))

        async with pool.acquire() as conn, conn.transaction():
            # The worker hears of more and can count none of it.
            await conn.execute("LOCK TABLE pair IN EXCLUSIVE MODE")
            sent = await send(event(answered(False), 2), event(answered(True), 3))
            await wait_behind(ask, "service", 2)

            async def people_are_told_of_later() -> object:
                return as_of(await ask("manager")) > sent

            await until(people_are_told_of_later, what="people told of a later time")
            assert behind(await ask("manager")) == 0
            assert as_of(await ask("service")) < sent
            sent = await send(*[event(kept(), day) for day in (4, 5, 6)])
            await wait_behind(ask, "manager", 3)
            await wait_behind(ask, "service", 5)
            assert as_of(await ask("manager")) < sent
        await caught_up(ask, sent)
    finally:
        await producer.close()
        for each in (worker, api):
            each.kill()
        pool.terminate()
        await databases.drop(admin_dsn)


async def wait_behind(ask: Ask, role: str, records: int) -> None:
    async def so_many() -> object:
        return behind(await ask(role)) == records

    await until(so_many, what=f"{records} behind for {role}")


async def caught_up(ask: Ask, since: datetime) -> None:
    async def is_caught_up() -> object:
        for role in ("service", "manager"):
            answer = await ask(role)
            if "trustfold-as-of" not in answer.headers or as_of(answer) <= since:
                return None
            if behind(answer):
                return None
        return True

    await until(is_caught_up, what="caught up")
