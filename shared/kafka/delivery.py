"""Delivery: a batch of records becomes effects, inbox marks and offsets in one transaction.

What it guarantees: nothing lost (the offset commits with the effects), counted once (the service's
inbox), poison never blocks (bounded tries, then a dead letter, up to a cap). It never returns
from a batch without having committed it, unless it is told to stop. It does not know FastStream.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from shared import metrics
from shared.clock import Clock
from shared.errors import PoisonMessage, Retryable, TrustfoldError
from shared.events.envelope import Event, decode
from shared.events.topics import COMPACTED
from shared.kafka import dead_letters, offsets
from shared.kafka.offsets import Partition
from shared.kafka.per_fact import Apply
from shared.kafka.record import Record
from shared.kafka.telling import tell_committed, who
from shared.logging import logger
from shared.postgres.pool import UNAVAILABLE, Connection, Pool

FIRST_BACKOFF_S = 0.05
MAX_BACKOFF_S = 5.0
REDRIVE_BATCH = 100

# Nothing is wrong with the record: wait as long as it takes, park nothing.
TRY_AGAIN: tuple[type[Exception], ...] = (*UNAVAILABLE, Retryable)

log = logger("delivery")


class OffsetMovedBack(TrustfoldError):
    """A stored offset is lower than this worker left it: what lies between has to be read again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How often a record's handler may fail, and how many dead letters may wait undecided."""

    handler_attempts: int = 4
    dead_letter_cap: int = 1_000


@dataclass(slots=True)
class Progress:
    """What health and the watchdog look at; times are `time.monotonic()` seconds."""

    busy_since: float | None = None
    committed_at: float | None = None
    committed: dict[Partition, int] = field(default_factory=dict)
    cap_reached: bool = False


class Read(NamedTuple):
    """A record and its event, with an error that says why it is not handled.

    No event where it could not be read, and nothing of either for a tombstone: somebody has erased
    what the key named, and everybody has been told.
    """

    record: Record
    event: Event | None
    error: Exception | None = None
    attempts: int = 1

    @property
    def reason(self) -> str:
        return self.error.reason if isinstance(self.error, PoisonMessage) else "handler_failed"

    @property
    def detail(self) -> str:
        # A handler's own message may quote data; its class never does.
        known = isinstance(self.error, PoisonMessage)
        return str(self.error) if known else type(self.error).__name__


def read(records: Sequence[Record]) -> list[Read]:
    """Decode records, in order. A record that cannot be decoded is there with its error."""
    batch = []
    new = tuple.__new__  # what Read() does, at a third of its price: once per record
    for record in records:
        if record.value is None and record.topic.endswith(COMPACTED):
            batch.append(Read(record, None))
            continue
        try:
            event = decode(record.key, record.value, record.headers)
            batch.append(new(Read, (record, event, None, 1)))
        except PoisonMessage as error:
            batch.append(Read(record, None, error))
    return batch


class Delivery:
    """Delivers the records of one group to one service."""

    def __init__(
        self, group: str, pool: Pool, apply: Apply, clock: Clock, limits: Limits | None = None
    ) -> None:
        self.group = group
        self.progress = Progress()
        # Called after each commit; must not raise.
        self.on_commit: Callable[[], None] | None = None
        self._pool = pool
        self._apply = apply
        self._clock = clock
        self._limits = limits or Limits()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Give up on a batch that cannot be committed; it will be delivered again."""
        self._stopping.set()

    async def positions(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Where to start reading each partition. Waits for the database as long as it takes."""
        for attempt in range(10**9):
            try:
                async with self._pool.acquire() as conn:
                    return await offsets.load(conn, self.group, partitions)
            except UNAVAILABLE as error:
                await self._back_off(error, attempt)
                if self._stopping.is_set():
                    raise
        raise AssertionError("unreachable")

    async def moved_back(self, partitions: Sequence[Partition]) -> bool:
        """Whether somebody moved a stored offset back (a rollback, a restore) since we left it."""
        left = dict(self.progress.committed)
        async with self._pool.acquire() as conn:
            stored = await offsets.load(conn, self.group, partitions)
        return _behind(stored, left)

    async def deliver(self, records: Sequence[Record]) -> None:
        """`read`, then `commit`."""
        await self.commit(read(records))

    async def commit(self, batch: Sequence[Read]) -> None:
        """Apply what was read (contiguous per partition). Returns when committed, or stopping.

        Raises OffsetMovedBack, with nothing applied of what is not contiguous any more.
        """
        started = time.monotonic()
        self.progress.busy_since = started
        try:
            await self._commit(batch)
        finally:
            self.progress.busy_since = None
        metrics.BATCH_SECONDS.labels(self.group).observe(time.monotonic() - started)

    async def _commit(self, batch: Sequence[Read]) -> None:
        """Try until committed; a batch that a handler cannot bear is halved to find the record."""
        attempt = 0
        while not self._stopping.is_set():
            try:
                await self._transact(batch)
                return
            except OffsetMovedBack:
                raise
            except TRY_AGAIN as error:
                await self._back_off(error, attempt)
            except Exception as error:
                if len(batch) > 1:
                    middle = len(batch) // 2
                    await self._commit(batch[:middle])
                    await self._commit(batch[middle:])
                    return
                tried = attempt + 1
                if isinstance(error, PoisonMessage) or tried >= self._limits.handler_attempts:
                    batch = [Read(batch[0].record, batch[0].event, error, tried)]
                else:
                    await self._back_off(error, attempt)
            attempt += 1

    async def _transact(self, batch: Sequence[Read]) -> None:
        """One transaction: lock offsets, drop what is done, apply, park, advance."""
        started = time.monotonic()
        ends = {(r.topic, r.partition): r.offset + 1 for r, *_ in batch}
        firsts = {(r.topic, r.partition): r.offset for r, *_ in reversed(batch)}
        async with self._pool.acquire() as conn:
            async with conn.transaction():
                starts = await offsets.lock(conn, self.group, ends)
                # Not against the batch's first offset: a compacted log has gaps of its own.
                if _behind(starts, self.progress.committed):
                    raise OffsetMovedBack
                fresh = batch
                if any(starts[p] > first for p, first in firsts.items()):
                    fresh = [it for it in batch if it.record.offset >= starts[_of(it.record)]]
                parked = await self._apply_fresh(conn, fresh)
                if fresh:
                    await offsets.advance(
                        conn, self.group, {p: max(end, starts[p]) for p, end in ends.items()}
                    )
            self._committed(ends, applied=len(fresh) - parked, parked=parked)
        events, took_s = _readable(fresh), time.monotonic() - started
        tell_committed(self.group, events, self._clock.now(), took_s)
        if repeated := len(batch) - len(fresh):
            metrics.RECORDS.labels(self.group, "repeated").inc(repeated)

    async def _apply_fresh(self, conn: Connection, fresh: Sequence[Read]) -> int:
        """Apply what could be read, park what could not; how many were parked."""
        events = _readable(fresh)
        if events:
            await self._apply(conn, events, self._clock.now())
        troubles = [it for it in fresh if it.error is not None]
        for trouble in troubles:
            await self._park(conn, trouble)
        if troubles:
            await dead_letters.check_cap(conn, self.group, self._limits.dead_letter_cap)
        return len(troubles)

    async def _park(self, conn: Connection, trouble: Read) -> None:
        record, reason, detail = trouble.record, trouble.reason, trouble.detail
        await dead_letters.park(
            conn, self.group, record, reason=reason, detail=detail, attempts=trouble.attempts
        )
        log.warning(
            "dead letter",
            action="park",
            group=self.group,
            reason=reason,
            detail=detail,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            **who(trouble.event),
        )

    def _committed(self, ends: dict[Partition, int], *, applied: int, parked: int) -> None:
        self.progress.committed_at = time.monotonic()
        self.progress.committed.update(ends)
        self.progress.cap_reached = False
        if self.on_commit is not None:
            self.on_commit()
        metrics.RECORDS.labels(self.group, "applied").inc(applied)
        if parked:
            metrics.RECORDS.labels(self.group, "dead_lettered").inc(parked)

    async def redrive(self) -> int:
        """Try dead letters again that an operator asked for; how many were decided."""
        async with self._pool.acquire() as conn, conn.transaction():
            letters = await dead_letters.take_redriving(conn, self.group, REDRIVE_BATCH)
            for letter in letters:
                try:
                    async with conn.transaction():
                        event = decode(letter.key, letter.value, letter.headers)
                        await self._apply(conn, [event], self._clock.now())
                        await dead_letters.settle(conn, letter.id, "redriven", None)
                except UNAVAILABLE:
                    raise
                except Exception as error:
                    detail = (
                        str(error) if isinstance(error, PoisonMessage) else type(error).__name__
                    )
                    await dead_letters.settle(conn, letter.id, "parked", detail)
        return len(letters)

    async def _back_off(self, error: BaseException, attempt: int) -> None:
        """Wait, doubling up to MAX_BACKOFF_S with jitter, or until told to stop."""
        self.progress.cap_reached = isinstance(error, dead_letters.DeadLetterCapReached)
        metrics.RETRIES.labels(self.group, type(error).__name__).inc()
        delay = min(MAX_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(attempt, 16))
        delay *= random.uniform(0.5, 1.0)
        log.warning(
            "will try again",
            action="retry",
            group=self.group,
            error=type(error).__name__,
            attempt=attempt,
            delay_s=round(delay, 3),
        )
        try:
            await asyncio.wait_for(self._stopping.wait(), delay)
        except TimeoutError:
            return


def _readable(batch: Sequence[Read]) -> list[Event]:
    return [it.event for it in batch if it.error is None and it.event is not None]


def _of(record: Record) -> Partition:
    return record.topic, record.partition


def _behind(stored: Mapping[Partition, int], left: Mapping[Partition, int]) -> bool:
    return any(left.get(partition, 0) > offset for partition, offset in stored.items())
