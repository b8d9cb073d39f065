"""An idempotent producer that is rebuilt after any failure. Its caller decides what to send again.

aiokafka never resets a producer id after OutOfOrderSequenceNumber (its issue 1017) and, when
idempotent, never lets a batch expire: so every wait has our own limit, and a failure of any kind
means "unknown outcome": close, rebuild, send again. Readers drop what they already have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from shared.errors import Retryable
from shared.kafka.reaching import Reached, arguments

LINGER_MS = 0
BATCH_BYTES = 256 * 1024
MAX_REQUEST_BYTES = 4 * 1024 * 1024
REQUEST_TIMEOUT_MS = 10_000
SEND_TIMEOUT_S = 20.0
CLOSE_TIMEOUT_S = 2.0


class Outgoing(Protocol):
    """A record to send. `partition_key` None sends to partition 0."""

    @property
    def topic(self) -> str: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class PublishFailed(Retryable):
    """The broker did not acknowledge in time; some of it may be there all the same."""


@lru_cache(maxsize=200_000)
def _hash(key: bytes) -> int:
    # Kafka's own default partitioner, so that other producers of the topic agree with us.
    return int(murmur2(key)) & 0x7FFFFFFF


class Producer:
    """Sends in order per key, acknowledged by all in-sync replicas."""

    def __init__(self, bootstrap: Reached, *, client_id: str) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._partitions: dict[str, int] = {}

    async def send_all(self, records: Sequence[Outgoing]) -> None:
        """Return when every record is acknowledged; order per key is the order given.

        Raises PublishFailed otherwise; the next call starts with a fresh producer.
        """
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._send_all(records)
        except (KafkaError, OSError, TimeoutError) as error:
            await self.close()
            raise PublishFailed(f"not acknowledged: {type(error).__name__}") from error
        except BaseException:
            await self.close()
            raise

    async def _send_all(self, records: Sequence[Outgoing]) -> None:
        producer = await self._ready()
        open_batches: dict[tuple[str, int], Any] = {}
        waiting: list[asyncio.Future[Any]] = []
        for record in records:
            key, value = record.key, record.value
            count = self._partitions.get(record.topic) or await self._count(producer, record.topic)
            where = (record.topic, _hash(key) % count if key else 0)
            batch = open_batches.get(where)
            if batch is None:
                batch = open_batches[where] = producer.create_batch()
            headers = record.headers
            if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                batch.close()
                waiting.append(await producer.send_batch(batch, where[0], partition=where[1]))
                batch = open_batches[where] = producer.create_batch()
                if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                    raise PublishFailed("a record is larger than a request may be")
        for where, batch in open_batches.items():
            batch.close()
            waiting.append(await producer.send_batch(batch, where[0], partition=where[1]))
        # All are awaited even if one fails: a later one must not be sent again while in flight.
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _ready(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **arguments(self._bootstrap),
                client_id=self._client_id,
                enable_idempotence=True,
                acks="all",
                linger_ms=LINGER_MS,
                max_batch_size=BATCH_BYTES,
                max_request_size=MAX_REQUEST_BYTES,
                request_timeout_ms=REQUEST_TIMEOUT_MS,
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _count(self, producer: AIOKafkaProducer, topic: str) -> int:
        count = len(await producer.partitions_for(topic))
        self._partitions[topic] = count
        return count

    async def close(self) -> None:
        """Let go of the broker. What is still in the air is abandoned: its outcome is unknown."""
        producer, self._producer = self._producer, None
        self._partitions.clear()
        if producer is None:
            return
        with suppress(KafkaError, TimeoutError, OSError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await producer.stop()
                return
        # stop() waits for batches that cannot be delivered: end its sender by force.
        sender = producer._sender.sender_task
        if sender is not None:
            sender.cancel()
        with suppress(Exception, asyncio.CancelledError):
            await producer.client.close()
