"""The sweeper: a million open promises, of which ten thousand are due in the same minute.

The clock is virtual and jumps over that minute; from then until the last of the minute's facts has
been read from the topic, so acknowledged by the broker, every wait of the sweeper and the relay
included. One promise is made and accepted through the service; the others are copies of its row.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import SecretStr

from deploy.local.network import Network
from services.sessions.app import build
from services.sessions.settings import SessionsSettings
from shared.clock import FileClock, FixedClock
from shared.events.sessions import CommitmentMissed
from shared.events.topics import SESSIONS
from shared.postgres.pool import Pool
from tests.benchmarks.bench_commands import started
from tests.benchmarks.harness import TIMEOUT_S, Bench, Result, pool_of
from tests.benchmarks.processes import Meter, replicas, stack_pids, words
from tests.benchmarks.rounds import STEPS, Command, Round, pair_id
from tests.support.callers import signed_in

MINUTES = 3
MINUTE = timedelta(minutes=1)
# The first of the next minute is not due yet when the clock says this much less.
SHORT = timedelta(microseconds=1)
MISSED = CommitmentMissed.type.encode()
POLL_MS, MAX_RECORDS = 100, 5_000
# The row that is copied is due after a week; the copies that are not due yet, from then on.
FIRST = timedelta(days=30)
_COPY_PAIR = """
    INSERT INTO sessions.pair SELECT copy.*
    FROM sessions.pair, generate_series(1, $1::int) AS n, jsonb_populate_record(
        pair, jsonb_build_object(
            'pair_id', uuidv7(), 'mentor_id', 'mentor-' || n, 'mentee_id', 'mentee-' || n
        )
    ) AS copy
"""
# Each copy in another pair than the one before it; the first $2 become due one after the other
# within a minute from $3, the others a day later and more.
_COPY = """
    INSERT INTO sessions.commitment SELECT copy.*
    FROM (
        SELECT n, CASE WHEN n < $2 THEN $3::timestamptz + n * interval '60 s' / $2
                       ELSE $3 + interval '1 day' + n * interval '1 minute' END AS at
        FROM generate_series(0, $1::int - 1) AS n
    ) AS due
    JOIN (
        SELECT pair_id, mentee_id, row_number() OVER (ORDER BY pair_id) - 1 AS place
        FROM sessions.pair
    ) AS of ON of.place = n % $4
    CROSS JOIN sessions.commitment AS one,
    jsonb_populate_record(one, jsonb_build_object(
        'commitment_id', uuidv7(), 'pair_id', of.pair_id, 'made_by', of.mentee_id,
        'due_at', at - (one.sweep_at - one.due_at), 'sweep_at', at
    )) AS copy
    WHERE one.sweep_at = (SELECT min(sweep_at) FROM sessions.commitment)
"""
_FORGET = "DELETE FROM sessions.commitment WHERE sweep_at < $1"


async def measure(bench: Bench) -> list[Result]:
    """The longest of three minutes is what counts."""
    total = bench.size(small=20_000, full=1_000_000)
    due, pairs = total // 100, total // 20
    now = datetime.now(UTC)
    async with bench.network(called=True) as network:
        async with pool_of(network, "sessions", 2) as pool:
            await _one_promise(pool, now)
        bench.say(f"{total:,} copies of a promise in {pairs:,} pairs")
        start = now + FIRST
        await _copies(network, total, due, pairs, start)
        taken, spent = await _minutes(bench, network, start, due)
    note = (
        f"{due:,} of {total:,} due in each of {MINUTES} minutes, the longest of "
        f"{', '.join(f'{each:.1f}' for each in taken)}; {words(spent)}"
    )
    return [Result("sweeper", "due to published", max(taken), "s", wanted="<= 10", note=note)]


async def _one_promise(pool: Pool, now: datetime) -> None:
    """A pair, and a promise of the mentee that the mentor accepted."""
    service = build(SessionsSettings(postgres=SecretStr(""), kafka=""), pool, FixedClock(now))
    async with pool.acquire() as conn, conn.transaction():
        await service.apply(conn, [started(0)], now)
    app, one = httpx.ASGITransport(signed_in(service.api)), Round(0, {"pair": str(pair_id(0))})
    async with httpx.AsyncClient(transport=app, base_url="http://sweeper") as http:
        for number, step in enumerate(STEPS):
            if step.name in ("promise", "accept"):
                command = Command(step, one, number)
                answer = await http.post(
                    command.path, content=command.body, headers=command.headers
                )
                answer.raise_for_status()
                command.learn(answer.content)


async def _copies(network: Network, total: int, due: int, pairs: int, start: datetime) -> None:
    """As the database's owner, for whom no policy hides a row."""
    conn = await asyncpg.connect(network.stack.postgres_dsn, command_timeout=TIMEOUT_S)
    try:
        await conn.execute(_COPY_PAIR, pairs - 1)
        later = total - due * (MINUTES - 1)
        for minute in range(MINUTES):
            count = due if minute else later
            await conn.execute(_COPY, count, due, start + minute * MINUTE, pairs)
        await conn.execute(_FORGET, start)
        await conn.execute("DELETE FROM sessions.outbox")
        await conn.execute("VACUUM ANALYZE sessions.commitment, sessions.pair")
    finally:
        await conn.close()


async def _minutes(
    bench: Bench, network: Network, start: datetime, due: int
) -> tuple[list[float], dict[str, float]]:
    """Seconds that each minute's facts took, and what each process spent on one of them."""
    path = network.stack.run_dir / "sweeper.clock"
    clock = FileClock(path)
    clock.set(start - MINUTE)
    environ = {"SESSIONS_CLOCK_FILE": str(path), "SESSIONS_OUTAGE_AFTER": "PT1H"}
    async with _topic(network) as consumer:
        with replicas(network, "sessions", ["worker"], ["relay"], **environ) as (worker, relay):
            watch = {"worker": [worker.process.pid], "relay": [relay.process.pid], **stack_pids()}
            taken = []
            with Meter(watch).over(due * MINUTES) as spent:
                for minute in range(1, MINUTES + 1):
                    clock.set(start + minute * MINUTE - SHORT)
                    jumped = time.perf_counter()
                    async with asyncio.timeout(TIMEOUT_S):
                        await _read(consumer, due)
                    taken.append(time.perf_counter() - jumped)
                    bench.say(f"minute {minute}: {taken[-1]:.1f} s")
    return taken, spent


@asynccontextmanager
async def _topic(network: Network) -> AsyncIterator[AIOKafkaConsumer]:
    """A reader of what is published from now on."""
    consumer = AIOKafkaConsumer(bootstrap_servers=network.stack.kafka_bootstrap)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(SESSIONS.name, n) for n in range(SESSIONS.partitions)])
        await consumer.seek_to_end()
        yield consumer
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, due: int) -> None:
    """Read on until so many different promises are said to have been missed."""
    missed: set[bytes] = set()
    while len(missed) < due:
        found = await consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_RECORDS)
        for records in found.values():
            for record in records:
                headers = dict(record.headers)
                if headers["ce_type"] == MISSED:
                    missed.add(headers["ce_id"])
