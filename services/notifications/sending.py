"""The sending loop: claim in one short transaction, send outside any, settle in another.

Sent once, as far as it can be: a process killed after the server took a message and before that was
written down leaves a claim whose lease ends, and the next sender sends that one message again,
with the same Message-ID. No order of steps avoids it; at most one message per crash is affected.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.notifications.channels import Channel, Letter, Post
from services.notifications.domain import announcement
from services.notifications.domain.attempt import Next, Outcome, RetryPolicy, after
from services.notifications.queries import messages
from services.notifications.queries.messages import Claimed
from services.notifications.rendering import Templates
from shared.clock import Clock
from shared.logging import logger
from shared.postgres import outbox
from shared.postgres.pool import Pool

TIDY_BATCH = 1_000
_log = logger("notifications.sending")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is claimed at once and for how long; `attempt` bounds one delivery."""

    batch: int
    lease: timedelta
    attempt: timedelta


class Sender:
    """Hands over what is due on one channel. Any number may run, in any number of processes."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        channel: Channel,
        templates: Templates,
        *,
        limits: Limits,
        policy: RetryPolicy,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._channel = channel
        self._templates = templates
        self._limits = limits
        self._policy = policy

    async def step(self) -> int:
        """Send one batch; how many messages have been accepted or have come to their end."""
        now = self._clock.now()
        lease_until = now + self._limits.lease
        async with self._pool.acquire() as conn, conn.transaction():
            batch = await messages.claim(
                conn, self._channel.name, now, lease_until, self._limits.batch
            )
        if not batch:
            return 0
        done = 0
        async with self._channel.open() as post:
            for position, claimed in enumerate(batch):
                # A lease that could end during the attempt would let another sender send it too.
                if self._clock.now() + self._limits.attempt > lease_until:
                    await self._give_back(batch[position:], "lease_over")
                    break
                outcome = await self._attempt(post, claimed)
                done += await self._settle(claimed, outcome)
                if outcome.fate == "unreachable":
                    await self._give_back(batch[position + 1 :], outcome.reason)
                    break
        return done

    async def tidy(self) -> int:
        """Drop what is too late, and queue what waited for an address that has come."""
        now = self._clock.now()
        async with self._pool.acquire() as conn:
            expired = await messages.expire(conn, now, TIDY_BATCH)
            return expired + await messages.release(conn, now, TIDY_BATCH)

    async def _attempt(self, post: Post, claimed: Claimed) -> Outcome:
        if claimed.address is None:
            return Outcome("withdrawn", "person_left")
        # Claims that never came to an end count too: a message that kills its sender stops here.
        if claimed.attempt > self._policy.max_attempts:
            return Outcome("deferred", "not_finished")
        message, reader = claimed.message, claimed.reader
        try:
            words = self._templates.render(message, reader)
            letter = Letter(
                message.message_id, message.thread, claimed.address, reader.name or "", words
            )
            return await post.deliver(letter, self._clock.now())
        except Exception as error:
            # The edge of one message: a fault of ours in its words must not hold up the others.
            _log.error(
                "attempt failed",
                action="message_failed",
                message_id=str(message.message_id),
                workflow=message.workflow,
                error=type(error).__name__,
            )
            return Outcome("deferred", "unforeseen")

    async def _settle(self, claimed: Claimed, outcome: Outcome) -> bool:
        """Write the outcome and its announcement down together; whether the message is done."""
        message, now = claimed.message, self._clock.now()
        then = after(outcome, claimed.attempt, now, self._policy)
        async with self._pool.acquire() as conn, conn.transaction():
            if then.state == "sent":
                changed = await messages.settle_sent(conn, message.message_id, now)
                news = announcement.sent(message, now)
            else:
                changed = await messages.settle(conn, message.message_id, claimed.attempt, then)
                news = announcement.failed(message, then.reason or "unknown", now)
            if changed and then.state in ("sent", "failed"):
                await outbox.append(conn, [news])
        _log.info(
            "attempt ended",
            action="message_attempted",
            message_id=str(message.message_id),
            workflow=message.workflow,
            channel=message.channel,
            state=then.state,
            reason=then.reason,
            attempt=claimed.attempt,
        )
        return then.state != "queued"

    async def _give_back(self, batch: list[Claimed], reason: str) -> None:
        now = self._clock.now()
        async with self._pool.acquire() as conn, conn.transaction():
            for claimed in batch:
                due_at = now + self._policy.unreachable_wait
                then = Next("queued", claimed.attempt - 1, due_at, reason)
                await messages.settle(conn, claimed.message.message_id, claimed.attempt, then)
