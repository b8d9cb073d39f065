"""Sends what is due to endpoints: takes, posts, settles. Decides nothing about what is sent.

What is sent outlives the step that began it, so that a slow endpoint holds up nobody else: of those
at once, an endpoint has no more than its share. A process killed in between leaves claims whose
lease ends; they are sent again under the same `webhook-id`, and none is lost. At most as many as
are sent at once can be doubled like that.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from services.notifications.channels.guarded_http import GuardedHttp, HttpFailed
from services.notifications.domain.web_address import Reach, read_url
from services.notifications.domain.webhook import (
    KEPT_FOR,
    MAX_ATTEMPTS,
    Ended,
    after,
    health_after,
    sign,
)
from services.notifications.queries import deliveries, delivery_log, endpoints
from services.notifications.queries.deliveries import Lease, Settling, Taken
from shared.clock import Clock
from shared.errors import Rejected
from shared.logging import logger
from shared.once import REMEMBERED
from shared.postgres import requests
from shared.postgres.pool import UNAVAILABLE, Connection, Pool
from shared.postgres.tenancy import act_for_all

REPLAY_BATCH = 1_000
TIDY_BATCH = 1_000
# How long a step waits for something to end when it could take nothing more.
LOOK_AGAIN_S = 0.5
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_log = logger("notifications.delivering")


@dataclass(frozen=True, slots=True)
class DeliveryLimits:
    """`at_once` is for all endpoints together, `each` for one. The lease outlives an attempt."""

    at_once: int = 32
    each: int = 4
    lease: timedelta = timedelta(minutes=5)


class Deliverer:
    """The loop's work. Any number may run, in any number of processes; one step at a time each."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        http: GuardedHttp,
        reach: Reach,
        limits: DeliveryLimits | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._pool, self._clock = pool, clock
        self._http, self._reach = http, reach
        self._limits = limits or DeliveryLimits()
        self._chance = chance
        self._under_way: dict[asyncio.Task[Settling], Taken] = {}

    @property
    def under_way(self) -> int:
        """How many are being sent now."""
        return len(self._under_way)

    async def step(self) -> int:
        """Begin what is due, and settle what has ended; how many of both.

        Waits until something has ended when there is nothing more to begin.
        """
        begun = await self._begin()
        if not begun and self._under_way:
            await asyncio.wait(
                self._under_way, timeout=LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED
            )
        return begun + await self._settle_ended()

    async def step_replays(self) -> int:
        """Line up the next part of what is to be replayed; 1 while there is more."""
        async with self._pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            queued = await delivery_log.advance_replay(conn, self._clock.now(), REPLAY_BATCH)
        return 0 if queued is None else 1

    async def tidy(self) -> int:
        """Forget what is kept no longer; how many events that were."""
        now = self._clock.now()
        async with self._pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            await endpoints.forget_secrets(conn, now)
            await requests.forget(conn, now - REMEMBERED, TIDY_BATCH)
            return await deliveries.tidy(conn, now - KEPT_FOR, TIDY_BATCH)

    async def drain(self, within_s: float) -> None:
        """Begin no more; settle what is answered within that time, so that it is not sent again."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within_s)
            await self._settle_ended()

    async def aclose(self) -> None:
        """Stop: what is under way is given up, and sent again when its lease has ended."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        self._under_way.clear()

    async def _begin(self) -> int:
        room = self._limits.at_once - len(self._under_way)
        if room <= 0:
            return 0
        now = self._clock.now()
        lease = Lease(now, now + self._limits.lease, room, self._limits.each)
        busy = Counter(taken.endpoint_id for taken in self._under_way.values())
        async with self._pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            found = await deliveries.take(conn, lease, busy)
        for taken in found:
            self._under_way[asyncio.create_task(self._deliver(taken))] = taken
        return len(found)

    async def _deliver(self, taken: Taken) -> Settling:
        """One attempt, and what follows. Raises nothing."""
        began = asyncio.get_running_loop().time()
        try:
            ended = await self._post(taken)
        except Exception as error:
            # The edge of one delivery: a fault of ours in it must not hold up the others.
            _log.error(
                "attempt failed",
                action="delivery_failed",
                delivery_id=str(taken.delivery_id),
                error=type(error).__name__,
            )
            ended = Ended(None, "unforeseen")
        took = timedelta(seconds=asyncio.get_running_loop().time() - began)
        ended = replace(ended, took=took)
        then = after(ended, taken.attempt, self._clock.now(), self._chance())
        return Settling(taken, ended, then)

    async def _post(self, taken: Taken) -> Ended:
        # Claims that never came to an end count too: one that kills its sender stops here.
        if taken.attempt > MAX_ATTEMPTS:
            return Ended(None, "not_finished")
        try:
            address = read_url(taken.url, self._reach)
        except Rejected:
            # What may be sent to has been narrowed since it was kept.
            return Ended(None, "address_refused")
        now, body = self._clock.now(), taken.body.encode()
        signed = sign(taken.keys.at(now), str(taken.event_id), now, body)
        try:
            answer = await self._http.post(
                address, {"content-type": CONTENT_TYPE, **signed}, body, now
            )
        except HttpFailed as failed:
            return Ended(None, failed.code)
        return Ended(answer.status, retry_after=answer.retry_after)

    async def _settle_ended(self) -> int:
        ended = [task for task in self._under_way if task.done()]
        if not ended:
            return 0
        now = self._clock.now()
        settled = [task.result() for task in ended]
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                await act_for_all(conn)
                ours = await deliveries.settle(conn, settled, now)
                await self._note_health(
                    conn, [each for each in settled if each.taken.delivery_id in ours]
                )
        except UNAVAILABLE:
            # They stay where they are, and the next step writes them down.
            raise
        except Exception:
            # They are sent again when their lease has ended, and hold up nobody until then.
            self._let_go(ended)
            raise
        self._let_go(ended)
        for each in settled:
            _say(each)
        return len(settled)

    def _let_go(self, ended: list[asyncio.Task[Settling]]) -> None:
        for task in ended:
            del self._under_way[task]

    async def _note_health(self, conn: Connection, settled: list[Settling]) -> None:
        now = self._clock.now()
        delivered = {each.taken.endpoint_id for each in settled if each.ended.is_delivered}
        failed = [each for each in settled if not each.ended.is_delivered]
        if delivered:
            await endpoints.well(conn, sorted(delivered))
        if not failed:
            return
        health = await endpoints.lock_health(conn, {each.taken.endpoint_id for each in failed})
        for each in failed:
            endpoint_id = each.taken.endpoint_id
            if endpoint_id not in health:
                continue
            # Of those that ended together, one success says that it is not failing.
            known = health[endpoint_id]
            noted = health_after(known, each.ended, now)
            if endpoint_id in delivered and noted.reason != "gone":
                noted = known
            health[endpoint_id] = noted
            await endpoints.save_health(conn, endpoint_id, noted, each.then.rest_until)
            if known.is_enabled and not noted.is_enabled:
                _log.warning(
                    "endpoint disabled",
                    action="endpoint_disabled",
                    endpoint_id=str(endpoint_id),
                    reason=noted.reason,
                )


def _say(each: Settling) -> None:
    _log.info(
        "attempt ended",
        action="delivery_attempted",
        delivery_id=str(each.taken.delivery_id),
        endpoint_id=str(each.taken.endpoint_id),
        event_type=each.taken.type,
        state=each.then.state,
        status=each.ended.status,
        error=each.ended.error,
        attempt=each.taken.attempt,
    )
