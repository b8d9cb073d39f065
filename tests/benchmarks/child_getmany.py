"""The bare loop: aiokafka's `getmany` over the topics of insights, counting. Nothing else."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events.topics import INSIGHTS
from shared.kafka.consumer import (
    FETCH_MAX_BYTES,
    FETCH_MAX_WAIT_MS,
    PARTITION_FETCH_BYTES,
    POLL_TIMEOUT_MS,
)

MAX_RECORDS = 5_000


async def count(bootstrap: str, total: int) -> float:
    """Records a second, from the first batch's arrival to the last's."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
        fetch_max_bytes=FETCH_MAX_BYTES,
        max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
    )
    await consumer.start()
    try:
        consumer.assign(
            [TopicPartition(t.name, n) for t in INSIGHTS.topics for n in range(t.partitions)]
        )
        seen, first, started = 0, 0, 0.0
        while seen < total:
            found = await consumer.getmany(timeout_ms=POLL_TIMEOUT_MS, max_records=MAX_RECORDS)
            seen += sum(map(len, found.values()))
            if seen and not first:
                first, started = seen, time.perf_counter()
        return (seen - first) / (time.perf_counter() - started)
    finally:
        await consumer.stop()


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    print(json.dumps({"per_s": asyncio.run(count(given["bootstrap"], given["total"]))}))
