"""The log itself, up to given offsets: joins no group, commits nothing, decodes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.errors import TrustfoldError
from shared.kafka.offsets import Partition
from shared.kafka.reaching import Reached, arguments

Offsets: TypeAlias = Mapping[Partition, int]

CLIENT = "trustfold-insights-log"
FETCH_BYTES = 32 * 1024 * 1024
PARTITION_FETCH_BYTES = 4 * 1024 * 1024
POLL_TIMEOUT_MS = 100
# A broker that hands over nothing for so long is not coming back by itself.
SILENCE_S = 60.0


class LogUnreadable(TrustfoldError):
    """The log cannot be read as far as the stored offsets say it was."""


class Log:
    """A reader of some partitions. Make it with `opened`."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer

    async def begins(self, partitions: Iterable[Partition]) -> Offsets:
        """The first offset that is still there of each partition."""
        return _plain(await self._consumer.beginning_offsets(_named(partitions)))

    async def ends(self, partitions: Iterable[Partition]) -> Offsets:
        """The offset after the last record of each partition."""
        return _plain(await self._consumer.end_offsets(_named(partitions)))

    async def read(self, starts: Offsets, ends: Offsets, most: int) -> AsyncIterator[Sequence[Any]]:
        """Records from `starts` to before `ends`, up to `most` at once, in order per partition.

        Raises LogUnreadable when the log ends before, or when the broker falls silent.
        """
        left = {p: end for p, end in ends.items() if starts.get(p, 0) < end}
        if not left:
            return
        await self._check(left)
        waiting = {TopicPartition(*p): end for p, end in left.items()}
        self._consumer.assign(list(waiting))
        for tp in waiting:
            self._consumer.seek(tp, starts.get((tp.topic, tp.partition), 0))
        heard = asyncio.get_running_loop().time()
        while waiting:
            found = await self._consumer.getmany(timeout_ms=POLL_TIMEOUT_MS, max_records=most)
            records: list[Any] = []
            for tp, run in found.items():
                if tp in waiting:
                    records += _before(run, waiting[tp])
            for tp in [tp for tp, end in waiting.items() if await self._at(tp) >= end]:
                del waiting[tp]
                self._consumer.pause(tp)
            now = asyncio.get_running_loop().time()
            heard = now if found else heard
            if now - heard > SILENCE_S:
                raise LogUnreadable(f"the broker was silent for {SILENCE_S:.0f} s")
            if records:
                yield records

    async def _at(self, tp: TopicPartition) -> int:
        return int(await self._consumer.position(tp))

    async def _check(self, wanted: Offsets) -> None:
        ends = await self.ends(wanted)
        for partition, end in wanted.items():
            if ends[partition] < end:
                raise LogUnreadable(
                    f"{partition[0]} partition {partition[1]} ends at {ends[partition]}, but was "
                    f"read up to {end}: the topic was made anew (docs/runbooks)"
                )


@asynccontextmanager
async def opened(bootstrap: Reached) -> AsyncIterator[Log]:
    """A log reader. Raises KafkaError when the broker cannot be reached."""
    consumer = AIOKafkaConsumer(
        **arguments(bootstrap),
        client_id=CLIENT,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_bytes=FETCH_BYTES,
        max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
    )
    await consumer.start()
    # aiokafka cannot stop before its own tasks have begun (0.14.0: a CancelledError from `stop`).
    await asyncio.sleep(0)
    try:
        yield Log(consumer)
    finally:
        await consumer.stop()


def _before(run: Sequence[Any], end: int) -> Sequence[Any]:
    return run if run[-1].offset < end else [record for record in run if record.offset < end]


def _named(partitions: Iterable[Partition]) -> list[TopicPartition]:
    return [TopicPartition(*partition) for partition in partitions]


def _plain(found: Mapping[TopicPartition, int]) -> Offsets:
    return {(tp.topic, tp.partition): offset for tp, offset in found.items()}
