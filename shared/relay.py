"""The relay: from a service's outbox to Kafka, in order per key, until every fact is there.

One leader per service (an advisory lock on the connection that does the work). A row is deleted
after the broker has acknowledged it; a crash in between sends it again with the same id. It looks
at what waits, never at a last position, so a transaction that commits late is not skipped.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from shared import metrics
from shared.events.topics import DEAD_LETTER_SUFFIX
from shared.kafka import dead_letters
from shared.kafka.dead_letters import DeadLetter
from shared.kafka.producer import Producer, PublishFailed
from shared.kafka.telling import tell_published
from shared.logging import logger
from shared.postgres import outbox
from shared.postgres.outbox import Waiting
from shared.postgres.pool import UNAVAILABLE, Connection, Pool

DRAIN_BATCH = 2_000
# Then from the start again: a transaction that committed late stands before what was read.
DRAIN_ROUNDS = 8
DEAD_LETTER_BATCH = 100
# Between two drains of what came meanwhile: with every fact by itself, broker, database and relay
# would do as much for each as for twenty (docs/explanation/performance.md).
GATHER_S = 0.01
BUSY_POLL_S = 0.005
IDLE_POLL_S = 0.05
IDLE_AFTER_POLLS = 100
STANDBY_S = 1.0
RETRY_S = 0.5
# Any number will do as long as every relay of a service uses the same one.
_LEAD = "SELECT pg_try_advisory_lock(hashtextextended('trustfold relay ' || current_schema(), 0))"
_GIVE_UP = "SELECT pg_advisory_unlock_all()"

log = logger("relay")


@dataclass(frozen=True, slots=True)
class _Record:
    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Relay:
    """Drains one service's outbox for as long as it runs."""

    def __init__(
        self, service: str, pool: Pool, producer: Producer, *, namespace: str = ""
    ) -> None:
        self._service = service
        self._pool = pool
        self._producer = producer
        self._namespace = namespace
        self._stopping = asyncio.Event()
        self.leading = False
        metrics.RELAY_LEADS.labels(service).set(0)

    def stop(self) -> None:
        """Finish the batch in hand, then return from `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Lead or stand by until stopped; outages of broker or database are waited out."""
        try:
            while not self._stopping.is_set():
                try:
                    async with self._pool.acquire() as conn:
                        try:
                            await self._lead(conn)
                        finally:
                            await self._give_up(conn)
                except UNAVAILABLE as error:
                    log.warning("database away", action="retry", error=type(error).__name__)
                    await self._pause(RETRY_S)
                self.leading = False
                metrics.RELAY_LEADS.labels(self._service).set(0)
        finally:
            await self._producer.close()

    async def _lead(self, conn: Connection) -> None:
        if not await conn.fetchval(_LEAD):
            await self._pause(STANDBY_S)
            return
        self.leading = True
        metrics.RELAY_LEADS.labels(self._service).set(1)
        log.info("leading", action="lead", service=self._service)
        quiet = 0
        while not self._stopping.is_set():
            try:
                moved = await self.drain(conn)
            except PublishFailed as error:
                metrics.RELAY_FAILURES.labels(self._service).inc()
                log.warning("will publish again", action="retry", detail=str(error))
                await self._pause(RETRY_S)
                continue
            quiet = 0 if moved else quiet + 1
            if moved < DRAIN_BATCH:
                await self._pause(_rest_s(moved, quiet))

    async def _give_up(self, conn: Connection) -> None:
        """Nobody leads by a connection that goes back to the pool."""
        if not conn.is_closed():
            await conn.execute(_GIVE_UP)

    async def drain(self, conn: Connection) -> int:
        """Publish what waits, up to DRAIN_ROUNDS batches; how many.

        Raises PublishFailed: of the batch that failed, nothing is settled.
        """
        moved = 0
        batch = await outbox.take(conn, DRAIN_BATCH)
        for _ in range(DRAIN_ROUNDS):
            if not batch:
                break
            # The next batch is read while the broker has this one.
            records = [self._record(fact) for fact in batch]
            started = time.monotonic()
            sending = asyncio.create_task(self._producer.send_all(records))
            try:
                more = len(batch) == DRAIN_BATCH
                last = batch[-1].position
                following = await outbox.take(conn, DRAIN_BATCH, after=last) if more else []
            finally:
                await sending
            await outbox.settle(conn, [fact.position for fact in batch])
            metrics.RELAYED.labels(self._service).inc(len(batch))
            tell_published(batch, time.monotonic() - started)
            moved += len(batch)
            batch = following
        return moved + await self._publish_dead_letters(conn)

    async def _publish_dead_letters(self, conn: Connection) -> int:
        letters = await dead_letters.unpublished(conn, DEAD_LETTER_BATCH)
        if letters:
            await self._producer.send_all([_dead_letter(letter) for letter in letters])
            await dead_letters.mark_published(conn, [letter.id for letter in letters])
        return len(letters)

    def _record(self, fact: Waiting) -> Waiting | _Record:
        if not self._namespace:
            return fact
        return _Record(self._namespace + fact.topic, fact.key, fact.value, fact.headers)

    async def _pause(self, delay_s: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), delay_s)
        except TimeoutError:
            return


def _rest_s(moved: int, quiet: int) -> float:
    if moved:
        return GATHER_S
    return BUSY_POLL_S if quiet < IDLE_AFTER_POLLS else IDLE_POLL_S


def _dead_letter(letter: DeadLetter) -> _Record:
    """The record as it came, with why it is here added behind its own headers."""
    why = {
        "dlq_reason": letter.reason,
        "dlq_detail": letter.detail,
        "dlq_topic": letter.topic,
        "dlq_partition": str(letter.partition),
        "dlq_offset": str(letter.offset),
        "dlq_timestamp_ms": str(letter.timestamp),
        "dlq_group": letter.group,
        "dlq_attempts": str(letter.attempts),
        "dlq_id": str(letter.id),
    }
    added = [(name, text.encode()) for name, text in why.items()]
    topic = f"{letter.topic}.{letter.group}.{DEAD_LETTER_SUFFIX}"
    return _Record(topic, letter.key, letter.value, [*letter.headers, *added])
