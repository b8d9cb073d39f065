"""After an outage: everything open has its time back, once, before anything is decided."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.sessions import sweeper
from services.sessions.app import build
from services.sessions.domain.outages import was_away
from services.sessions.domain.presence import Interval
from services.sessions.domain.session import Slot
from services.sessions.handlers.outages import give_back
from services.sessions.queries import outages
from services.sessions.settings import SessionsSettings
from services.sessions.sweeper import sweep
from shared.events.people import PersonLeaveEnded
from shared.ids import PairId, new_id
from shared.postgres.pool import UNAVAILABLE
from shared.postgres.tenancy import act_for_all, acting_for
from tests.integration.sessions.world import DAY, HOUR, MENTEE, MENTOR, START, TENANT, World

pytestmark = pytest.mark.stack

DUE = START + 7 * DAY
GRACE, CONFIRM_WITHIN = timedelta(hours=48), timedelta(hours=72)
MINUTE = timedelta(minutes=1)
AFTER = HOUR


async def run(world: World, at: datetime, *, batch_pairs: int = 200) -> int:
    """A sweeper at work at an instant, until it has nothing to do; how many steps it took."""
    world.clock.at = at
    steps = 0
    while await sweep(world.pool, at, batch_pairs, outage_after=AFTER):
        steps += 1
    return steps


async def promise(world: World) -> str:
    """Something that is due at DUE, and that the other side wants."""
    made = await world.promise(DUE)
    await world.ok(MENTOR, f"/v1/commitments/{made}/accept")
    return made


async def said(world: World) -> list[str]:
    """What happened, but who waited for whom."""
    taken = ("commitment.accepted", "reply.requested", "reply.settled")
    return [each for each in await world.types() if each not in taken]


async def until(world: World, table: str = "commitment") -> list[datetime]:
    """When what is open will be decided."""
    rows = await world.look(f"SELECT sweep_at FROM {table} ORDER BY {table}_id")
    return [row["sweep_at"] for row in rows]


async def many_promises(world: World, count: int) -> None:
    """One promise and one session in each of `count` pairs, all past their time at DUE."""
    for number in range(1, count + 1):
        world.pair = PairId(new_id())
        await world.start_pair(world.pair)
        await promise(world)
        await world.schedule(DUE - number * HOUR)  # nobody meets twice at once


async def test_the_sweeper_is_exact_to_the_minute(world: World) -> None:
    await promise(world)
    at = START
    while at < DUE + GRACE - MINUTE:
        await run(world, at)
        at += AFTER
    await run(world, DUE + GRACE - MINUTE)
    assert await said(world) == ["commitment.made"]
    await run(world, DUE + GRACE)
    assert await world.last() == ("commitment.missed", DUE + GRACE)


async def test_whoever_was_due_in_an_outage_has_all_of_the_grace_after_it(world: World) -> None:
    await promise(world)
    await run(world, DUE - HOUR)
    back = DUE + 3 * DAY
    await run(world, back)
    assert await said(world) == ["commitment.made"], "no burst of false misses"
    assert await until(world) == [back + GRACE]

    await run(world, back + GRACE - MINUTE)  # that is another outage, and its time comes back too
    assert await until(world) == [back + 2 * GRACE - MINUTE]


async def test_what_was_left_of_the_grace_is_left_after_the_outage(world: World) -> None:
    await promise(world)
    await run(world, DUE + 10 * HOUR)
    back = DUE + 100 * HOUR
    await run(world, back)
    ends = back + GRACE - 10 * HOUR
    assert await until(world) == [ends]

    for hour in range(1, 38):
        await run(world, back + hour * HOUR)
    await run(world, ends - MINUTE)
    assert await said(world) == ["commitment.made"]
    await run(world, ends)
    assert await world.last() == ("commitment.missed", ends)


async def test_in_the_time_given_back_people_say_what_they_would_have_said(world: World) -> None:
    made, session = await promise(world), await world.schedule(DUE - HOUR)
    await run(world, DUE - 2 * HOUR)
    await run(world, DUE + 9 * DAY)
    kept = await world.post(
        MENTOR, f"/v1/commitments/{made}/keep", {"kept_at": (DUE - HOUR).isoformat()}
    )
    assert kept.status_code == 200, kept.text
    for person in (MENTOR, MENTEE):
        await world.ok(person, f"/v1/sessions/{session}/confirm")
    assert (await said(world))[-1] == "session.held"


@pytest.mark.parametrize(
    ("alive", "late"),
    [
        pytest.param(DUE + GRACE, HOUR, id="an hour late"),
        pytest.param(DUE - 9 * HOUR, HOUR, id="long before it was due"),
    ],
)
async def test_a_sweeper_that_was_late_changes_nothing(
    world: World, alive: datetime, late: timedelta
) -> None:
    await promise(world)
    await run(world, alive)
    await run(world, alive + late)
    for at in (DUE + GRACE + n * HOUR for n in range(-56, 3)):
        await run(world, max(at, alive + late))
    assert await world.last() == ("commitment.missed", DUE + GRACE)


async def test_what_an_outage_did_not_touch_stays_as_it_is(world: World) -> None:
    await promise(world)
    await run(world, START + HOUR)
    await run(world, DUE)  # six days away, and over when it is due
    assert await until(world) == [DUE + GRACE]


async def test_before_the_first_sweep_there_was_no_outage(world: World) -> None:
    await promise(world)
    await run(world, DUE + GRACE)
    assert await world.last() == ("commitment.missed", DUE + GRACE)


async def test_small_batches_give_every_thing_its_time_back_once(world: World) -> None:
    await many_promises(world, 7)
    await run(world, DUE - DAY)
    back = DUE + 5 * DAY
    assert await run(world, back, batch_pairs=2) >= 4
    assert set(await until(world)) == {back + GRACE}
    assert set(await until(world, "session")) == {back + CONFIRM_WITHIN}
    assert len(await world.look("SELECT FROM given_back")) == 14


async def test_two_sweepers_at_once_give_nothing_back_twice(world: World) -> None:
    await many_promises(world, 9)
    await run(world, DUE - DAY)
    back = DUE + 5 * DAY
    for _ in range(12):
        await asyncio.gather(*(sweep(world.pool, back, 2, outage_after=AFTER) for _ in range(4)))
    assert set(await until(world)) == {back + GRACE}
    assert len(await world.look("SELECT FROM outage")) == 1


async def terminate(world: World, sweeping: asyncio.Task[int]) -> None:
    """Kill the connection of the sweeper that waits for a lock, as a crash of its machine would."""
    killed = await world.pool.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()"
    )
    assert len(killed) == 1
    with pytest.raises(UNAVAILABLE):
        await sweeping


async def cancel(world: World, sweeping: asyncio.Task[int]) -> None:
    """Cancel the sweeper, as the end of its process would."""
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)


@pytest.mark.parametrize("kill", [terminate, cancel])
async def test_a_sweeper_killed_between_batches_moves_nothing_twice(
    world: World, kill: Callable[[World, asyncio.Task[int]], Awaitable[None]]
) -> None:
    await many_promises(world, 4)
    await run(world, DUE - DAY)
    back = DUE + 5 * DAY
    assert await sweep(world.pool, back, 1, outage_after=AFTER) == 2

    # The next one has moved a session, and waits to move the promise of the same pair.
    async with acting_for(world.pool, TENANT) as conn:
        await conn.execute("SELECT FROM commitment FOR UPDATE")
        sweeping = asyncio.create_task(sweep(world.pool, back, 1, outage_after=AFTER))
        while not await world.pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        ):
            assert not sweeping.done()
        await kill(world, sweeping)

    assert len(await world.look("SELECT FROM given_back")) == 2
    await run(world, back, batch_pairs=1)
    assert set(await until(world)) == {back + GRACE}
    assert set(await until(world, "session")) == {back + CONFIRM_WITHIN}
    assert await said(world) == ["commitment.made", "session.scheduled"] * 4


async def test_nothing_is_decided_before_a_pair_in_use_has_its_time_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await many_promises(world, 2)
    await run(world, DUE + GRACE - HOUR)
    back = DUE + GRACE + 2 * HOUR
    async with world.pool.acquire() as user:
        use = user.transaction()
        await use.start()
        await act_for_all(user)
        await user.execute("SELECT FROM pair WHERE pair_id = $1 FOR UPDATE", world.pair)

        async def give_back_while_in_use(*args: Any) -> int | None:
            given = await give_back(*args)
            if given == 0:
                await use.rollback()  # from here on the pair could be swept
            return given

        monkeypatch.setattr(sweeper, "give_back", give_back_while_in_use)
        await run(world, back)
        assert await world.pool.fetchval("SELECT count(*) FROM outage WHERE NOT over") == 1
    monkeypatch.undo()
    await run(world, back)
    assert set(await until(world)) == {back + HOUR}
    assert "commitment.missed" not in await said(world)


async def test_what_was_given_back_is_kept_when_a_leave_moves_the_date(world: World) -> None:
    await promise(world)
    await run(world, DUE + HOUR)
    back = DUE + 6 * HOUR
    await run(world, back)
    assert await until(world) == [DUE + GRACE + 5 * HOUR]
    started = (DUE + DAY).date()
    leave = PersonLeaveEnded(
        person_id=MENTEE, leave_id="l", started_on=started, back_on=started + 2 * DAY
    )
    await world.deliver(leave)
    assert await until(world) == [DUE + GRACE + 5 * HOUR + 2 * DAY]


async def test_a_session_that_lay_in_an_outage_is_known_to_have(world: World) -> None:
    await run(world, START)
    await run(world, START + DAY)
    async with world.pool.acquire() as conn:
        known = await outages.between(conn, START + 2 * HOUR, START + 3 * HOUR)
        assert known == [Interval(START, START + DAY)]
        assert was_away(known, Slot(START + 2 * HOUR, 60))
        assert await outages.between(conn, START + DAY, START + 2 * DAY) == []


async def test_a_long_catching_up_is_no_outage(world: World) -> None:
    """The mark stands still while there is much to decide; the sweeper is there all the same."""
    await many_promises(world, 3)
    await run(world, DUE - HOUR)
    for hour in range(48):
        await run(world, DUE + hour * HOUR)
    async with acting_for(world.pool, TENANT) as conn:
        await conn.execute("SELECT FROM pair WHERE pair_id = $1 FOR UPDATE", world.pair)
        for hour in range(48, 60):
            await run(world, DUE + hour * HOUR)
    assert await world.look("SELECT FROM outage") == []
    await run(world, DUE + 60 * HOUR)
    missed = [each for each in await world.published() if each.fact.type == "commitment.missed"]
    assert {each.occurred_at for each in missed} == {DUE + GRACE}


async def test_the_service_looks_for_outages_by_the_machines_clock(world: World) -> None:
    await promise(world)
    settings = SessionsSettings(postgres=SecretStr("-"), kafka="-")
    (loop,) = build(settings, world.pool, world.clock).loops
    world.clock.at = DUE
    assert not await loop.step()
    world.clock.at = DUE + 9 * DAY
    while await loop.step():
        pass
    assert await said(world) == ["commitment.made"]
    # A virtual clock jumps: there an outage is looked for only when its length is set.
    virtual = settings.model_copy(update={"clock_file": Path("unused")})
    (loop,) = build(virtual, world.pool, world.clock).loops
    world.clock.at = DUE + 99 * DAY
    assert await loop.step()
    assert await said(world) == ["commitment.made", "commitment.missed"]
