"""The per-event design, as FastStream's documentation shows it: a transaction and a send a message.

The baseline, not a straw man: the same decoding and the same fold, C-coded UUIDs, no ORM, an
idempotent producer without linger. What it sends is smaller than the real `trust.changed`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from typing import Annotated, Any

from faststream import AckPolicy, Context
from faststream.kafka import KafkaBroker

from services.insights.domain.evidence import observe
from services.insights.domain.model import V1
from services.insights.domain.packing import pack, unpack
from services.insights.domain.state import PairState
from shared.events.envelope import Event, decode
from shared.events.topics import FEEDBACK, SESSIONS, TRUST
from shared.ids import TenantId
from shared.postgres.pool import Connection, Pool, open_pool

_CLAIM = "INSERT INTO inbox (event_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING 1"
_ADD = """
    INSERT INTO pair (tenant, pair_id, mentor_id, mentee_id) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant, pair_id) DO NOTHING
"""
_LOCK = "SELECT state FROM pair WHERE tenant = $1 AND pair_id = $2 FOR UPDATE"
_SAVE = "UPDATE pair SET state = $3 WHERE tenant = $1 AND pair_id = $2"


async def fold(conn: Connection, event: Event) -> int:
    """Count one fact; the revision of its pair."""
    fact: Any = event.fact
    where: tuple[TenantId, Any] = (event.tenant, fact.pair_id)
    item = observe(event)
    assert item is not None
    packed = await conn.fetchval(_LOCK, *where)
    if packed is None:
        await conn.execute(_ADD, *where, fact.mentor_id, fact.mentee_id)
        packed = await conn.fetchval(_LOCK, *where)
    state = unpack(packed, V1) if packed else PairState(V1)
    assert state is not None
    state.absorb(item)
    await conn.execute(_SAVE, *where, pack(state))
    return state.count


async def consume(bootstrap: str, pool: Pool, total: int) -> float:
    """Facts a second from the first one handled to the last."""
    broker = KafkaBroker(
        bootstrap, acks="all", enable_idempotence=True, linger_ms=0, logger=None,
        log_level=logging.ERROR,
    )  # fmt: skip
    times: list[float] = []
    done = asyncio.Event()

    @broker.subscriber(
        SESSIONS.name,
        FEEDBACK.name,
        group_id="per-event",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def on_fact(message: Annotated[Any, Context("message")]) -> None:
        record = message.raw_message
        event = decode(record.key, record.value, record.headers)
        async with pool.acquire() as conn, conn.transaction():
            if await conn.fetchval(_CLAIM, event.event_id) is None:
                return
            revision = await fold(conn, event)
        body = {"pair": event.fact.subject, "revision": revision}
        await broker.publish(body, topic=TRUST.name, key=record.key)
        times.append(time.perf_counter())
        if len(times) == total:
            done.set()

    async with broker:
        await broker.start()
        await done.wait()
    return (total - 1) / (times[-1] - times[0])


async def main(given: dict[str, Any]) -> dict[str, float]:
    pool = await open_pool(given["dsn"], service="insights", size=2)
    try:
        return {"per_s": await consume(given["bootstrap"], pool, given["total"])}
    finally:
        await pool.close()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.loads(sys.argv[1])))))
