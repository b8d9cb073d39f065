"""Puts lines on record, many in one transaction. Decides not what is a line.

Group commit: lines that come while a batch is being written are the next batch. The chain is made
where the batch is written, under a lock for each tenant: nothing on record is ever unchained, and
two processes never fork a chain (docs/decisions/0039-every-answer-on-record.md).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

import asyncpg

from shared import metrics
from shared.audit import queries
from shared.audit.line import Head, Line, Link, chain
from shared.errors import Retryable
from shared.ids import TenantId
from shared.logging import logger
from shared.postgres.pool import UNAVAILABLE, Connection, Pool
from shared.postgres.tenancy import EVERY_TENANT, acting_for

# Lines. What comes above that is refused at once: memory is bounded.
MOST_WAITING = 5_000
MOST_AT_ONCE = 500
# A request waits for its line no longer than that.
PATIENCE_S = 10.0

_AWAY: tuple[type[Exception], ...] = (*UNAVAILABLE, asyncpg.PostgresError)

log = logger("audit")


class Unrecorded(Retryable):
    """What was asked cannot be put on record now, so it is not done or not shown."""


class Recorder:
    """The audit trail of one service, as one of its processes writes it."""

    def __init__(self, service: str, pool: Pool, *, most_waiting: int = MOST_WAITING) -> None:
        self._service, self._pool, self._most = service, pool, most_waiting
        self._waiting: deque[tuple[Line, asyncio.Future[None] | None]] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def write(self, line: Line) -> None:
        """Return once the line is on record. Raises Unrecorded when it is not, or may not be."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if len(self._waiting) >= self._most:
            metrics.AUDIT_FAILURES.labels(self._service).inc()
            raise Unrecorded
        self._add(line, done)
        try:
            await asyncio.wait_for(done, PATIENCE_S)
        except TimeoutError:
            raise Unrecorded from None

    def note(self, line: Line) -> None:
        """Put a line on record soon. For how something went of which the beginning stands there.

        What cannot be written is told to the log.
        """
        if len(self._waiting) >= self._most:
            self._lost(line)
            return
        self._add(line, None)

    async def aclose(self) -> None:
        """Return once what waits is written, or cannot be."""
        if self._writing is not None:
            await self._writing

    def _add(self, line: Line, done: asyncio.Future[None] | None) -> None:
        self._waiting.append((line, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())

    async def _write_all(self) -> None:
        while self._waiting:
            size = min(len(self._waiting), MOST_AT_ONCE)
            batch = [self._waiting.popleft() for _ in range(size)]
            try:
                await append(self._pool, self._service, [line for line, _ in batch])
            except _AWAY as error:
                metrics.AUDIT_FAILURES.labels(self._service).inc(size)
                log.error("not on record", action="audit", lines=size, error=type(error).__name__)
                self._fail(batch)
            else:
                for _, done in batch:
                    if done is not None and not done.done():
                        done.set_result(None)

    def _fail(self, batch: Sequence[tuple[Line, asyncio.Future[None] | None]]) -> None:
        for line, done in batch:
            if done is None:
                self._lost(line)
            elif not done.done():
                done.set_exception(Unrecorded())

    def _lost(self, line: Line) -> None:
        log.error(
            "how a change went is not on record, only that it began",
            action="audit_lost", request=str(line.request), status=line.status,
        )  # fmt: skip


async def append(pool: Pool, service: str, lines: Sequence[Line]) -> None:
    """Chain the lines, in this order for each tenant, and commit them. All or none."""
    async with acting_for(pool, TenantId(EVERY_TENANT)) as conn:
        await append_in(conn, service, lines)


async def append_in(conn: Connection, service: str, lines: Sequence[Line]) -> list[Head]:
    """As `append`, in a transaction that acts for every tenant of the lines; the chains' heads."""
    by_tenant: dict[TenantId, list[Line]] = {}
    for line in lines:
        by_tenant.setdefault(line.tenant, []).append(line)
    await queries.hold(conn, by_tenant)
    at = await queries.heads(conn, service, by_tenant)
    links: list[Link] = []
    ends = []
    for tenant, those in by_tenant.items():
        links += chain(those, at[tenant])
        ends.append(Head(links[-1].seq, links[-1].hash))
    await queries.append(conn, links)
    return ends
