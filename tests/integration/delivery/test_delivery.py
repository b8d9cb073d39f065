"""Delivery against a real database: what a batch becomes, whatever is in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import pytest

from shared.clock import FixedClock
from shared.errors import PoisonMessage, Retryable
from shared.events.envelope import Event
from shared.events.sessions import CommitmentMade
from shared.kafka import dead_letters
from shared.kafka.delivery import Delivery, Limits
from shared.kafka.per_fact import Apply, per_fact
from shared.postgres.pool import Connection, Pool
from tests.conftest import MakePool
from tests.support.ledger import (
    CREATE,
    GROUP,
    SERVICE,
    START,
    FakeRecord,
    count,
    counted,
    counting,
    made,
)

pytestmark = pytest.mark.stack


@pytest.fixture
async def pool(service_pool: MakePool) -> Pool:
    made_pool = await service_pool(SERVICE)
    await made_pool.execute(CREATE)
    return made_pool


def delivery(pool: Pool, apply: Apply | None = None, **limits: int) -> Delivery:
    return Delivery(GROUP.name, pool, apply or counting(), FixedClock(START), Limits(**limits))


def records(events: Sequence[Event], *, start: int = 0) -> list[FakeRecord]:
    return [FakeRecord(event, start + n) for n, event in enumerate(events)]


def failing(
    fails: Callable[[Event], Exception | None],
) -> Apply:
    """Counts like any other, but raises what `fails` answers for an event."""

    async def handle(conn: Connection, event: Event, now: datetime) -> None:
        if error := fails(event):
            raise error
        await count(conn, event, now)

    return per_fact({CommitmentMade: handle})


async def letters(pool: Pool) -> list[dead_letters.DeadLetter]:
    async with pool.acquire() as conn:
        return await dead_letters.ls(conn, None, 100)


async def test_a_batch_is_counted_and_its_offset_moves(pool: Pool) -> None:
    events = [made(n) for n in range(50)]

    await delivery(pool).deliver(records(events))

    assert await counted(pool) == [event.event_id for event in events]
    assert await pool.fetchval("SELECT next_offset FROM consumer_offset") == 50


async def test_a_batch_delivered_again_changes_nothing(pool: Pool) -> None:
    events = [made(n) for n in range(20)]
    worker, after_a_crash = delivery(pool), delivery(pool)

    await worker.deliver(records(events))
    await after_a_crash.deliver(records(events))

    assert len(await counted(pool)) == 20


async def test_the_same_event_published_anew_is_counted_once(pool: Pool) -> None:
    """Seen to fail (30 instead of 10) with the inbox claim in `per_fact` removed."""
    events = [made(n) for n in range(10)]

    await delivery(pool).deliver(records([*events, *events]))
    await delivery(pool).deliver(records(events, start=20))

    assert len(await counted(pool)) == 10


async def test_one_poison_record_of_201_leaves_200_counted_and_one_dead_letter(pool: Pool) -> None:
    """Seen to fail (nothing counted, the error escapes) when decode errors are not parked."""
    batch = records([made(n) for n in range(201)])
    poison = batch[100]
    poison.value = b'{"pair_id": "\xff not json'
    poison.headers = [*poison.headers, ("x-null", None), ("x-bytes", b"\xff\x00")]  # type: ignore[list-item]

    await delivery(pool).deliver(batch)

    assert len(await counted(pool)) == 200
    (letter,) = await letters(pool)
    assert (letter.key, letter.value) == (poison.key, poison.value)
    assert list(letter.headers) == list(poison.headers)
    assert letter.reason == "bad_data"
    assert letter.offset == 100


async def test_a_record_its_handler_cannot_bear_is_found_and_parked(pool: Pool) -> None:
    events = [made(n) for n in range(64)]
    bad = events[37].event_id
    tried: list[int] = []

    def fails(event: Event) -> Exception | None:
        if event.event_id == bad:
            tried.append(1)
            return ZeroDivisionError("a bug")
        return None

    await delivery(pool, failing(fails), handler_attempts=3).deliver(records(events))

    assert await counted(pool) == [e.event_id for e in events if e.event_id != bad]
    (letter,) = await letters(pool)
    assert (letter.reason, letter.detail, letter.attempts) == (
        "handler_failed",
        "ZeroDivisionError",
        3,
    )


async def test_an_outage_is_waited_out_and_parks_nothing(pool: Pool) -> None:
    outages = iter([ConnectionResetError(), TimeoutError(), Retryable("not yet")])

    await delivery(pool, failing(lambda _: next(outages, None))).deliver(records([made()]))

    assert len(await counted(pool)) == 1
    assert await letters(pool) == []


async def test_the_cap_stops_a_bad_deploy_from_dead_lettering_everything(pool: Pool) -> None:
    """Seen to fail (it never stops by itself) without `check_cap`."""
    worker = delivery(pool, failing(lambda _: PoisonMessage("bad_deploy")), dead_letter_cap=3)

    async def give_up_when_capped() -> None:
        async with asyncio.timeout(20):
            while not worker.progress.cap_reached:
                await asyncio.sleep(0)
        worker.stop()

    await asyncio.gather(
        worker.deliver(records([made(n) for n in range(10)])), give_up_when_capped()
    )

    assert len(await letters(pool)) == 3
    assert await pool.fetchval("SELECT next_offset FROM consumer_offset") == 3


async def test_a_redrive_asked_for_twice_counts_once(pool: Pool) -> None:
    broken = True
    worker = delivery(pool, failing(lambda _: PoisonMessage("broken") if broken else None))
    await worker.deliver(records([made(n) for n in range(5)]))

    async with pool.acquire() as conn:
        asked = await dead_letters.decide(conn, "redriving", None)
        asked_again = await dead_letters.decide(conn, "redriving", None)
    broken = False
    redriven = [await worker.redrive(), await worker.redrive()]

    assert (len(asked), len(asked_again)) == (5, 0)
    assert redriven == [5, 0]
    assert len(await counted(pool)) == 5


async def test_a_redrive_that_fails_again_is_parked_again(pool: Pool) -> None:
    worker = delivery(pool, failing(lambda _: PoisonMessage("still_broken")))
    await worker.deliver(records([made()]))
    async with pool.acquire() as conn:
        await dead_letters.decide(conn, "redriving", None)

    await worker.redrive()

    (letter,) = await letters(pool)
    assert (letter.status, letter.attempts) == ("parked", 2)


async def test_a_dropped_letter_is_never_redriven(pool: Pool) -> None:
    worker = delivery(pool, failing(lambda _: PoisonMessage("broken")))
    await worker.deliver(records([made()]))
    async with pool.acquire() as conn:
        await dead_letters.decide(conn, "dropped", None)
        assert await dead_letters.decide(conn, "redriving", None) == []
