"""Leaves and holidays over Kafka's facts: late, twice, out of order, and what they move."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from itertools import permutations

import pytest

from services.sessions.queries import leaves
from services.sessions.queries.dates import hold_pairs
from shared.events.fact import Fact
from shared.events.people import (
    PersonChanged,
    PersonJoined,
    PersonLeaveEnded,
    PersonLeaveStarted,
    PersonLeft,
)
from shared.events.sessions import CommitmentMoved
from shared.ids import PersonId, TenantId
from shared.postgres.tenancy import acting_for
from tests.integration.sessions.world import DAY, HOUR, MENTEE, MENTOR, START, TENANT, World
from tests.support.callers import as_

pytestmark = pytest.mark.stack

DUE = START + 7 * DAY  # the 9th, a Monday
GRACE, CONFIRM_WITHIN = timedelta(hours=48), timedelta(hours=72)


def on(day: int) -> date:
    return date(2026, 3, day)


def started(day: int, person: PersonId = MENTEE, leave: str = "l1") -> Fact:
    return PersonLeaveStarted(person_id=person, leave_id=leave, started_on=on(day))


def ended(day: int, back: int, person: PersonId = MENTEE, leave: str = "l1") -> Fact:
    return PersonLeaveEnded(person_id=person, leave_id=leave, started_on=on(day), back_on=on(back))


def person(country: str | None, zone: str = "UTC", who: PersonId = MENTEE) -> PersonChanged:
    return PersonChanged(
        person_id=who, email="a@example.org", display_name="A", timezone=zone, country=country
    )


async def promise(world: World, due_at: datetime = DUE, by: PersonId = MENTEE) -> str:
    made = await world.promise(due_at, by=by)
    await world.ok(MENTOR if by == MENTEE else MENTEE, f"/v1/commitments/{made}/accept")
    return made


async def dates(world: World) -> tuple[datetime, datetime]:
    """When the only promise is due, and when it is decided."""
    ((due_at, sweep_at),) = await world.look("SELECT due_at, sweep_at FROM commitment")
    return due_at, sweep_at


async def moves(world: World) -> list[CommitmentMoved]:
    facts = [event.fact for event in await world.published()]
    return [fact for fact in facts if isinstance(fact, CommitmentMoved)]


async def test_a_leave_moves_what_is_due_by_as_long_as_it_lasts(world: World) -> None:
    await promise(world)
    await world.deliver(ended(4, 7))
    assert await dates(world) == (DUE + 3 * DAY, DUE + 3 * DAY + GRACE)
    (move,) = await moves(world)
    assert (move.previous_due_at, move.due_at, move.reason) == (DUE, DUE + 3 * DAY, "leave")
    ((said,),) = await world.look("SELECT promised_for FROM commitment")
    assert said == DUE


async def test_nobody_on_leave_misses_anything_until_they_are_back(world: World) -> None:
    await promise(world)
    world.clock.at = START + 2 * DAY
    await world.deliver(started(4))
    world.clock.at = START + 90 * DAY
    assert await world.sweep() == 0
    back = START + 91 * DAY  # the 1st of June
    await world.deliver(
        PersonLeaveEnded(person_id=MENTEE, leave_id="l1", started_on=on(4), back_on=back.date())
    )
    away = (back.date() - on(4)).days * DAY
    assert await dates(world) == (DUE + away, DUE + away + GRACE)
    world.clock.at = DUE + away + GRACE - timedelta(minutes=1)
    assert await world.sweep() == 0
    world.clock.at += timedelta(minutes=1)
    assert await world.sweep() == 1
    assert await world.last() == ("commitment.missed", DUE + away + GRACE)


HISTORY = (
    (started(4), START),
    (ended(4, 20), START + HOUR),
    (ended(4, 7), START + 2 * HOUR),  # HR knows better by now
)


@pytest.mark.parametrize("order", list(permutations(HISTORY)))
async def test_the_newest_fact_of_a_leave_counts_in_whatever_order_they_come(
    world: World, order: tuple[tuple[Fact, datetime], ...]
) -> None:
    await promise(world)
    for fact, at in (*order, order[0]):  # and one of them twice
        await world.deliver(fact, at=at)
    assert await dates(world) == (DUE + 3 * DAY, DUE + 3 * DAY + GRACE)


async def test_of_one_instant_the_fact_that_knows_the_end_is_the_newer(world: World) -> None:
    await promise(world)
    for fact in (ended(4, 7), started(4)):
        await world.deliver(fact, at=START)
    assert (await dates(world))[0] == DUE + 3 * DAY


async def test_two_leaves_at_once_count_once(world: World) -> None:
    await promise(world)
    await world.deliver(ended(4, 7), ended(5, 8, MENTOR), ended(4, 6, leave="l2"))
    assert (await dates(world))[0] == DUE + 4 * DAY


async def test_a_leave_known_before_its_person_is_not_lost(world: World) -> None:
    await world.deliver(ended(4, 7))
    joined = PersonJoined(
        person_id=MENTEE, email="t@example.org", display_name="Tom", timezone="Asia/Tokyo"
    )
    await world.deliver(joined)
    await promise(world)
    assert (await dates(world))[0] == DUE + 3 * DAY
    ((zone, name),) = await world.look("SELECT timezone, display_name FROM person")
    assert (zone, name) == ("Asia/Tokyo", "Tom")


async def test_leaves_of_one_person_told_at_once_are_all_counted(world: World) -> None:
    """They have keys of their own, and so may come by different partitions at the same time."""
    await promise(world)
    days = [(2 * n + 3, 2 * n + 4) for n in range(8)]
    facts = [ended(*each, leave=f"l{n}") for n, each in enumerate(days)]
    await asyncio.gather(*(world.deliver(each) for each in facts))
    assert (await dates(world))[0] == DUE + 7 * DAY  # three more while it moves on


async def test_leaves_of_both_sides_told_at_once_are_both_counted(world: World) -> None:
    await promise(world)
    for _ in range(5):
        await asyncio.gather(world.deliver(ended(4, 5)), world.deliver(ended(6, 7, MENTOR, "m")))
    assert (await dates(world))[0] == DUE + 2 * DAY


async def test_what_was_missed_before_the_leave_was_told_stays_missed(world: World) -> None:
    await promise(world)
    world.clock.at = DUE + GRACE
    await world.deliver(ended(4, 7))  # the sweeper has not been: it is missed all the same
    await world.sweep()
    assert await world.last() == ("commitment.missed", DUE + GRACE)


async def test_another_country_has_other_holidays(world: World) -> None:
    unity_day = datetime(2026, 10, 3, 15, tzinfo=START.tzinfo)
    await promise(world, unity_day)
    await world.deliver(person("DE", "Europe/Berlin"))
    assert (await dates(world))[0] == unity_day + DAY
    assert [each.reason for each in await moves(world)] == ["holiday"]
    await world.deliver(person("FR", "Europe/Paris"), at=START + HOUR)
    assert (await dates(world))[0] == unity_day
    await world.deliver(person("DE", "Europe/Berlin"), at=START)
    assert (await dates(world))[0] == unity_day, "what is known already is newer"


async def test_the_time_to_confirm_a_session_waits_for_both(world: World) -> None:
    ends_at = START + 7 * DAY
    await world.schedule(ends_at - HOUR)
    await world.deliver(ended(9, 12, MENTOR))
    ((sweep_at,),) = await world.look("SELECT sweep_at FROM session")
    # It ends on the first day of the leave.
    assert sweep_at == datetime(2026, 3, 12, tzinfo=START.tzinfo) + CONFIRM_WITHIN


async def test_a_move_is_a_change_that_whoever_read_it_before_is_told_of(world: World) -> None:
    made = await promise(world)
    ((before,),) = await world.look("SELECT revision FROM commitment")
    await world.deliver(ended(4, 7))
    ((after,),) = await world.look("SELECT revision FROM commitment")
    assert after == before + 1
    headers = as_(MENTEE, tenant=TENANT) | {"If-Match": f'"{before}"'}
    stale = await world.http.post(f"/v1/commitments/{made}/warn", headers=headers)
    assert stale.status_code == 412


async def test_another_tenants_person_of_the_same_name_is_somebody_else(world: World) -> None:
    await promise(world)
    async with acting_for(world.pool, TenantId("globex")) as conn:
        await conn.execute(
            "INSERT INTO person (tenant, person_id, timezone, as_of, away)"
            " VALUES ('globex', $1, 'UTC', now(), '{[2026-03-04,2026-03-07)}')",
            MENTEE,
        )
    await world.deliver(ended(20, 21))
    assert (await dates(world))[0] == DUE


async def test_who_leaves_is_forgotten_and_what_was_moved_stays(world: World) -> None:
    await promise(world)
    await world.deliver(person("DE"), ended(4, 7))
    await world.deliver(PersonLeft(person_id=MENTEE, left_on=on(6)))
    assert (await dates(world))[0] == DUE + 3 * DAY
    assert await world.look("SELECT FROM leave") == []
    assert await world.look("SELECT FROM person") == []


async def test_what_waited_for_a_leave_knows_of_it(world: World) -> None:
    """A command waits for the pair's row while a leave is written; what it reads comes after."""
    async with acting_for(world.pool, TENANT) as conn:
        await conn.execute("SELECT FROM pair FOR UPDATE")
        making = asyncio.create_task(world.promise(DUE))
        while not await world.pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        ):
            assert not making.done()
        await leaves.hold(conn, TENANT, MENTEE)
        await leaves.save(conn, TENANT, MENTEE, "l1", (on(4), on(7)), START)
        await leaves.gather(conn, TENANT, MENTEE)
        await hold_pairs(conn, TENANT, MENTEE)
    await making
    assert (await dates(world))[0] == DUE + 3 * DAY
