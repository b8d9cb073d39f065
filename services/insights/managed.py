"""The stream of programme managers: what they may see of a pair, said when it has changed.

What a manager sees must not tell when a private answer was given. So pairs are looked at once a
tick of the clock, never because something came; what is said is a function of what managers may
know and of the day; and when it is the same, nothing is said and no position is used.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from services.insights import models
from services.insights.domain.answers import next_maturity_us
from services.insights.domain.evidence import Evidence, from_us, to_us
from services.insights.domain.model import Model
from services.insights.queries import board, evidence, locks, managed, streams
from services.insights.queries.pairs import PairRow
from services.insights.views.board import entry
from services.insights.views.streamed import managed_view
from shared.clock import Clock
from shared.postgres.pool import Pool
from shared.postgres.tenancy import acting_for_all

WORK = "telling managers"
# Pairs looked at in one transaction: the folds of each hold the event loop for some milliseconds.
MAX_PAIRS = 4
# Of the time, at most: facts and the stream of services come first.
SHARE = 0.1
DAY = timedelta(days=1)


class Managers:
    """Looks at every pair that moved or whose day has come, once a tick, in the order of pairs.

    A step takes a few of them, so that a process that has to stop need not finish the pass.
    """

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._began: datetime | None = None
        self._last = 0

    async def step(self) -> bool:
        """Look at the next few; whether there may be more in this pass."""
        if self._began is None:
            self._began, self._last = self._clock.now(), 0
        started = time.monotonic()
        pairs = await _tell_some(self._pool, self._began, self._last)
        if not pairs:
            self._began = None
            return False
        self._last = pairs[-1].key
        await asyncio.sleep((time.monotonic() - started) * (1 / SHARE - 1))
        return True


async def tell_managers(pool: Pool, clock: Clock) -> None:
    """One whole pass."""
    managers = Managers(pool, clock)
    while await managers.step():
        pass


async def _tell_some(pool: Pool, now: datetime, last: int) -> Sequence[PairRow]:
    # One snapshot: marks that come while it looks stay for the next tick.
    async with acting_for_all(pool, snapshot=True) as conn:
        if not await locks.only_one(conn, WORK):
            return ()
        pairs = await managed.take(conn, last, now, MAX_PAIRS)
        if not pairs:
            return ()
        keys = [pair.key for pair in pairs]
        known = await evidence.of_pairs(conn, keys)
        before = await streams.said_last(conn, "manager", keys)
        force = await models.in_force(conn, {pair.tenant for pair in pairs})
        day, told, later, lines = day_of(now), [], [], []
        for pair in pairs:
            model = force[pair.tenant].model
            if view := managed_view(pair, known[pair.key], model, day):
                told.append((pair, view.model_dump_json().encode()))
                lines.append(entry(pair, view, known[pair.key]))
            if again := next_day(known[pair.key], model, day):
                later.append((pair, again))
            await asyncio.sleep(0)
        new = [it for it in told if before.get(it[0].key) != (it[0].programme_id, it[1])]
        await streams.say(conn, "manager", new)
        await board.save(conn, lines)
        await managed.come_back(conn, later)
    return pairs


def day_of(now: datetime) -> datetime:
    """The midnight (UTC) before: answers that matured since then wait for the next one."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def next_day(known: Sequence[Evidence], model: Model, day: datetime) -> datetime | None:
    """The midnight after `day` at which time alone may change what managers see."""
    ordered = sorted(known, key=lambda item: (item.at_us, item.event_id))
    matures_us = next_maturity_us(ordered, model, to_us(day))
    if matures_us is None:
        return None
    matures = from_us(matures_us)
    midnight = day_of(matures)
    return max(day + DAY, midnight if midnight == matures else midnight + DAY)
