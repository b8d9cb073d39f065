"""The parts of the relay's drain, each timed: by the wall clock, and Python's share of it."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Awaitable
from typing import Any, TypeVar

from shared.kafka.producer import Producer
from shared.postgres import outbox
from shared.postgres.pool import open_pool
from shared.relay import DRAIN_BATCH
from shared.runtime import COLLECT_AFTER

T = TypeVar("T")


class Clocks:
    """Wall and processor seconds by part."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}

    async def time(self, part: str, work: Awaitable[T]) -> T:
        """Await the work and add what it took to its part."""
        wall, cpu = time.perf_counter(), time.process_time()
        answer = await work
        spent = self.spent.setdefault(part, [0.0, 0.0])
        spent[0] += time.perf_counter() - wall
        spent[1] += time.process_time() - cpu
        return answer


async def main(given: dict[str, Any]) -> dict[str, Any]:
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)
    pool = await open_pool(given["dsn"], service="sessions", size=2)
    producer = Producer(given["bootstrap"], client_id="trustfold-benchmark-relay")
    clocks, done = Clocks(), 0
    try:
        async with pool.acquire() as conn:
            # The first batch connects the producer: settled, not counted.
            first = await outbox.take(conn, DRAIN_BATCH)
            await producer.send_all(first)
            await outbox.settle(conn, [fact.position for fact in first])
            while waiting := await clocks.time("take", outbox.take(conn, DRAIN_BATCH)):
                await clocks.time("send", producer.send_all(waiting))
                positions = [fact.position for fact in waiting]
                await clocks.time("settle", outbox.settle(conn, positions))
                done += len(waiting)
    finally:
        await producer.close()
        await pool.close()
    return {"facts": done, "spent": clocks.spent}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.loads(sys.argv[1])))))
