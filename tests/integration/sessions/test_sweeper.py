"""The sweeper against a real database: what it says depends on time, never on when it ran."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.local.stack import Stack
from services.sessions.app import build
from services.sessions.queries import sweeps
from services.sessions.settings import SessionsSettings
from services.sessions.sweeper import sweep
from shared.ids import PairId, new_id
from shared.postgres.tenancy import acting_for
from tests.integration.sessions.world import DAY, HOUR, MENTEE, MENTOR, START, TENANT, World
from tests.support.databases import as_administrator

pytestmark = pytest.mark.stack

DUE = START + 7 * DAY
GRACE = timedelta(hours=48)

AWAY = "ALTER TABLE history RENAME TO history_away"
BACK = "ALTER TABLE history_away RENAME TO history"


async def test_a_commitment_nobody_spoke_of_is_missed_when_the_grace_is_over(world: World) -> None:
    await world.promise(DUE)

    world.clock.at = DUE + GRACE - timedelta(microseconds=1)
    assert await world.sweep() == 0
    world.clock.at = DUE + GRACE
    assert await world.sweep() == 1

    assert await world.last() == ("commitment.missed", DUE + GRACE)


async def test_a_warned_commitment_is_missed_as_of_its_due_time(world: World) -> None:
    commitment = await world.promise(DUE)
    world.clock.at = DUE - DAY
    await world.ok(MENTEE, f"/v1/commitments/{commitment}/warn")
    assert await world.last() == ("commitment.warned", DUE - DAY)

    world.clock.at = DUE + 30 * DAY
    await world.sweep()

    assert await world.last() == ("commitment.missed_warned", DUE)


async def test_a_told_commitment_is_missed_as_of_when_it_was_told(world: World) -> None:
    commitment = await world.promise(DUE)
    world.clock.at = DUE + HOUR
    await world.ok(MENTEE, f"/v1/commitments/{commitment}/tell")

    world.clock.at = DUE + 30 * DAY
    await world.sweep()

    assert await world.last() == ("commitment.missed_told", DUE + HOUR)


async def test_a_session_one_side_confirmed_was_held_and_one_nobody_did_lapses(
    world: World,
) -> None:
    one = await world.schedule(START + DAY)
    await world.schedule(START + 2 * DAY)
    world.clock.at = START + DAY + HOUR
    await world.ok(MENTEE, f"/v1/sessions/{one}/confirm")

    world.clock.at = START + 60 * DAY
    assert await world.sweep() == 2

    assert await world.types() == ["session.scheduled", "session.scheduled", "session.held"]
    event = (await world.published())[-1]
    assert event.occurred_at == START + DAY + HOUR
    assert event.fact.model_dump()["confirmed_by"] == (MENTEE,)


async def history_of_a_month(world: World, sweeps: list[datetime]) -> list[tuple[str, datetime]]:
    """The same month each time, swept when `sweeps` says."""

    async def until(at: datetime) -> None:
        while sweeps and sweeps[0] <= at:
            world.clock.at = sweeps.pop(0)
            await world.sweep(batch_pairs=1)
        world.clock.at = at

    first = await world.promise(START + 3 * DAY)
    await world.promise(START + 4 * DAY, by=MENTOR)
    session = await world.schedule(START + 2 * DAY)
    third = await world.promise(START + 10 * DAY)
    await until(START + 2 * DAY + HOUR)
    await world.ok(MENTOR, f"/v1/sessions/{session}/confirm")
    await until(START + 3 * DAY + HOUR)
    await world.ok(MENTEE, f"/v1/commitments/{first}/tell")
    await until(START + 4 * DAY + 12 * HOUR)
    await world.ok(MENTEE, f"/v1/commitments/{third}/warn")
    await until(START + 40 * DAY)
    await world.sweep(batch_pairs=1)
    return [
        (event.fact.type, event.occurred_at)
        for event in await world.published()
        if event.fact.type not in BEFORE
    ]


BEFORE = {
    "commitment.made",
    "commitment.accepted",
    "session.scheduled",
    "commitment.warned",
    "reply.requested",
    "reply.settled",
}
EXPECTED = [
    ("commitment.missed_told", START + 3 * DAY + HOUR),
    ("session.held", START + 2 * DAY + HOUR),
    ("commitment.missed", START + 4 * DAY + GRACE),
    ("commitment.missed_warned", START + 10 * DAY),
]


@pytest.mark.parametrize(
    "every_hours",
    [
        pytest.param(24 * 365, id="once, after a month's outage"),
        pytest.param(5 * 24, id="every five days"),
        pytest.param(6, id="every six hours"),
    ],
)
async def test_a_late_sweep_says_what_a_punctual_one_would_have(
    world: World, every_hours: int
) -> None:
    sweeps = [START + n * every_hours * HOUR for n in range(1, 40 * 24 // every_hours + 1)]

    assert await history_of_a_month(world, sweeps) == EXPECTED


async def test_many_sweepers_at_once_decide_each_thing_once(world: World) -> None:
    pairs = [PairId(new_id()) for _ in range(6)]
    for pair in pairs:
        await world.start_pair(pair)
        world.pair = pair
        for n in range(5):
            await world.promise(DUE + n * HOUR)
    now = DUE + 10 * DAY

    async def sweeper() -> int:
        decided = 0
        while not await settled(now):
            decided += await sweep(world.pool, now, 2)
        return decided

    async def settled(at: datetime) -> bool:
        return bool(await world.pool.fetchval("SELECT swept_until >= $1 FROM sweep_mark", at))

    decided = await asyncio.gather(*(sweeper() for _ in range(4)))

    assert sum(decided) == 30
    missed = [e.fact for e in await world.published() if e.fact.type == "commitment.missed"]
    assert len(missed) == len({fact.model_dump()["commitment_id"] for fact in missed}) == 30


async def test_requests_a_delivery_and_sweeps_at_once_never_block_each_other(world: World) -> None:
    pairs, promises = [PairId(new_id()) for _ in range(12)], []
    for world.pair in pairs:
        await world.start_pair(world.pair)
        promises.append(await world.promise(DUE))
    world.clock.at = DUE + GRACE - HOUR

    ending = asyncio.create_task(world.end_pairs(DUE + DAY, *reversed(pairs)))
    sweeping = [asyncio.create_task(sweep(world.pool, DUE + GRACE, 5)) for _ in range(4)]
    body = {"kept_at": DUE.isoformat()}
    answers = await asyncio.gather(
        *(world.post(MENTOR, f"/v1/commitments/{each}/keep", body) for each in promises)
    )
    await asyncio.gather(ending, *sweeping)
    world.clock.at = DUE + GRACE
    await world.sweep()

    assert {answer.status_code for answer in answers} <= {200, 409}
    ends = await world.told("commitment.made", "commitment.accepted")
    assert len(ends) == len(promises)


async def test_a_pair_in_use_is_passed_over_and_the_mark_waits_for_it(world: World) -> None:
    await world.promise(DUE)
    busy, now = world.pair, DUE + 3 * DAY
    world.pair = PairId(new_id())
    await world.start_pair(world.pair)
    await world.promise(DUE)

    async with acting_for(world.pool, TENANT) as conn:
        await conn.execute("SELECT FROM pair WHERE pair_id = $1 FOR UPDATE", busy)
        assert await sweep(world.pool, now) == 1
        assert await world.pool.fetchval("SELECT count(*) FROM sweep_mark") == 0

    assert await sweep(world.pool, now) == 1
    assert await world.pool.fetchval("SELECT swept_until FROM sweep_mark") == now


async def test_while_another_sweeps_there_is_nothing_to_do(world: World) -> None:
    await world.promise(DUE)

    async with world.pool.acquire() as conn, conn.transaction():
        assert await sweeps.take_turn(conn)
        assert await sweep(world.pool, DUE + GRACE) == 0

    assert await sweep(world.pool, DUE + GRACE) == 1


async def test_a_sweep_that_dies_leaves_everything_to_the_next(world: World, stack: Stack) -> None:
    await world.promise(DUE)
    await as_administrator(stack.postgres_dsn, world.pool, AWAY)
    with pytest.raises(Exception, match="history"):
        await sweep(world.pool, DUE + GRACE)
    await as_administrator(stack.postgres_dsn, world.pool, BACK)
    assert await world.told("commitment.accepted") == ["commitment.made"]

    assert await sweep(world.pool, DUE + GRACE) == 1

    assert await world.told("commitment.accepted") == ["commitment.made", "commitment.missed"]


async def test_services_read_how_far_the_sweep_is_and_nobody_else(world: World) -> None:
    before = await world.get("demo", "/v1/sweeper", role="service")
    await world.sweep()
    after = await world.get("demo", "/v1/sweeper", role="service")
    refused = await world.get(MENTOR, "/v1/sweeper")

    assert before.json() == {"swept_until": None}
    assert after.json() == {"swept_until": "2026-03-02T09:00:00Z"}
    assert refused.status_code == 403


async def test_the_service_sweeps_by_its_own_clock(world: World) -> None:
    await world.promise(DUE)
    # A virtual clock, and so one that may jump.
    settings = SessionsSettings(postgres=SecretStr("-"), kafka="-", clock_file=Path("unused"))
    service = build(settings, world.pool, world.clock)
    (loop,) = service.loops

    assert not await loop.step()
    world.clock.at = DUE + GRACE
    assert await loop.step()

    assert (loop.name, loop.every_s) == ("sweeper", 5.0)
    assert await world.told("commitment.accepted") == ["commitment.made", "commitment.missed"]


async def test_the_mark_never_goes_back(world: World) -> None:
    await sweep(world.pool, START + DAY)
    await sweep(world.pool, START)

    assert await world.pool.fetchval("SELECT swept_until FROM sweep_mark") == START + DAY
