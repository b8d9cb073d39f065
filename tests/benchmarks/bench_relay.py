"""The relay: a full outbox until it is empty and every fact is acknowledged by the broker."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.network import Network
from shared.events.topics import FEEDBACK, SESSIONS
from shared.postgres import outbox
from shared.postgres.pool import Pool
from tests.benchmarks.facts import chunks, make
from tests.benchmarks.harness import Bench, Pace, Result, in_child, pool_of

PAIRS = 1_000
TOPICS = (SESSIONS, FEEDBACK)


async def fill(pool: Pool, total: int) -> None:
    """Append facts to the outbox, as a service does."""
    for chunk in chunks(make(n, PAIRS) for n in range(total)):
        async with pool.acquire() as conn, conn.transaction():
            await outbox.append(conn, chunk)


async def measure(bench: Bench) -> list[Result]:
    """The parts first, on fewer facts; then the real relay process."""
    total = bench.size(small=20_000, full=200_000)
    async with bench.network() as network, pool_of(network, "sessions") as pool:
        bench.say("the parts")
        await fill(pool, total // 4)
        bootstrap, dsn = network.stack.kafka_bootstrap, network.dsn("sessions")
        parts = await in_child("child_relay", bootstrap=bootstrap, dsn=dsn)
        bench.say("filling the outbox")
        await fill(pool, total)
        pace = await _drained(bench, network, pool, total)
    results = [Result("relay", "drain", pace.per_s, "facts/s", wanted=">= 30,000", note=pace.words)]
    for part, (wall_s, cpu_s) in parts["spent"].items():
        each_us, python_us = wall_s / parts["facts"] * 1e6, cpu_s / parts["facts"] * 1e6
        note = f"of which Python {python_us:.1f}, the rest is waiting"
        results.append(Result("relay", part, each_us, "us/fact", note=note))
    return results


async def _drained(bench: Bench, network: Network, pool: Pool, total: int) -> Pace:
    """Watch the ends of the log: looking there disturbs the outbox least."""
    consumer = AIOKafkaConsumer(bootstrap_servers=network.stack.kafka_bootstrap)
    await consumer.start()
    try:
        where = [TopicPartition(t.name, n) for t in TOPICS for n in range(t.partitions)]

        async def ends() -> int:
            return sum((await consumer.end_offsets(where)).values())

        before = await ends()

        async def sent() -> int:
            found = await ends() - before
            # The last of them count once the outbox is empty.
            waits = found >= total and await pool.fetchval("SELECT EXISTS (SELECT FROM outbox)")
            return found - 1 if waits else found

        return await bench.watch(sent, total, network.launch("sessions", "relay"))
    finally:
        await consumer.stop()
