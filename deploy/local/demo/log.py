"""The demo's own view of the log: send records, see where it ends, read it all. Joins no group."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.demo.noise import Record
from shared.events.topics import every_topic
from shared.kafka.producer import Producer

CLIENT = "trustfold-demo"
READ_TIMEOUT_S = 30.0
FETCH_MS = 500


class Log:
    """Every topic of the network, under its namespace. An async context manager."""

    def __init__(self, bootstrap: str, namespace: str = "") -> None:
        self._namespace = namespace
        self._producer = Producer(bootstrap, client_id=CLIENT)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            client_id=CLIENT,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        self._partitions = [
            TopicPartition(namespace + topic.name, number)
            for topic in every_topic()
            for number in range(topic.partitions)
        ]

    async def send(self, records: Iterable[Record]) -> None:
        """Return when every record is in the log, in the order given for each key."""
        await self._producer.send_all(
            [
                Record(self._namespace + each.topic, each.key, each.value, list(each.headers))
                for each in records
            ]
        )

    async def ends(self) -> Mapping[TopicPartition, int]:
        """The end of every partition of every topic, dead letters included."""
        found: Mapping[TopicPartition, int] = await self._consumer.end_offsets(self._partitions)
        return found

    async def read(self, topics: Iterable[str]) -> list[Any]:
        """Every record of the topics from the first on, in no order that means anything.

        Records come with the names that the contracts give their topics. TimeoutError when the
        broker does not hand them all over.
        """
        wanted = {self._namespace + topic for topic in topics}
        ends = {tp: end for tp, end in (await self.ends()).items() if tp.topic in wanted and end}
        if not ends:
            return []
        self._consumer.assign(list(ends))
        await self._consumer.seek_to_beginning(*ends)
        records: list[Any] = []
        async with asyncio.timeout(READ_TIMEOUT_S):
            while any([await self._consumer.position(tp) < end for tp, end in ends.items()]):
                fetched = await self._consumer.getmany(timeout_ms=FETCH_MS)
                for tp, batch in fetched.items():
                    records += [record for record in batch if record.offset < ends[tp]]
        return records

    def plain(self, topic: str) -> str:
        """The topic's name without the namespace."""
        return topic.removeprefix(self._namespace)

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._consumer.stop()
        await self._producer.close()


def again(records: Sequence[Any], plain: Log) -> list[Record]:
    """The same records once more, to the byte, as a sender that lost an acknowledgement does."""
    return [Record(plain.plain(each.topic), each.key, each.value, each.headers) for each in records]
