"""Build, follow, compare, swap; or swap back. The live projection is in service all the time.

Its workers wait only while the new one goes the last few records and its tables change places.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from services.insights import alerting, managed, measuring, surfacing
from services.insights.projection.build import build, connected
from services.insights.projection.compare import Comparison, compare
from services.insights.projection.follow import Follower, following
from services.insights.projection.loader import with_leaves
from services.insights.projection.place import GROUP, Effort, Place, Progress, RebuildRefused
from services.insights.queries import projection, swapping
from services.insights.queries.loading import LIVE, NEXT
from services.insights.queries.swapping import PREVIOUS
from shared.postgres.pool import Connection

# The last stretch is gone while live workers wait: it is begun once it is this short.
NEAR = 2_000
ROUNDS = 20
ATTEMPTS = 10
PATIENCE_S = 3
# Work in transactions of one snapshot: begun before the swap, it would read the new tables with an
# old one, and miss what was written to them last.
WORKS = (surfacing.WORK, managed.WORK, alerting.WORK, measuring.WORK)
BUSY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did. `waited_s` is how long live workers could not write."""

    swapped: bool
    records: int
    unreadable: int
    followed: int
    build_s: float
    waited_s: float
    comparison: Comparison


async def rebuild(
    place: Place, effort: Effort, progress: Progress, *, swap: bool = True, force: bool = False
) -> Rebuilt:
    """Build the projection anew, compare it, and put it in service unless told otherwise.

    Raises RebuildRefused when the log does not tell what the live projection holds (unless
    `force`), or when another rebuild is running.
    """
    async with _alone(place) as admin:
        started = time.perf_counter()
        built = await build(place, effort, progress)
        build_s = time.perf_counter() - started
        async with following(place, built) as follower:
            progress("comparing", 0, 0)
            found, followed = await _compare_all(place, follower)
            waited_s = 0.0
            if swap:
                _refuse_to_lose(found, force)
                progress("swapping", 0, 0)
                more, waited_s = await _swap(admin, place, follower, found, force)
                followed += more
        return Rebuilt(swap, built.records, built.unreadable, followed, build_s, waited_s, found)


@asynccontextmanager
async def _alone(place: Place) -> AsyncIterator[Connection]:
    admin = await connected(place.admin_dsn, LIVE)
    try:
        if not await swapping.alone(admin):
            raise RebuildRefused("another rebuild is running")
        yield admin
    finally:
        await admin.close()


async def _compare_all(place: Place, follower: Follower) -> tuple[Comparison, int]:
    """Bring the new projection to one instant of the live one, and compare all of both there."""
    live, new = await connected(place.dsn, LIVE), await connected(place.dsn, NEXT)
    try:
        async with live.transaction(isolation="repeatable_read", readonly=True):
            followed = await _catch_up(live, follower)
            async with new.transaction(isolation="repeatable_read", readonly=True):
                found = await compare(live, new)
            await follower.touched()
        return found, followed
    finally:
        await live.close()
        await new.close()


async def _catch_up(live: Connection, follower: Follower) -> int:
    """Go as far as the live projection is, as `live` sees it."""
    return await follower.follow(
        await projection.offsets(live, GROUP),
        await projection.parked(live, GROUP),
        await projection.redriven(live, GROUP),
    )


async def _swap(
    admin: Connection, place: Place, follower: Follower, found: Comparison, force: bool
) -> tuple[int, float]:
    """Come near while live workers go on; then stop them, go the rest, compare it, swap."""
    followed = 0
    for _ in range(ROUNDS):
        if follower.behind(await projection.offsets(admin, GROUP)) <= NEAR:
            break
        followed += await _catch_up(admin, follower)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with admin.transaction():
                await swapping.stop_writers(admin, WORKS, PATIENCE_S)
                started = time.perf_counter()
                followed += await _catch_up(admin, follower)
                found.merge(await _compare_rest(admin, place, follower))
                _refuse_to_lose(found, force)
                await swapping.swap(admin, incoming=NEXT, outgoing=PREVIOUS)
                repaired = await projection.keys_of(admin, found.repaired)
                await swapping.mark(admin, repaired)
            return followed, time.perf_counter() - started
        except BUSY:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


async def _compare_rest(admin: Connection, place: Place, follower: Follower) -> Comparison:
    new = await connected(place.dsn, NEXT)
    try:
        async with new.transaction(readonly=True):
            return await compare(admin, new, await follower.touched())
    finally:
        await new.close()


def _refuse_to_lose(found: Comparison, force: bool) -> None:
    if found.lost and not force:
        raise RebuildRefused(
            f"the live projection holds {found.lost} pairs, facts or leaves that the log does not "
            f"tell any more; it stays in service. {NEXT} is there to look at; --force swaps anyway"
        )


async def roll_back(place: Place) -> None:
    """Put the previous projection back in service; it goes on from where it was swapped out.

    Raises RebuildRefused when there is none, or when tables have changed their columns since.
    """
    async with _alone(place) as admin:
        if not await swapping.is_there(admin, PREVIOUS):
            raise RebuildRefused(f"there is no projection in {PREVIOUS} to go back to")
        if not await swapping.same_shape(admin, LIVE, PREVIOUS):
            raise RebuildRefused(f"{PREVIOUS} is older than a migration: rebuild instead")
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with admin.transaction():
                    await swapping.stop_writers(admin, WORKS, PATIENCE_S)
                    since = await swapping.swapped_at(admin)
                    await _seed(admin)
                    await swapping.swap(admin, incoming=PREVIOUS, outgoing=NEXT)
                    await swapping.redrive_again(admin, since)
                return
            except BUSY:
                if attempt == ATTEMPTS:
                    raise


async def _seed(admin: Connection) -> None:
    """Pairs that began since keep their keys: other tables know them by those."""
    new = await swapping.seed(admin, PREVIOUS)
    async with swapping.within(admin, PREVIOUS):
        await with_leaves(admin, new)
