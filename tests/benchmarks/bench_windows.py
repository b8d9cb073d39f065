"""The minute in which the windows of many people open: what was held over night is handed over.

Everybody has a message that is held since the evening; a hundredth has a critical one that comes in
that minute too, behind all others. What is measured is deciding, taking and writing down: the other
side takes everything at once. How fast a mail server takes mails is in `sending`.
"""

from __future__ import annotations

import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg

from services.notifications.app import build
from services.notifications.channels import Letter
from services.notifications.composing import Composer
from services.notifications.domain.attempt import Outcome, RetryPolicy
from services.notifications.domain.message import Channel
from services.notifications.rendering import Templates
from services.notifications.sending import Limits, Sender, Ways
from services.notifications.settings import NotificationsSettings
from services.notifications.settling import Settler
from shared.clock import FixedClock
from shared.ids import NotificationId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import act_for_all
from tests.benchmarks.bench_sending import started_events
from tests.benchmarks.facts import START, chunks
from tests.benchmarks.harness import Bench, Result, pool_of

NIGHT = START.replace(hour=23)
MORNING = (START + timedelta(days=1)).replace(hour=7)
CONNECTIONS = 8
MINUTE = timedelta(minutes=1)
_CRITICAL = """
    UPDATE message SET is_urgent = true, due_at = $1
    WHERE message_id IN (SELECT message_id FROM message WHERE channel = 'email'
                         ORDER BY message_id LIMIT $2)
    RETURNING message_id
"""
_CHOICES = """
    INSERT INTO preference (tenant, of_whom, revision, choices, changed_at)
    SELECT 'acme', 'somebody-' || n, 1, '{"budget_per_day": 4}', now()
    FROM generate_series(1, $1::int) AS n
"""


@dataclass
class Taking:
    """Takes every letter, and remembers when the urgent ones came."""

    urgent: frozenset[NotificationId]
    carries: tuple[Channel, ...] = ("email", "calendar")
    taken: int = 0
    urgent_s: list[float] = field(default_factory=list)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Taking]:
        yield self

    async def deliver(self, letter: Letter, _now: datetime, /) -> Outcome:
        self.taken += 1
        if letter.message_id in self.urgent:
            self.urgent_s.append(time.perf_counter())
        return Outcome("accepted")


async def measure(bench: Bench) -> list[Result]:
    """Seconds until the last of them is written down as sent, and until the last urgent one is."""
    people = bench.size(small=5_000, full=50_000)
    everybody = bench.size(small=20_000, full=1_000_000)
    async with (
        bench.network() as network,
        pool_of(network, "notifications", size=8) as pool,
    ):
        clock = FixedClock(NIGHT)
        settings = NotificationsSettings.model_validate(
            {"postgres": "", "kafka": "", "smtp_host": "unused", "sender": "us@mentoring.example"}
        )
        service = build(settings, pool, clock)
        bench.say(f"{everybody:,} people with preferences, {people:,} of them with a message")
        await _all(pool, _CHOICES, everybody)
        for chunk in chunks(started_events(people // 2, NIGHT), 1_000):
            async with pool.acquire() as conn, conn.transaction():
                await service.apply(conn, chunk, clock.now())
        channel = Taking(frozenset())
        sender = _sender(pool, clock, channel)
        while await sender.step():
            pass
        if channel.taken:
            raise RuntimeError("somebody was written to at night")
        bench.say("the windows open")
        clock.at = MORNING
        urgent = await _all(pool, _CRITICAL, MORNING, people // 100)
        channel.urgent = frozenset(NotificationId(row[0]) for row in urgent)
        began = time.perf_counter()
        while await sender.step():
            pass
        took = time.perf_counter() - began
    if channel.taken != people:
        raise RuntimeError(f"{channel.taken:,} of {people:,} handed over")
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    note = (
        f"{people:,} messages, {people / took:,.0f}/s, {everybody:,} people have chosen something"
    )
    last = max(channel.urgent_s) - began
    return [
        Result("windows", "drained", took, "s", wanted="<= 60 for 50,000", note=note),
        Result("windows", "last urgent", last, "s", note=f"{len(urgent):,} urgent among them"),
        Result("windows", "memory", held, "MiB", wanted="<= 250", note="of this process, at most"),
    ]


def _sender(pool: Pool, clock: FixedClock, channel: Taking) -> Sender:
    limits = Limits(batch=500, lease=5 * MINUTE, attempt=MINUTE / 3, at_once=CONNECTIONS)
    policy = RetryPolicy(
        max_attempts=4, first_wait=MINUTE, longest_wait=60 * MINUTE, unreachable_wait=MINUTE
    )
    composer = Composer(Templates(), link=None)
    return Sender(Ways(pool, clock, composer, Settler(pool, clock), limits, policy), channel)


async def _all(pool: Pool, statement: str, *args: object) -> list[asyncpg.Record]:
    async with pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        return list(await conn.fetch(statement, *args, timeout=300))
