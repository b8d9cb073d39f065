"""Programmes and the real log: measured when all told is counted, and published for everybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer

from deploy.local.stack import Stack
from services.insights.measuring import measure
from shared.clock import FixedClock
from shared.events import topics
from shared.events.envelope import Event, decode, encode
from shared.events.topics import dead_letter_topic
from shared.kafka.consumer import Consumer
from shared.kafka.delivery import Delivery
from shared.kafka.lag import CaughtUp
from shared.kafka.producer import Producer
from shared.relay import Relay
from tests.conftest import MakeTopics
from tests.integration.insights.conftest import TODAY, Insights
from tests.integration.insights.programmes import after, begin, measures, several, told
from tests.support.ledger import FakeRecord
from tests.support.waiting import until

pytestmark = pytest.mark.stack

READ = topics.INSIGHTS.topics


@pytest.fixture
async def namespace(make_topics: MakeTopics) -> str:
    dead = [dead_letter_topic(topic, topics.INSIGHTS) for topic in READ]
    return await make_topics((*READ, topics.PROGRAMMES, *dead))


class Sent(FakeRecord):
    """A fact as a record of a topic in the namespace."""

    def __init__(self, event: Event, namespace: str) -> None:
        super().__init__(event, 0)
        self.topic = namespace + event.fact.topic.name
        self.key, self.value, self.headers = encode(event)


async def send(stack: Stack, namespace: str, events: Sequence[Event]) -> None:
    producer = Producer(stack.kafka_bootstrap, client_id="test")
    await producer.send_all([Sent(event, namespace) for event in events])
    await producer.close()


@asynccontextmanager
async def consuming(stack: Stack, insights: Insights, namespace: str) -> AsyncIterator[None]:
    group = topics.INSIGHTS
    delivery = Delivery(group.name, insights.pool, insights.service.apply, FixedClock(TODAY))
    consumer = Consumer(
        group, delivery, bootstrap=stack.kafka_bootstrap, namespace=namespace, max_batch=500
    )
    await consumer.start()
    try:
        yield
    finally:
        await consumer.stop()


async def test_an_epoch_waits_until_what_was_told_is_counted_and_no_longer(
    stack: Stack, insights: Insights, namespace: str
) -> None:
    """After an outage the log is full, and a release is for ever."""
    where = {"bootstrap": stack.kafka_bootstrap, "namespace": namespace}
    caught_up = CaughtUp(insights.pool, topics.INSIGHTS, **where)
    clock = FixedClock(after(2026, 4))
    await insights.hears(begin(several(range(5), "ops")))
    await send(stack, namespace, begin(several(range(10, 16))))
    assert not await measure(insights.pool, clock, caught_up)

    async def measured() -> bool:
        return await measure(insights.pool, clock, caught_up)

    async with consuming(stack, insights, namespace):
        await until(measured, what="measured")
    assert {unit for _, unit in told(await insights.published())} == {None, "ops", "sales"}
    # What comes after the mark holds nobody up; the next epoch waits for it.
    await send(stack, namespace, begin(several(range(20, 26)), after(2026, 4)))
    assert not await measured()
    epoch = (await insights.rows("programme"))[0]["measured"]
    assert await caught_up(epoch)
    assert not await caught_up(epoch + 1)


async def test_a_log_that_holds_nothing_holds_nobody_up(
    stack: Stack, insights: Insights, namespace: str
) -> None:
    where = {"bootstrap": stack.kafka_bootstrap, "namespace": namespace}
    assert await CaughtUp(insights.pool, topics.INSIGHTS, **where)(1)


async def test_dashboards_read_what_was_released(
    stack: Stack, insights: Insights, namespace: str
) -> None:
    await insights.hears(begin(several(range(6))))
    clock = FixedClock(after(2026, 6))

    async def always(_epoch: int) -> bool:
        return True

    while await measure(insights.pool, clock, always):
        pass
    producer = Producer(stack.kafka_bootstrap, client_id="test")
    relay = Relay("insights", insights.pool, producer, namespace=namespace)
    running = asyncio.create_task(relay.run())
    reader = AIOKafkaConsumer(
        namespace + topics.PROGRAMMES.name,
        bootstrap_servers=stack.kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    await reader.start()
    try:
        async with asyncio.timeout(30):
            records = [await reader.getone() for _ in range(6)]
    finally:
        await reader.stop()
        relay.stop()
        await running
    events = [decode(each.key, each.value, each.headers) for each in records]
    stored = [row["fact"] for row in await insights.rows("release")]
    assert sorted(each.value for each in records) == sorted(stored)
    assert [epoch for epoch, unit in told(events) if unit] == ["2026-03", "2026-04", "2026-05"]
    assert await measures(insights, clock.at) == []
