"""A stored offset that was moved back (a rollback, a restore): read again, and nothing skipped."""

from __future__ import annotations

import asyncio

import pytest

from deploy.local.stack import Stack
from shared.clock import FixedClock
from shared.events.topics import SESSIONS
from shared.kafka.delivery import Delivery, OffsetMovedBack
from shared.postgres import outbox
from shared.postgres.pool import Pool
from tests.conftest import MakePool, MakeTopics
from tests.integration.delivery.test_pipeline import consuming, relaying
from tests.support.ledger import (
    CREATE,
    GROUP,
    SERVICE,
    START,
    FakeRecord,
    counted,
    counting,
    made,
)
from tests.support.waiting import until

pytestmark = pytest.mark.stack

# As a restore does it: effects and offsets go back together, and no delivery is half done.
ALONE = "LOCK TABLE consumer_offset IN ACCESS EXCLUSIVE MODE; "
TURN_BACK = ALONE + "UPDATE consumer_offset SET next_offset = next_offset / 2"
FORGET = (
    ALONE + "DELETE FROM counted; DELETE FROM inbox; UPDATE consumer_offset SET next_offset = 0"
)


@pytest.fixture
async def pool(service_pool: MakePool) -> Pool:
    made_pool = await service_pool(SERVICE)
    await made_pool.execute(CREATE)
    return made_pool


@pytest.fixture
async def namespace(make_topics: MakeTopics) -> str:
    return await make_topics((SESSIONS,))


async def until_counted(pool: Pool, count: int) -> None:
    async def reached() -> object:
        return len(await counted(pool)) == count

    await until(reached, what=f"{count} counted")


async def publish(pool: Pool, first: int, count: int) -> None:
    async with pool.acquire() as conn, conn.transaction():
        await outbox.append(conn, [made(n, pairs=50) for n in range(first, first + count)])


async def test_a_worker_reads_again_what_was_taken_back(
    stack: Stack, pool: Pool, namespace: str
) -> None:
    """Seen to fail (the first 300 never counted again) when a lower stored offset is passed by."""
    async with relaying(stack, pool, namespace), consuming(stack, pool, namespace):
        await publish(pool, 0, 300)
        await until_counted(pool, 300)
        await pool.execute(FORGET)
        await publish(pool, 300, 300)
        await until_counted(pool, 600)


async def test_it_is_noticed_when_no_record_comes_by(
    stack: Stack, pool: Pool, namespace: str
) -> None:
    async with relaying(stack, pool, namespace), consuming(stack, pool, namespace) as reader:
        await publish(pool, 0, 300)
        await until_counted(pool, 300)
        await reader.recheck()
        assert len(await counted(pool)) == 300
        await pool.execute(FORGET)
        await reader.recheck()
        await until_counted(pool, 300)


@pytest.mark.full
async def test_moved_back_again_and_again_under_traffic_it_skips_nothing(
    stack: Stack, pool: Pool, namespace: str
) -> None:
    """Batches are on their way at every moment; whichever was fetched before must not count."""
    async with relaying(stack, pool, namespace), consuming(stack, pool, namespace) as reader:
        for turn in range(12):
            await publish(pool, turn * 300, 300)
            await until_counted_some(pool, turn * 300)
            await pool.execute(FORGET if turn % 3 else TURN_BACK)
            await asyncio.gather(reader.recheck(), publish(pool, 100_000 + turn, 1))
        await until_counted(pool, 12 * 300 + 12)
    offsets = await pool.fetchval("SELECT sum(next_offset) FROM consumer_offset")
    assert offsets == 12 * 300 + 12


async def test_a_hint_while_nothing_is_assigned_is_none(
    stack: Stack, pool: Pool, namespace: str
) -> None:
    """Seen to fail (ValueError, and the consumer halts) when an empty hint is sent."""
    async with consuming(stack, pool, namespace) as reader:
        reader.forget()

        await reader.hint()

        assert reader.halted is None


async def until_counted_some(pool: Pool, more_than: int) -> None:
    async def reached() -> object:
        return len(await counted(pool)) > more_than

    await until(reached, what=f"more than {more_than} counted")


async def test_a_batch_past_a_lower_stored_offset_is_not_applied(pool: Pool) -> None:
    """Seen to fail (20 counted, the offset at 20) when only higher offsets are looked for."""
    worker = Delivery(GROUP.name, pool, counting(), FixedClock(START))
    await worker.deliver([FakeRecord(made(n), n) for n in range(10)])
    await pool.execute(FORGET)
    with pytest.raises(OffsetMovedBack):
        await worker.deliver([FakeRecord(made(n), n) for n in range(10, 20)])
    assert await counted(pool) == []
    assert await pool.fetchval("SELECT next_offset FROM consumer_offset") == 0


async def test_gaps_that_compaction_leaves_are_nothing_to_go_back_for(pool: Pool) -> None:
    """Seen to fail (OffsetMovedBack) when the stored offset is compared with the batch's first."""
    worker = Delivery(GROUP.name, pool, counting(), FixedClock(START))
    await worker.deliver([FakeRecord(made(0), 3), FakeRecord(made(1), 7)])
    await worker.deliver([FakeRecord(made(2), 12), FakeRecord(made(3), 40)])
    assert len(await counted(pool)) == 4
    assert await pool.fetchval("SELECT next_offset FROM consumer_offset") == 41
