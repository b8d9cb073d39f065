"""The producer on a real broker: in order per key, and back by itself after any failure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.stack import Stack
from shared.events.topics import SESSIONS
from shared.kafka.producer import Producer, PublishFailed
from tests.conftest import MakeTopics

pytestmark = pytest.mark.stack


@dataclass(frozen=True)
class Sent:
    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] = field(default_factory=list)


@pytest.fixture
async def topic(make_topics: MakeTopics) -> str:
    return await make_topics((SESSIONS,)) + SESSIONS.name


@pytest.fixture
async def producer(stack: Stack) -> AsyncIterator[Producer]:
    made = Producer(stack.kafka_bootstrap, client_id="test")
    yield made
    await made.close()


async def read(stack: Stack, topic: str, count: int) -> dict[bytes | None, list[bytes]]:
    """The first `count` values of a topic, by key, in the order of the log."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka_bootstrap)
    await consumer.start()
    partitions = [TopicPartition(topic, n) for n in range(SESSIONS.partitions)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    found: dict[bytes | None, list[bytes]] = defaultdict(list)
    for _ in range(count):
        record = await consumer.getone()
        found[record.key].append(record.value)
    await consumer.stop()
    return found


async def test_what_one_key_sends_stays_in_order(
    stack: Stack, producer: Producer, topic: str
) -> None:
    sent = [Sent(topic, f"k{n % 7}".encode(), str(n).encode()) for n in range(700)]

    await producer.send_all(sent[:300])
    await producer.send_all(sent[300:])

    found = await read(stack, topic, 700)
    assert {key: [int(v) for v in values] for key, values in found.items()} == {
        f"k{k}".encode(): list(range(k, 700, 7)) for k in range(7)
    }


async def test_a_fatal_sequence_error_is_left_behind_by_a_fresh_producer(
    stack: Stack, producer: Producer, topic: str
) -> None:
    """aiokafka itself never produces again after this error, until its process restarts."""
    await producer.send_all([Sent(topic, b"k", b"before")])
    assert producer._producer is not None
    partition = next(iter(producer._producer._txn_manager._sequence_numbers))
    producer._producer._txn_manager._sequence_numbers[partition] += 1_000

    with pytest.raises(PublishFailed):
        await producer.send_all([Sent(topic, b"k", b"refused")])
    await producer.send_all([Sent(topic, b"k", b"after")])

    assert await read(stack, topic, 2) == {b"k": [b"before", b"after"]}


async def test_a_record_too_large_for_its_topic_is_refused_not_lost_silently(
    producer: Producer, topic: str
) -> None:
    with pytest.raises(PublishFailed, match="TooLarge"):
        await producer.send_all([Sent(topic, b"k", b"x" * 2_000_000)])
