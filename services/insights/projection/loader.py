"""A share of the work of a rebuild, in a process of its own: read partitions, or fold pairs.

`python -m services.insights.projection.loader`: orders come as lines of JSON, answers go out as
lines of JSON. It ends with its parent: when no more orders can come, nothing more is written.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg

from services.insights import models
from services.insights.domain.evidence import Evidence
from services.insights.domain.packing import pack
from services.insights.domain.state import refold
from services.insights.handlers import Batch, read_batch
from services.insights.projection.log import opened
from services.insights.queries import binary, evidence, loading, pairs, people
from services.insights.queries.binary import Row
from services.insights.queries.pairs import PairOf
from shared.errors import PoisonMessage
from shared.events.envelope import Event
from shared.ids import TenantId
from shared.kafka.delivery import read
from shared.kafka.reaching import read_back
from shared.postgres.pool import Connection
from shared.postgres.tenancy import SEES_ALL

FOLD_PAGE = 500
# A batch keeps thousands of small objects alive for a moment, and Python's collector looks at them
# again and again: a fifth of the time. Between batches there is next to nothing to look at.
COLLECT_EVERY = 20

Say = Callable[[Mapping[str, object]], None]
Pairs = Sequence[tuple[int, TenantId]]


class Loader:
    """Reads a share of the partitions into a staging table of its own."""

    def __init__(self, conn: Connection, order: Mapping[str, Any]) -> None:
        self._conn = conn
        self._reader = int(order["reader"])
        self._now = datetime.fromisoformat(order["now"])
        self._parked = {(t, p): frozenset(found) for t, p, found in order["parked"]}
        self._keys: dict[PairOf, int] = {}
        self._seq = 0
        self.records = self.unreadable = 0

    async def take(self, records: Sequence[Any], before: asyncio.Task[None] | None) -> list[Row]:
        """The rows of evidence in records; everything else of them is stored. Awaits `before`."""
        self.records += len(records)
        wanted = [
            r for r in records if r.offset not in self._parked.get((r.topic, r.partition), ())
        ]
        batch = read(wanted)
        events = [each.event for each in batch if each.event is not None]
        parts = list(batches(events, self._now))
        said = sum(count for _, count in parts)
        self.unreadable += len(wanted) - said
        if before is not None:
            await before
        rows: list[Row] = []
        for part, _ in parts:
            await self._keep(part)
            rows += self._rows(part)
        return rows

    async def _keep(self, batch: Batch) -> None:
        """Store what is not evidence: the pairs themselves, leaves and units."""
        new = {of: who for of, who in batch.members.items() if of not in self._keys}
        if new:
            await loading.add_pairs(self._conn, new)
            self._keys.update(await loading.keys_of(self._conn, new))
        keys = self._keys
        await pairs.save_started(self._conn, [(keys[of], at) for of, at in batch.started.items()])
        await pairs.save_ended(self._conn, [(keys[of], at) for of, at in batch.ended.items()])
        await people.save_units(self._conn, batch.units)
        if batch.leaves:
            await people.save_leaves(self._conn, batch.leaves)

    def _rows(self, batch: Batch) -> list[Row]:
        keys, first = self._keys, self._seq
        self._seq += len(batch.evidence)
        return [
            (keys[of], of[0], item, seq) for seq, (of, item) in enumerate(batch.evidence, first)
        ]


def batches(events: Sequence[Event], now: datetime) -> Iterator[tuple[Batch, int]]:
    """What the events say, and of how many: an event that says nothing sensible is left out."""
    if not events:
        return
    try:
        yield read_batch(events, now), len(events)
    except PoisonMessage:
        if len(events) > 1:
            middle = len(events) // 2
            yield from batches(events[:middle], now)
            yield from batches(events[middle:], now)


async def load(order: Mapping[str, Any], say: Say) -> dict[str, object]:
    """Read the partitions of the order; decoding goes on while a batch is being stored."""
    starts = {(t, p): at for t, p, at, _ in order["partitions"]}
    ends = {(t, p): end for t, p, _, end in order["partitions"]}
    storing: asyncio.Task[None] | None = None
    batches_read = 0
    async with _connected(order["dsn"]) as conn, opened(read_back(order["kafka"])) as log:
        loader = Loader(conn, order)
        async for records in log.read(starts, ends, order["batch"]):
            rows = await loader.take(records, storing)
            storing = asyncio.create_task(binary.put(conn, f"staged_{order['reader']}", rows))
            say({"done": loader.records})
            batches_read += 1
            if batches_read % COLLECT_EVERY == 0:
                gc.collect()
        if storing is not None:
            await storing
    return {"records": loader.records, "unreadable": loader.unreadable}


async def fold(order: Mapping[str, Any], say: Say) -> dict[str, object]:
    """Fold each pair of a range of keys once."""
    after, up_to = order["range"]
    done = 0
    async with _connected(order["dsn"]) as conn:
        while page := await loading.pairs_after(conn, after, up_to, FOLD_PAGE):
            last = page[-1][0]
            known = await binary.between(conn, after, last)
            await _save(conn, page, known)
            done, after = done + sum(map(len, known.values())), last
            say({"done": done})
    return {"facts": done}


async def fold_pairs(conn: Connection, page: Pairs) -> None:
    """Make the states of pairs from their stored evidence."""
    await _save(conn, page, await evidence.of_pairs(conn, [key for key, _ in page]))


async def _save(conn: Connection, page: Pairs, known: Mapping[int, list[Evidence]]) -> None:
    force = await models.in_force(conn, {tenant for _, tenant in page})
    packed = [
        (key, pack(refold(known[key], force[tenant].model)))
        for key, tenant in page
        if known.get(key)
    ]
    await loading.save_states(conn, packed)


async def with_leaves(conn: Connection, new: Pairs) -> None:
    """Give pairs that were just added the leaves that were told of their members."""
    if new:
        await loading.add_leaves(conn, [key for key, _ in new])
        await fold_pairs(conn, new)


@asynccontextmanager
async def _connected(dsn: str) -> Any:
    settings = {"search_path": loading.NEXT, "jit": "off", "synchronous_commit": "off", **SEES_ALL}
    conn = await asyncpg.connect(dsn, server_settings=settings)
    try:
        yield conn
    finally:
        await conn.close()


WORK = {"load": load, "fold": fold}


def _say(answer: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


async def _serve() -> None:
    orders: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def listen() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(orders.put_nowait, line)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        order = json.loads(await orders.get())
        try:
            _say({"result": await WORK[order["work"]](order, _say)})
        except Exception as error:  # the edge: the parent says it
            _say({"failed": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    gc.disable()
    asyncio.run(_serve())
