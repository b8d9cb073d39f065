"""The Kafka edge: FastStream as the shell, raw records in, our delivery inside. Decodes nothing.

FastStream brings the lifecycle; its own parsing and acknowledging are not used, because a null
header value loses a batch, an error is swallowed, and an ack commits every position (0.7.8).
Kafka's committed offset is a hint for lag monitors: the truth is in Postgres (`offsets`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Annotated, Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError
from faststream import AckPolicy, Context
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage

from shared import metrics
from shared.events.topics import Group
from shared.kafka.delivery import Delivery, OffsetMovedBack, Read, read
from shared.kafka.ends import End, ends_of
from shared.kafka.reaching import Reached, as_faststream
from shared.logging import logger

POLL_TIMEOUT_MS = 20
FETCH_MAX_WAIT_MS = 100
FETCH_MAX_BYTES = 8 * 1024 * 1024
PARTITION_FETCH_BYTES = 1024 * 1024
SESSION_TIMEOUT_MS = 10_000
HEARTBEAT_MS = 1_000
MAX_POLL_INTERVAL_MS = 300_000
_FETCHING: dict[str, Any] = {
    "fetch_max_wait_ms": FETCH_MAX_WAIT_MS,
    "fetch_max_bytes": FETCH_MAX_BYTES,
    "max_partition_fetch_bytes": PARTITION_FETCH_BYTES,
}
_MEMBERSHIP: dict[str, Any] = {
    "session_timeout_ms": SESSION_TIMEOUT_MS,
    "heartbeat_interval_ms": HEARTBEAT_MS,
    "max_poll_interval_ms": MAX_POLL_INTERVAL_MS,
}
HINT_EVERY_S = 1.0
HINT_TIMEOUT_S = 5.0
GRACEFUL_TIMEOUT_S = 15.0
# A stored offset beyond the log's end would hide new records until they passed it.
RECREATED = "{} was made anew: its log is shorter than what was read (docs/runbooks)"

log = logger("consumer")


async def _raw(records: Any) -> KafkaMessage:
    """FastStream's parser: carries the records through untouched, whatever their headers hold."""
    return KafkaMessage(raw_message=records, body=b"", consumer=None)  # type: ignore[arg-type]


async def _undecoded(message: Any) -> Any:
    return message


class Consumer:
    """One member of a group: reads its topics in one subscription and hands batches to delivery."""

    def __init__(
        self,
        group: Group,
        delivery: Delivery,
        *,
        bootstrap: Reached,
        namespace: str,
        max_batch: int,
        suffix: str = "",
    ) -> None:
        self._delivery = delivery
        # The next offset of each partition that is ours and was sought; how often it was.
        self._next: dict[TopicPartition, int] = {}
        self._sought = 0
        self.halted: str | None = None
        self._hinted_at = 0.0
        self._committing: asyncio.Task[None] | None = None
        self._broker = KafkaBroker(
            **as_faststream(bootstrap),
            client_id=f"trustfold-{group.name}",
            allow_auto_create_topics=False,
            graceful_timeout=GRACEFUL_TIMEOUT_S,
            logger=logging.getLogger("faststream.silent"),
            log_level=logging.DEBUG,
        )
        self._subscriber = self._broker.subscriber(
            *(namespace + topic.name for topic in group.topics),
            group_id=namespace + group.name + suffix,
            batch=True,
            max_records=max_batch,
            batch_timeout_ms=POLL_TIMEOUT_MS,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            **_FETCHING,
            **_MEMBERSHIP,
            listener=_Seeker(self),
            parser=_raw,
            decoder=_undecoded,
        )
        self._subscriber(self._on_batch)

    async def start(self) -> None:
        """Join the group. Raises KafkaError when the broker cannot be reached."""
        logging.getLogger("faststream.silent").setLevel(logging.ERROR)
        await self._broker.start()

    async def stop(self) -> None:
        """Finish the batch in hand (or give it up when it cannot be), leave the group."""
        giving_up = asyncio.get_running_loop().call_later(
            GRACEFUL_TIMEOUT_S * 2 / 3, self._delivery.stop
        )
        try:
            await self._broker.stop()
            await self._committed()
        finally:
            giving_up.cancel()

    async def _on_batch(self, message: Annotated[Any, Context("message")]) -> None:
        sought = self._sought
        records = await self._taken(message.raw_message)
        # FastStream's message is part of a cycle: without this a batch lives until the collector
        # comes by, and a worker grows to twice its size.
        message.raw_message = ()
        if not records:
            return
        try:
            # While the database works on one batch, the next is fetched and decoded here. One
            # transaction follows the other, so the order is that of the log.
            batch = read(records)
            await self._committed()
            if sought == self._sought:  # else the batch is not what comes next any more
                self._committing = asyncio.create_task(self._commit(batch))
        except Exception as error:
            # FastStream would go on with the next batch and lose this one.
            self._halt(f"delivery broke: {type(error).__name__}")

    async def _taken(self, raw: Sequence[Any]) -> list[Any]:
        """The records to deliver. One fetched before its partition was sought comes again after."""
        records: list[Any] = []
        for tp, run in by_partition(raw):
            expected = self._next.get(tp)
            if expected is None:
                continue
            if run[0].offset < expected and self._ends_before(tp, expected):
                self._halt(RECREATED.format(tp.topic))
                return []
            if run[0].offset > expected and await self._fetched_before(tp, run):
                continue
            records += run
            self._next[tp] = run[-1].offset + 1
        return records

    def _ends_before(self, tp: TopicPartition, offset: int) -> bool:
        """Whether the log is shorter than what was read from it.

        Going back alone proves nothing: aiokafka may reset a position that was just sought.
        """
        consumer = self._subscriber.consumer
        end = consumer.highwater(tp) if consumer is not None else None
        return end is not None and end < offset

    async def _fetched_before(self, tp: TopicPartition, run: Sequence[Any]) -> bool:
        """Whether records past a gap were on their way while their partition was sought back.

        A gap alone proves nothing (compaction), but the position has passed what was fetched since.
        """
        try:
            return bool(await self._subscriber.consumer.position(tp) <= run[-1].offset)
        except IllegalStateError:
            return True  # not ours any more

    def _halt(self, why: str) -> None:
        """Take nothing more: not ready, and the watchdog ends the process after a while."""
        self.halted = why
        self._next.clear()
        log.error("taking no more", action="halt", reason=why, exc_info=True)

    async def _committed(self) -> None:
        """Return when the batch in the air is committed."""
        if self._committing is not None:
            await self._committing

    async def _landed(self) -> None:
        """Return when no batch from before is in the air: it would be taken for what comes next."""
        if self._committing not in (None, asyncio.current_task()):
            await asyncio.wait([self._committing])

    async def _commit(self, batch: Sequence[Read]) -> None:
        try:
            await self._delivery.commit(batch)
        except OffsetMovedBack:
            await self._read_again()
        await self.hint()

    async def recheck(self) -> None:
        """Notice an offset that was moved back although no record comes by that would show it."""
        mine = [(tp.topic, tp.partition) for tp in self._next]
        if mine and await self._delivery.moved_back(mine):
            await self._read_again()

    async def _read_again(self) -> None:
        log.warning("a stored offset was moved back: reading again", action="moved_back")
        with suppress(IllegalStateError):  # a rebalance came first, and seeks by itself
            await self.seek(list(self._next))

    async def seek(self, partitions: Iterable[TopicPartition]) -> None:
        """Move the consumer to where Postgres says the group stands."""
        assigned = sorted(partitions)
        self._sought += 1
        self._next.clear()
        await self._landed()
        if not assigned:
            return
        positions = await self._delivery.positions([(tp.topic, tp.partition) for tp in assigned])
        consumer = self._subscriber.consumer
        assert consumer is not None
        ends = await consumer.end_offsets(assigned)
        for tp in assigned:
            if positions[tp.topic, tp.partition] > ends[tp]:
                self._halt(RECREATED.format(tp.topic))
                return
        for tp in assigned:
            consumer.seek(tp, positions[tp.topic, tp.partition])
            self._next[tp] = positions[tp.topic, tp.partition]
        self._delivery.progress.committed.update(positions)
        self.halted = None
        log.info("assigned", action="assign", partitions=len(assigned))

    def forget(self) -> None:
        """The group is rebalancing: nothing is ours until it is assigned again."""
        self._next.clear()

    async def hint(self) -> None:
        """Tell Kafka where we are, at most every HINT_EVERY_S. Failing to is harmless."""
        now = time.monotonic()
        consumer = self._subscriber.consumer
        if now - self._hinted_at < HINT_EVERY_S or consumer is None:
            return
        done = {
            tp: self._delivery.progress.committed[tp.topic, tp.partition]
            for tp in self._next
            if (tp.topic, tp.partition) in self._delivery.progress.committed
        }
        if not done:  # between two assignments, or while a partition is sought
            return
        self._hinted_at = now
        with suppress(KafkaError, ConsumerStoppedError, TimeoutError):
            await asyncio.wait_for(consumer.commit(done), HINT_TIMEOUT_S)
        metrics.LAG.labels(self._delivery.group).set(self.lag())

    def assigned(self) -> int:
        """How many partitions this member reads."""
        return len(self._next)

    def ends(self) -> list[End]:
        """How far each partition that is ours goes, as the broker last said it."""
        return ends_of(self._subscriber.consumer, self._next)

    def lag(self) -> int:
        """Records between what is committed and the end of the log, as far as it is known."""
        done = self._delivery.progress.committed
        left = (it.offset - done.get((it.topic, it.partition), it.offset) for it in self.ends())
        return sum(max(0, records) for records in left)

    def poll_age_s(self) -> float | None:
        """Seconds since the broker last answered a fetch; None before the first answer."""
        return min((end.age_s for end in self.ends()), default=None)


def by_partition(records: Sequence[Any]) -> Iterator[tuple[TopicPartition, Sequence[Any]]]:
    """The runs of one partition in a batch: records of a partition stand together."""
    start = 0
    for place, it in enumerate(records):
        first = records[start]
        if it.partition != first.partition or it.topic != first.topic:
            yield TopicPartition(first.topic, first.partition), records[start:place]
            start = place
    if records:
        first = records[start]
        yield TopicPartition(first.topic, first.partition), records[start:]


class _Seeker(ConsumerRebalanceListener):  # type: ignore[misc]
    """aiokafka awaits these before it hands out records of the new assignment."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, _revoked: Iterable[TopicPartition]) -> None:
        self._consumer.forget()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        await self._consumer.seek(assigned)
