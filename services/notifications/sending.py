"""The sending loops: take in one short transaction, hand over outside any, settle in another.

Sent once, as far as it can be: a process killed after the other side took a message and before that
was written down leaves a claim whose lease ends, and the next sender hands that message over again,
with the same id. No order of steps avoids it; at most as many messages as are handed over at once
are affected.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TypeAlias

from services.notifications import telling
from services.notifications.channels import Channel, Letter, Post
from services.notifications.composing import Composer
from services.notifications.domain.attempt import Next, Outcome, RetryPolicy, after
from services.notifications.handlers.taking import Batch, take, take_digests
from services.notifications.queries import attention, messages
from services.notifications.queries.messages import Due
from services.notifications.settling import Ended, Settler
from shared.clock import Clock
from shared.logging import logger
from shared.postgres.pool import Pool
from shared.postgres.tenancy import act_for_all

TIDY_BATCH = 1_000
# Days are counted where people are: none is still used anywhere after this.
_DAYS_KEPT = timedelta(days=3)
_log = logger("notifications.sending")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken at once and for how long; `attempt` bounds one delivery, and `at_once` how
    many are under way together.
    """

    batch: int
    lease: timedelta
    attempt: timedelta
    at_once: int


@dataclass(frozen=True, slots=True)
class Job:
    """Something to hand over in one go: these messages, as this letter."""

    due: Sequence[Due]
    compose: Callable[[], Letter]
    is_digest: bool = False


Jobs: TypeAlias = Callable[[Batch], Awaitable[list[Job]]]


@dataclass(frozen=True, slots=True)
class Ways:
    """What every sender of a process shares."""

    pool: Pool
    clock: Clock
    composer: Composer
    settler: Settler
    limits: Limits
    policy: RetryPolicy


class Sender:
    """Hands over what is due over one channel. Any number may run, in any number of processes."""

    def __init__(self, ways: Ways, channel: Channel) -> None:
        self._ways = ways
        self._channel = channel

    async def step(self) -> int:
        """Hand one batch over; how many messages have come to their end."""
        return await self._send(self._messages)

    async def step_digests(self) -> int:
        """Hand one batch of digests over; how many messages were in them."""
        return await self._send(self._digests)

    async def tidy(self) -> int:
        """Drop what is too late, and queue what waited for an address that has come."""
        now = self._ways.clock.now()
        async with self._ways.pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            expired = await messages.expire(conn, now, TIDY_BATCH)
            await attention.forget_days(conn, (now - _DAYS_KEPT).date())
            return expired + await messages.release(conn, now, TIDY_BATCH)

    async def _messages(self, batch: Batch) -> list[Job]:
        async with self._ways.pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            taken = await take(conn, self._channel.carries, batch)
        composer = self._ways.composer
        return [Job((due,), partial(composer.letter, due)) for due in taken]

    async def _digests(self, batch: Batch) -> list[Job]:
        async with self._ways.pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            taken = await take_digests(conn, batch)
        composer = self._ways.composer
        return [
            Job(each.items, partial(composer.digest, each.digest_id, each.items), is_digest=True)
            for each in taken
        ]

    async def _send(self, jobs_of: Jobs) -> int:
        now = self._ways.clock.now()
        batch = Batch(now, now + self._ways.limits.lease, self._ways.limits.batch)
        jobs = await jobs_of(batch)
        if not jobs:
            return 0
        queue = iter(jobs)
        async with self._channel.open() as post:
            at_once = min(self._ways.limits.at_once, len(jobs))
            run = _Run(self._ways, post, batch)
            done = await asyncio.gather(*(run.work(queue) for _ in range(at_once)))
        return sum(done)


class _Run:
    """One batch under way: those who work on it stop together when nothing can be handed over."""

    def __init__(self, ways: Ways, post: Post, batch: Batch) -> None:
        self._ways = ways
        self._post = post
        self._batch = batch
        self._stopped: str | None = None

    async def work(self, queue: Iterator[Job]) -> int:
        done = 0
        for job in queue:
            # A lease that could end during the attempt would let another sender send it too.
            if self._ways.clock.now() + self._ways.limits.attempt > self._batch.lease_until:
                self._stopped = self._stopped or "lease_over"
            if self._stopped is not None:
                await self._settle(job, Outcome("unreachable", self._stopped))
                continue
            started = time.monotonic()
            outcome = await self._attempt(job)
            telling.tell_attempt(job.due, outcome, time.monotonic() - started)
            if outcome.fate == "unreachable":
                self._stopped = outcome.reason
            done += await self._settle(job, outcome)
        return done

    async def _attempt(self, job: Job) -> Outcome:
        # Claims that never came to an end count too: a message that kills its sender stops here.
        if max(due.attempt for due in job.due) > self._ways.policy.max_attempts:
            return Outcome("deferred", "not_finished")
        try:
            return await self._post.deliver(job.compose(), self._ways.clock.now())
        except Exception as error:
            # The edge of one message: a fault of ours in its words must not hold up the others.
            message = job.due[0].message
            _log.error(
                "attempt failed",
                action="message_failed",
                error=type(error).__name__,
                **telling.who(message),
            )
            return Outcome("deferred", "unforeseen")

    async def _settle(self, job: Job, outcome: Outcome) -> int:
        """Write the outcome down; how many messages are done."""
        now = self._ways.clock.now()
        then = [self._then(job, due, outcome) for due in job.due]
        await self._ways.settler.settle(Ended(job.due, then))
        for due, next_ in zip(job.due, then, strict=True):
            telling.tell_settled(due, next_, now)
        return sum(next_.state not in ("queued", "gathered") for next_ in then)

    def _then(self, job: Job, due: Due, outcome: Outcome) -> Next:
        then = after(outcome, due.attempt, self._ways.clock.now(), self._ways.policy)
        return replace(then, state="gathered") if job.is_digest and then.state == "queued" else then
