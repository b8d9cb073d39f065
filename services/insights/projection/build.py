"""A new projection, filled in bulk beside the live one, as far as the live one was at the start.

Several processes read a share of the partitions each; then evidence is put in order and each pair
is folded once. The live projection is only read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from services.insights.projection.children import Child, children
from services.insights.projection.log import Offsets, opened
from services.insights.projection.place import GROUP, Effort, Place, Progress, RebuildRefused
from services.insights.queries import loading, projection, swapping
from services.insights.queries.loading import LIVE, NEXT
from services.insights.queries.projection import Parked
from shared.kafka import offsets
from shared.kafka.reaching import written
from shared.postgres.migrate import migrate
from shared.postgres.pool import Connection
from shared.postgres.tenancy import SEES_ALL

MIGRATIONS = Path(__file__).parents[1] / "migrations"
LOADER = "services.insights.projection.loader"
# For the sorts that put evidence in order, one a process, and the one that makes its key.
SORT_MEMORY = "128MB"
# Smaller parts than processes, so that the last one to finish is not waited for long.
PARTS_PER_CHILD = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Built:
    """What was filled in: up to these offsets, without the records that were parked by then."""

    offsets: Offsets
    parked: Parked
    records: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class Share:
    """What one process reads: partition, from, to before."""

    partitions: list[tuple[str, int, int, int]]

    @property
    def records(self) -> int:
        return sum(end - start for *_, start, end in self.partitions)


async def connected(dsn: str, schema: str) -> Any:
    """A connection for statements that take as long as they take."""
    settings = {"search_path": schema, "jit": "off", **SEES_ALL}
    memory = {"work_mem": SORT_MEMORY, "maintenance_work_mem": SORT_MEMORY}
    return await asyncpg.connect(dsn, server_settings={**settings, **memory})


async def build(place: Place, effort: Effort, progress: Progress) -> Built:
    """Fill `insights_next` from the beginning of the log. What was there of an earlier build goes.

    Raises RebuildRefused, LogUnreadable or ChildFailed; the live projection is as it was.
    """
    async with children(effort.readers, LOADER) as workers:
        progress("a new schema", 0, 0)
        await _new_schema(place)
        live, new = await connected(place.dsn, LIVE), await connected(place.dsn, NEXT)
        try:
            async with live.transaction(isolation="repeatable_read", readonly=True):
                ends = await projection.offsets(live, GROUP)
                parked = await projection.parked(live, GROUP)
            if not any(ends.values()):
                raise RebuildRefused("insights has read nothing yet: there is nothing to rebuild")
            remake = await loading.unindex(new)
            await loading.stage(new, len(workers))
            built = await _load(place, effort, workers, Built(ends, parked, 0, 0), progress)
            progress("putting evidence in order", 0, 0)
            await _merge(place, len(workers), new)
            await loading.add_leaves(new)
            await loading.make(new, remake)
            await _fold(place, workers, new, progress)
            await offsets.load(new, GROUP, ends)
            await offsets.advance(new, GROUP, ends)
            return built
        finally:
            await live.close()
            await new.close()


async def _new_schema(place: Place) -> None:
    admin = await connected(place.admin_dsn, LIVE)
    try:
        await swapping.drop(admin, NEXT)
        await migrate(place.admin_dsn, place.dsn, service=NEXT, migrations=MIGRATIONS)
        if problems := await swapping.obstacles(admin):
            raise RebuildRefused("; ".join(problems))
        await loading.copy_configuration(admin)
    finally:
        await admin.close()


async def _load(
    place: Place, effort: Effort, workers: Sequence[Child], goal: Built, progress: Progress
) -> Built:
    async with opened(place.kafka) as log:
        begins = await log.begins(goal.offsets)
    shares = share_out(begins, goal.offsets, len(workers))
    total, done = sum(share.records for share in shares), [0] * len(shares)

    def hears(reader: int) -> Callable[[int], None]:
        def heard(count: int) -> None:
            done[reader] = count
            progress("reading the log", sum(done), total)

        return heard

    parked = [(*partition, sorted(found)) for partition, found in goal.parked.items()]
    order: dict[str, object] = {
        "work": "load",
        "dsn": place.dsn,
        "kafka": written(place.kafka),
        "batch": effort.batch,
    }
    order |= {"now": place.clock.now().isoformat(), "parked": parked}
    found = await _all(
        worker.do({**order, "reader": n, "partitions": share.partitions}, hears(n))
        for n, (worker, share) in enumerate(zip(workers, shares, strict=True))
    )
    records, unreadable = (sum(one[key] for one in found) for key in ("records", "unreadable"))
    return Built(goal.offsets, goal.parked, records, unreadable)


async def _merge(place: Place, readers: int, new: Connection) -> None:
    """A share of the pairs each on as many connections: Postgres sorts one in one process."""

    async def merge(after: int, up_to: int) -> None:
        conn = await connected(place.dsn, NEXT)
        try:
            await loading.merge(conn, readers, after, up_to)
        finally:
            await conn.close()

    await _all(merge(*part) for part in await loading.ranges(new, readers))
    await loading.unstage(new, readers)


async def _fold(
    place: Place, workers: Sequence[Child], new: Connection, progress: Progress
) -> None:
    waiting = await loading.ranges(new, len(workers) * PARTS_PER_CHILD)
    total, finished = len(waiting), 0

    async def keep_busy(worker: Child) -> None:
        nonlocal finished
        while waiting:
            order = {"work": "fold", "dsn": place.dsn, "range": waiting.pop()}
            await worker.do(order, lambda _: None)
            finished += 1
            progress("folding pairs", finished, total)

    await _all(keep_busy(worker) for worker in workers)


async def _all(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Everything at once; the first failure ends the rest."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def share_out(begins: Offsets, ends: Mapping[tuple[str, int], int], shares: int) -> list[Share]:
    """The partitions, the longest first, each to whoever has the least to read so far."""
    made = [Share([]) for _ in range(shares)]
    sized = {p: (begins.get(p, 0), end) for p, end in ends.items()}
    for (topic, number), (start, end) in sorted(
        sized.items(), key=lambda item: (item[1][0] - item[1][1], item[0])
    ):
        if start < end:
            min(made, key=lambda share: share.records).partitions.append(
                (topic, number, start, end)
            )
    return made
