"""From messages that are due to mails at a real SMTP server, by the real sender; and a bare loop.

The server is in a process of its own and takes everything. The bare loop hands the same mails over
with as many connections, composed in advance, and writes nothing down.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from email.headerregistry import Address
from typing import cast

import aiosmtplib

from services.notifications.app import build
from services.notifications.channels.mail import Sender, envelope_address, written
from services.notifications.composing import Composer
from services.notifications.queries import messages
from services.notifications.rendering import Templates
from services.notifications.settings import NotificationsSettings
from shared.clock import FixedClock
from shared.events.envelope import Event, new_event
from shared.events.matching import PairStarted
from shared.ids import PersonId, ProgrammeId, new_id
from shared.postgres.pool import Pool
from shared.postgres.tenancy import act_for_all
from tests.benchmarks.bench_planning import people
from tests.benchmarks.facts import START, TENANT, chunks, pair_id
from tests.benchmarks.harness import Bench, Result, pool_of
from tests.benchmarks.sink import sink

CONNECTIONS = 16
SENDER = "no-reply@mentoring.example"


async def measure(bench: Bench) -> list[Result]:
    """Mails a second, from the first batch that is taken to the last outcome that is written."""
    mails = bench.size(small=2_000, full=20_000)
    async with (
        bench.network() as network,
        sink() as port,
        pool_of(network, "notifications", size=8) as pool,
    ):
        settings = NotificationsSettings.model_validate(
            {
                "postgres": network.dsn("notifications"),
                "kafka": network.stack.kafka_bootstrap,
                "smtp_host": "127.0.0.1",
                "smtp_port": port,
                "smtp_starttls": False,
                "smtp_connections": CONNECTIONS,
                "sender": SENDER,
                "public_url": "https://mentoring.example",
                "link_secret": "a key of this benchmark that is long enough",
            }
        )
        service = build(settings, pool, FixedClock(START))
        bench.say(f"{mails:,} messages")
        for chunk in chunks(started_events(mails // 2), 500):
            async with pool.acquire() as conn, conn.transaction():
                await service.apply(conn, chunk, START)
        bare = await _bare(pool, port, mails)
        send = next(loop for loop in service.loops if loop.name == "send")
        began, sent = time.perf_counter(), 0
        while step := await send.step():
            sent += cast("int", step)
        took = time.perf_counter() - began
    if sent != mails:
        raise RuntimeError(f"{sent:,} of {mails:,} sent")
    note = f"{mails:,} mails in {took:.1f} s over {CONNECTIONS} connections, outcomes announced"
    return [
        Result("sending", "bare", bare, "mails/s", note="aiosmtplib alone, mails made in advance"),
        Result(
            "sending", "sender", sent / took, "mails/s", sent / took / bare, "sending.bare",
            ">= 500", note,
        ),
    ]  # fmt: skip


async def _bare(pool: Pool, port: int, count: int) -> float:
    """A tenth of the mails, more than once over the same connections."""
    async with pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        due = await messages.due(conn, ["email"], START, count // 10)
    composer, sender = Composer(Templates(), None), Sender(Address(addr_spec=SENDER))
    ready = []
    for each in due:
        letter = composer.letter(replace(each, attempt=1))
        to = envelope_address(letter.address)
        ready.append((to.addr_spec, written(letter, sender=sender, to=to, now=START)))
    queue = iter(ready * 3)
    began = time.perf_counter()
    await asyncio.gather(*(_hand_over(queue, port) for _ in range(CONNECTIONS)))
    return 3 * len(ready) / (time.perf_counter() - began)


async def _hand_over(queue: Iterator[tuple[str, bytes]], port: int) -> None:
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, local_hostname="bench")
    async with client:
        for to, mail in queue:
            await client.sendmail(SENDER, [to], mail)


def started_events(pairs: int, at: datetime = START) -> Sequence[Event]:
    """Both sides of so many pairs join, and they begin."""
    started = [
        PairStarted(
            pair_id=pair_id(n),
            mentor_id=PersonId(f"mentor-{n}"),
            mentee_id=PersonId(f"mentee-{n}"),
            programme_id=ProgrammeId("ladder"),
            started_at=at,
        )
        for n in range(pairs)
    ]
    return [
        *people(pairs),
        *(
            new_event(fact, event_id=new_id(), tenant=TENANT, service="matching", now=at)
            for fact in started
        ),
    ]
