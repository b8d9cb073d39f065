"""Has a whole group, all its members together, counted what was told? Joins no group.

A worker knows its own partitions alone, and before its first fetch not even those. What must not
be decided before everything told in time is counted asks here.
"""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events.topics import Group
from shared.kafka import offsets
from shared.kafka.reaching import Reached, arguments
from shared.postgres.pool import Pool

REQUEST_TIMEOUT_MS = 20_000


class CaughtUp:
    """Asked about an occasion (a number that grows), it marks the end of the log once and says
    whether the group has committed everything before the mark.

    A mark, because of a busy log nobody ever is at the very end. Not shared between tasks.
    """

    def __init__(
        self, pool: Pool, group: Group, *, bootstrap: Reached, namespace: str = ""
    ) -> None:
        self._pool = pool
        self._group = group
        self._bootstrap = bootstrap
        self._partitions = [
            TopicPartition(namespace + topic.name, number)
            for topic in group.topics
            for number in range(topic.partitions)
        ]
        self._marked: int | None = None
        self._mark: dict[TopicPartition, int] = {}

    async def __call__(self, occasion: int) -> bool:
        """Raises KafkaError when the broker is needed and away."""
        if self._marked != occasion:
            self._mark = await self._ends()
            self._marked = occasion
        if not self._mark:
            return True
        async with self._pool.acquire() as conn:
            left = [(tp.topic, tp.partition) for tp in self._mark]
            done = await offsets.load(conn, self._group.name, left)
        self._mark = {
            tp: end for tp, end in self._mark.items() if done[tp.topic, tp.partition] < end
        }
        return not self._mark

    async def _ends(self) -> dict[TopicPartition, int]:
        """The end of each partition that holds anything; what retention took cannot be read."""
        consumer = AIOKafkaConsumer(
            **arguments(self._bootstrap),
            client_id=f"trustfold-{self._group.name}-mark",
            enable_auto_commit=False,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        await consumer.start()
        try:
            first = await consumer.beginning_offsets(self._partitions)
            ends = await consumer.end_offsets(self._partitions)
        finally:
            await consumer.stop()
        return {tp: end for tp, end in ends.items() if end > first[tp]}
