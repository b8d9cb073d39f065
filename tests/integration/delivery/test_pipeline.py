"""Outbox to relay to Kafka to consumer to effects, on the real broker and database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local.stack import Stack
from shared.clock import FixedClock
from shared.events.topics import MAX_RECORD_BYTES, SESSIONS, dead_letter_topic
from shared.kafka.consumer import Consumer
from shared.kafka.delivery import Delivery
from shared.kafka.producer import Outgoing, Producer, PublishFailed
from shared.postgres import outbox
from shared.postgres.pool import Pool
from shared.relay import Relay
from tests.conftest import MakePool, MakeTopics
from tests.support.ledger import CREATE, GROUP, SERVICE, START, counted, counting, made
from tests.support.waiting import until

pytestmark = pytest.mark.stack

# As large as the topic takes: with the reason in its headers it is larger than that.
HUGE = b"\x00\xff" * (MAX_RECORD_BYTES // 2 - 200)


@pytest.fixture
async def pool(service_pool: MakePool) -> Pool:
    made_pool = await service_pool(SERVICE)
    await made_pool.execute(CREATE)
    return made_pool


@pytest.fixture
async def namespace(make_topics: MakeTopics) -> str:
    return await make_topics((SESSIONS, dead_letter_topic(SESSIONS, GROUP)))


@asynccontextmanager
async def relaying(stack: Stack, pool: Pool, namespace: str) -> AsyncIterator[Relay]:
    relay = Relay(
        SERVICE, pool, Producer(stack.kafka_bootstrap, client_id="test"), namespace=namespace
    )
    running = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        relay.stop()
        await running


@asynccontextmanager
async def consuming(stack: Stack, pool: Pool, namespace: str) -> AsyncIterator[Consumer]:
    delivery = Delivery(GROUP.name, pool, counting(), FixedClock(START))
    consumer = Consumer(
        GROUP, delivery, bootstrap=stack.kafka_bootstrap, namespace=namespace, max_batch=500
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def test_facts_travel_from_the_outbox_to_their_effects_in_order(
    stack: Stack, pool: Pool, namespace: str
) -> None:
    events = [made(n, pairs=7) for n in range(500)]
    async with relaying(stack, pool, namespace), consuming(stack, pool, namespace):
        async with pool.acquire() as conn, conn.transaction():
            await outbox.append(conn, events)

        async def all_counted() -> bool:
            return len(await counted(pool)) == 500

        await until(all_counted, what="counted")

    done = await counted(pool)
    for pair in range(7):
        own = [event.event_id for event in events[pair::7]]
        assert [event_id for event_id in done if event_id in set(own)] == own
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 0


async def test_a_transaction_that_commits_after_a_later_position_is_published(
    stack: Stack, pool: Pool, namespace: str
) -> None:
    """Seen to fail (the early event is lost) when `take` keeps a last position as its cursor."""
    early, late = made(1), made(2)
    async with relaying(stack, pool, namespace), consuming(stack, pool, namespace):
        async with pool.acquire() as slow:
            open_transaction = slow.transaction()
            await open_transaction.start()
            await outbox.append(slow, [early])
            async with pool.acquire() as conn, conn.transaction():
                await outbox.append(conn, [late])

            async def late_is_counted() -> bool:
                return await counted(pool) == [late.event_id]

            await until(late_is_counted, what="the later one counted")
            await open_transaction.commit()

        async def both() -> bool:
            return await counted(pool) == [late.event_id, early.event_id]

        await until(both, what="the earlier one counted too")


class _Unreachable(Producer):
    """A producer whose broker never acknowledges."""

    async def send_all(self, records: Sequence[Outgoing]) -> None:
        raise PublishFailed


async def test_what_the_broker_did_not_acknowledge_stays_in_the_outbox(
    stack: Stack, pool: Pool
) -> None:
    """Seen to fail (the outbox is empty) with `settle` before `send_all` in the relay."""
    relay = Relay(SERVICE, pool, _Unreachable(stack.kafka_bootstrap, client_id="test"))
    async with pool.acquire() as conn:
        await outbox.append(conn, [made()])
        with pytest.raises(PublishFailed):
            await relay.drain(conn)
        assert len(await outbox.take(conn, 10)) == 1


async def test_a_poison_record_reaches_the_dead_letter_topic_byte_for_byte(
    stack: Stack, pool: Pool, namespace: str
) -> None:
    poison_headers = [
        ("ce_type", b"\xff\xfe"),
        ("x-empty", b""),
        ("x-twice", b"1"),
        ("x-twice", b"2"),
    ]
    good = [made(n) for n in range(3)]
    producer = AIOKafkaProducer(
        bootstrap_servers=stack.kafka_bootstrap, max_request_size=2 * MAX_RECORD_BYTES
    )
    await producer.start()
    await producer.send_and_wait(
        namespace + SESSIONS.name, HUGE, key=b"\xff", headers=poison_headers
    )
    await producer.send_and_wait(namespace + SESSIONS.name, None, key=b"a/tombstone")
    await producer.stop()

    async with relaying(stack, pool, namespace), consuming(stack, pool, namespace):
        async with pool.acquire() as conn, conn.transaction():
            await outbox.append(conn, good)

        async def good_counted() -> bool:
            return len(await counted(pool)) == 3

        await until(good_counted, what="counted")
        topic = namespace + dead_letter_topic(SESSIONS, GROUP).name
        reader = AIOKafkaConsumer(
            topic, bootstrap_servers=stack.kafka_bootstrap, auto_offset_reset="earliest"
        )
        await reader.start()
        letters = [await asyncio.wait_for(reader.getone(), 20) for _ in range(2)]
        await reader.stop()

    by_key = {letter.key: letter for letter in letters}
    poison, tombstone = by_key[b"\xff"], by_key[b"a/tombstone"]
    assert poison.value == HUGE
    assert list(poison.headers[:4]) == poison_headers
    assert dict(poison.headers)["dlq_reason"] == b"too_large"
    assert tombstone.value is None
    assert dict(tombstone.headers)["dlq_reason"] == b"no_value"


async def test_two_workers_share_the_partitions_and_count_once(
    stack: Stack, pool: Pool, namespace: str
) -> None:
    events = [made(n, pairs=100) for n in range(2_000)]
    async with (
        relaying(stack, pool, namespace),
        consuming(stack, pool, namespace) as one,
        consuming(stack, pool, namespace) as two,
    ):
        async with pool.acquire() as conn, conn.transaction():
            await outbox.append(conn, events)

        async def all_counted() -> bool:
            return len(await counted(pool)) == 2_000 and one.assigned() > 0 and two.assigned() > 0

        await until(all_counted, what="counted by two workers")
        assert one.assigned() + two.assigned() == SESSIONS.partitions

    assert len(set(await counted(pool))) == 2_000


async def test_a_topic_made_anew_halts_its_reader_instead_of_hiding_records(
    stack: Stack, pool: Pool, namespace: str
) -> None:
    """Seen to fail (ready, and the new records never counted) without the look at the end."""
    async with consuming(stack, pool, namespace) as reader:

        async def assigned() -> bool:
            return reader.assigned() == SESSIONS.partitions

        await until(assigned, what="assigned")
    await pool.execute("UPDATE consumer_offset SET next_offset = 1000")

    async with consuming(stack, pool, namespace) as reader:

        async def halted() -> object:
            return reader.halted

        await until(halted, what="halted")
        assert reader.halted is not None
        assert "made anew" in reader.halted
        assert reader.assigned() == 0
