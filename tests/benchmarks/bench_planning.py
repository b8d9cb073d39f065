"""From facts on Kafka to decided messages in Postgres, by the real worker of notifications.

Everybody has an address and a tenth have chosen something. The clock is that of the facts, so every
message is still of use; nothing is sent meanwhile. Beside it, the rows that came of it are inserted
once more, by the same statement and in batches as large, with no fact read and nothing decided.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from uuid import UUID

import asyncpg

from deploy.local.network import Network
from deploy.local.process import Process
from services.notifications.domain.planned import Planned
from services.notifications.queries import messages
from services.notifications.queries.rows import message_of
from shared.clock import FileClock
from shared.events.envelope import Event, new_event
from shared.events.fact import Fact, PairFact
from shared.events.matching import PairStarted
from shared.events.people import PersonJoined
from shared.events.sessions import (
    AgreementSigned,
    CommitmentAccepted,
    CommitmentKept,
    CommitmentMade,
    CommitmentMissed,
    SessionHeld,
    SessionScheduled,
)
from shared.ids import CommitmentId, PersonId, SessionId, new_id
from shared.postgres.pool import Pool
from shared.postgres.tenancy import act_for_all
from tests.benchmarks.facts import START, TENANT, pair_id, publish
from tests.benchmarks.harness import Bench, Result, pool_of
from tests.benchmarks.processes import replicas

PEOPLE_A_PAIR = 2
# What a pair goes through, over and over, after it has begun.
ROUND: tuple[type[PairFact], ...] = (
    SessionScheduled,
    SessionHeld,
    CommitmentMade,
    CommitmentAccepted,
    CommitmentKept,
    SessionScheduled,
    SessionHeld,
    CommitmentMade,
    CommitmentAccepted,
    CommitmentMissed,
)
CHUNK = 1_000
DAY = timedelta(days=1)
_APPLIED = "SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offset"
_CHOSEN = """
    INSERT INTO preference (tenant, of_whom, revision, choices, changed_at)
    SELECT $1, 'mentee-' || n, 1,
           '{"ways": {"sessions": {"email": "digest"}}, "budget_per_day": 5}', now()
    FROM generate_series(0, $2::int - 1) AS n WHERE n % 5 = 0
"""


async def measure(bench: Bench) -> list[Result]:
    """From the first offset that is committed to the last, people being known already."""
    facts = bench.size(small=30_000, full=200_000)
    pairs = facts // 20
    async with bench.network() as network:
        await publish(network.stack.kafka_bootstrap, people(pairs))
        async with pool_of(network, "notifications", size=2) as pool:
            async with pool.acquire() as conn, conn.transaction():
                await act_for_all(conn)
                await conn.execute(_CHOSEN, TENANT, pairs)
            with _worker(network) as worker:
                await bench.watch(partial(_applied, pool), PEOPLE_A_PAIR * pairs, worker)
            await publish(network.stack.kafka_bootstrap, _events(facts, pairs), bench.say)
            bench.say("the worker")
            applied = partial(_applied, pool, before=PEOPLE_A_PAIR * pairs)
            with _worker(network) as worker:
                pace = await bench.watch(applied, facts, worker)
            rows, bare = await _bare(pool)
    rows_per_s = pace.per_s * rows / facts
    note = f"{facts:,} facts of {pairs:,} pairs made {rows:,} messages; {pace.words}"
    return [
        Result("planning", "bare", bare, "rows/s", note=f"the same rows, {CHUNK} a statement"),
        Result("planning", "worker", pace.per_s, "facts/s", wanted=">= 10,000", note=note),
        Result(
            "planning", "rows", rows_per_s, "rows/s", rows_per_s / bare, "planning.bare", "",
            "what the worker wrote meanwhile, with their announcements",
        ),
    ]  # fmt: skip


@contextmanager
def _worker(network: Network) -> Iterator[Process]:
    """A worker at the time of the facts; it looks for what to send once, at its start."""
    path = network.stack.run_dir / "planning.clock"
    FileClock(path).set(START)
    environ = {"NOTIFICATIONS_CLOCK_FILE": str(path), "NOTIFICATIONS_SEND_EVERY_S": "3600"}
    with replicas(network, "notifications", ["worker"], **environ) as (worker,):
        yield worker.process


async def _applied(pool: Pool, *, before: int = 0) -> int:
    return int(await pool.fetchval(_APPLIED)) - before


async def _bare(pool: Pool) -> tuple[int, float]:
    """Take the messages out of the table and put them in again; how many, and how many a second."""
    async with pool.acquire() as conn:
        async with conn.transaction():
            await act_for_all(conn)
            found = await conn.fetch("SELECT * FROM message")
            await conn.execute("DELETE FROM message")
        rows = [_planned(row) for row in found]
        began = time.perf_counter()
        for first in range(0, len(rows), CHUNK):
            async with conn.transaction():
                await act_for_all(conn)
                await messages.add(conn, rows[first : first + CHUNK], START)
        return len(rows), len(rows) / (time.perf_counter() - began)


def _planned(row: asyncpg.Record) -> Planned:
    return Planned(
        message=message_of(row),
        value=row["value"],
        state=row["state"],
        reason=row["reason"],
        due_at=row["due_at"],
        digest_id=row["digest_id"],
    )


def people(pairs: int) -> Iterator[Event]:
    """Both sides of so many pairs join."""
    for n in range(PEOPLE_A_PAIR * pairs):
        side, place = ("mentor", "mentee")[n % 2], n // 2
        fact = PersonJoined(
            person_id=PersonId(f"{side}-{place}"),
            email=f"{side}-{place}@mentoring.example",
            display_name=f"Person {n}",
            timezone="Europe/Berlin",
        )
        yield new_event(fact, event_id=new_id(), tenant=TENANT, service="hr", now=START)


def _events(facts: int, pairs: int) -> Iterator[Event]:
    """Each pair in turn: its beginning, its agreement, then round after round."""
    for n in range(facts):
        turn, place = divmod(n, pairs)
        kind = (PairStarted, AgreementSigned)[turn] if turn < 2 else ROUND[(turn - 2) % len(ROUND)]
        fact = _fact(kind, place, turn)
        service = fact.topic.producers[0]
        yield new_event(fact, event_id=new_id(), tenant=TENANT, service=service, now=START)


def _fact(kind: type[PairFact], place: int, turn: int) -> Fact:
    mentor, mentee = PersonId(f"mentor-{place}"), PersonId(f"mentee-{place}")
    # A session and its confirmation are about one thing, and so are a promise and its end.
    thing = UUID(int=place * 100 + (turn // 2 if turn % 10 in (2, 3, 7, 8) else turn // 3) + 1)
    given = {
        "pair_id": pair_id(place),
        "mentor_id": mentor,
        "mentee_id": mentee,
        "by": mentee,
        "session_id": SessionId(thing),
        "commitment_id": CommitmentId(thing),
        "starts_at": START + 2 * DAY,
        "due_at": START + 7 * DAY,
        "kept_at": START,
        "started_at": START,
        "programme_id": "ladder",
        "duration_minutes": 45,
        "confirmed_by": (mentor, mentee),
        "agreement_version": 1,
        "cadence_days": 14,
        "notice_hours": 24,
        "channels": ("video",),
    }
    return kind.model_validate({key: given[key] for key in given if key in kind.model_fields})
