"""A new projection follows the live one: the same facts by the same handlers, never ahead of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from services.insights import handlers
from services.insights.projection.build import Built
from services.insights.projection.loader import batches, with_leaves
from services.insights.projection.log import Log, Offsets, opened
from services.insights.projection.place import GROUP, Place
from services.insights.queries import loading
from services.insights.queries.loading import NEXT
from services.insights.queries.locks import Person
from services.insights.queries.pairs import PairOf
from services.insights.queries.projection import Letter, Parked
from shared.clock import Clock
from shared.errors import PoisonMessage
from shared.events.envelope import Event, decode
from shared.events.fact import PairFact, PersonFact
from shared.kafka import offsets
from shared.kafka.delivery import Delivery, Limits, read
from shared.kafka.offsets import Partition
from shared.postgres.pool import Pool, open_pool
from shared.postgres.tenancy import SEES_ALL

CHUNK = 2_000
# Nobody decides over the letters of a projection that is being built.
NO_CAP = 2**31


class Follower:
    """Applies what the live projection has applied since. Make it with `following`."""

    def __init__(self, log: Log, pool: Pool, built: Built, clock: Clock) -> None:
        self._log = log
        self._pool = pool
        self._clock = clock
        self._delivery = Delivery(
            GROUP, pool, handlers.apply, clock, Limits(dead_letter_cap=NO_CAP)
        )
        self._at: dict[Partition, int] = dict(built.offsets)
        self._passed_over = {(*p, at) for p, found in built.parked.items() for at in found}
        self._pairs: set[PairOf] = set()
        self._people: set[Person] = set()

    def behind(self, goal: Offsets) -> int:
        """Records between here and there."""
        return sum(max(0, end - self._at.get(p, 0)) for p, end in goal.items())

    async def follow(self, goal: Offsets, parked: Parked, redriven: Sequence[Letter]) -> int:
        """Go exactly as far as the live projection was when it said these three; how far that is.

        Records that it had parked are passed over, until they were redriven.
        """
        done = 0
        async for records in self._log.read(self._at, goal, CHUNK):
            done += len(records)
            await self._apply(records, parked)
        for letter in redriven:
            if letter.place in self._passed_over:
                self._passed_over.discard(letter.place)
                await self._redrive(letter)
        async with self._pool.acquire() as conn, conn.transaction():
            await offsets.lock(conn, GROUP, goal)
            await offsets.advance(conn, GROUP, goal)
        self._at.update(goal)
        return done

    async def _apply(self, records: Sequence[Any], parked: Parked) -> None:
        wanted = []
        for record in records:
            if record.offset in parked.get((record.topic, record.partition), ()):
                self._passed_over.add((record.topic, record.partition, record.offset))
            else:
                wanted.append(record)
        if wanted:
            batch = read(wanted)
            await self._seed([each.event for each in batch if each.event is not None])
            await self._delivery.commit(batch)

    async def _redrive(self, letter: Letter) -> None:
        try:
            event = decode(letter.key, letter.value, letter.headers)
            await self._seed([event])
            async with self._pool.acquire() as conn, conn.transaction():
                await handlers.apply(conn, [event], self._clock.now())
        except PoisonMessage:
            return  # compared afterwards: what is missing is found

    async def _seed(self, events: Sequence[Event]) -> None:
        """Add the pairs of events under the keys they have in the live projection."""
        self._touch(events)
        for batch, _ in batches(events, self._clock.now()):
            if batch.members:
                async with self._pool.acquire() as conn, conn.transaction():
                    await with_leaves(conn, await loading.add_pairs(conn, batch.members))

    def _touch(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event.fact, PersonFact):
                self._people.add((event.tenant, event.fact.person_id))
            elif isinstance(event.fact, PairFact):
                self._pairs.add((event.tenant, event.fact.pair_id))

    async def touched(self) -> list[int]:
        """The keys of pairs that may have changed since this was asked before."""
        pairs, people = self._pairs, self._people
        self._pairs, self._people = set(), set()
        async with self._pool.acquire() as conn:
            return await loading.touched(conn, pairs, people)


@asynccontextmanager
async def following(place: Place, built: Built) -> AsyncIterator[Follower]:
    """A follower that goes on where the bulk of the work ended."""
    pool = await open_pool(place.dsn, service=NEXT, size=2, settings=SEES_ALL)
    try:
        async with opened(place.kafka) as log:
            yield Follower(log, pool, built, place.clock)
    finally:
        await pool.close()
