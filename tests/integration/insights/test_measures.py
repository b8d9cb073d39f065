"""Programmes on a real database: released once, in order, the same every time, never fewer than 5.

Seen to fail: without the lock (two at once), without one transaction (a crash half-way), without
`caught_up` (what was told is not counted), with a cohort that lives while half of it does or in
spite of an erased pair, with ended pairs that do not stand still, and without the veil (benefits).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.insights import measuring
from services.insights.domain.evidence import Evidence, to_us
from services.insights.domain.model import V1
from services.insights.domain.trust import fold
from services.insights.measuring import measure
from services.insights.queries import evidence
from shared.clock import FixedClock
from shared.events.envelope import Event
from shared.ids import ProgrammeId, TenantId
from shared.postgres import outbox
from tests.conftest import MakePool
from tests.integration.insights.conftest import Insights
from tests.integration.insights.programmes import (
    MARCH,
    Two,
    after,
    always,
    begin,
    measures,
    several,
    told,
)
from tests.support.seeing import seeing
from tests.unit.insights.facts import ACME

pytestmark = pytest.mark.stack

DAY = timedelta(days=1)
MEASURED = ("programme", "enrolment", "cohort_pair", "cohort", "release")
COMPANY = [*several(range(6)), *several(range(6, 11), "ops"), *several(range(11, 14), "research")]


def busy(pairs: list[Two], days: int = 120, seed: int = 1) -> list[Event]:
    """Pairs that do things, some of them in private."""
    chance = Random(seed)
    events = begin(pairs)
    for pair in pairs:
        for day in range(2, days, 6):
            at = MARCH + day * DAY + pair.number * timedelta(minutes=1)
            deed = chance.choice([pair.keeps, pair.keeps, pair.misses, pair.introduces])
            events += [deed(at), pair.answers(at + DAY, chance.random() < 0.6)]
    return events


async def test_a_programme_and_its_units_are_told_each_month(insights: Insights) -> None:
    await insights.hears(busy(COMPANY))
    found = told(await measures(insights, after(2026, 4)))
    assert set(found) == {("2026-03", None), ("2026-03", "ops"), ("2026-03", "sales")}
    whole = found["2026-03", None]
    assert (whole.pairs, whole.mentors, whole.mentees) == (10, 10, 10)
    assert whole.as_of == after(2026, 4).replace(hour=0)
    assert await measures(insights, after(2026, 4) + 20 * DAY) == []
    assert {unit for _, unit in told(await measures(insights, after(2026, 5)))} == {
        None, "ops", "sales",
    }  # fmt: skip


async def test_the_numbers_are_those_of_the_fold(insights: Insights) -> None:
    pairs = several(range(7))
    await insights.hears(busy(pairs))
    fact = told(await measures(insights, after(2026, 5)))["2026-04", "sales"]
    at_us = to_us(after(2026, 5).replace(hour=0))
    trusts = [fold(known, V1, at_us) for known in (await evidence_of(insights)).values()]
    health = sum(trust.health for trust in trusts) / len(pairs)
    assert abs(fact.health - health) <= 0.025 + 1e-9
    for n, facet in enumerate("ELHRBP"):
        sides = [t.about_mentor.facets[n].score + t.about_mentee.facets[n].score for t in trusts]
        seen = fact.facets[facet]  # type: ignore[index]
        assert abs(seen - sum(sides) / 2 / len(pairs)) <= 0.025 + 1e-9
    assert abs(sum(fact.bands.values()) - 1) <= 0.1


async def evidence_of(insights: Insights) -> dict[UUID, list[Evidence]]:
    async with seeing(insights.pool) as conn:
        keys = {row[0]: row[1] for row in await conn.fetch("SELECT pair_key, pair_id FROM pair")}
        return {keys[key]: known for key, known in (await evidence.of_pairs(conn, keys)).items()}


async def test_a_pair_that_ended_stands_still_and_the_others_do_not(insights: Insights) -> None:
    pairs = several(range(10))
    end = MARCH + 40 * DAY
    await insights.hears(begin(pairs))
    await insights.hears([p.misses(MARCH + n * DAY) for p in pairs for n in range(20, 28)])
    await insights.hears([pair.ends(end) for pair in pairs[:5]])
    found = told(await measures(insights, after(2027, 3)))
    known = await evidence_of(insights)
    now_us = to_us(after(2027, 3).replace(hour=0))
    then = fold(known[pairs[0].pair_id], V1, to_us(end)).health
    now = fold(known[pairs[9].pair_id], V1, now_us).health
    assert now - then > 0.15
    assert abs(found["2027-02", "sales"].health - (then + now) / 2) <= 0.025 + 1e-9


async def test_benefits_are_those_of_the_month(insights: Insights) -> None:
    pairs = several(range(5))
    await insights.hears(begin(pairs))
    await insights.hears([pair.introduces(MARCH + DAY) for pair in pairs[:2]])
    await insights.hears([pair.answers(MARCH + DAY, False) for pair in pairs])
    await insights.hears([pair.answers(MARCH + 40 * DAY, True) for pair in pairs])
    found = told(await measures(insights, after(2026, 5)))
    assert found["2026-03", "sales"].benefits == {
        "clarity": 0.0, "growth": 0.0, "problem_solving": 0.0, "network": 0.4,
    }  # fmt: skip
    april = found["2026-04", "sales"].benefits
    assert april["network"] == 0.0
    assert april["growth"] == 0.8, "that all five did would tell of each"


async def test_two_instances_at_once_release_once(insights: Insights) -> None:
    await insights.hears(busy(COMPANY))
    clock = FixedClock(after(2026, 6))

    async def instance() -> list[bool]:
        return [await measure(insights.pool, clock, always) for _ in range(20)]

    done = await asyncio.gather(*(instance() for _ in range(3)))
    assert sum(map(sum, done)) == 3, "one for each month, none twice"
    events = await insights.published()
    assert len({event.event_id for event in events}) == len(events) == len(told(events)) == 9


async def test_a_crash_half_way_leaves_nothing_and_the_next_try_all(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    await insights.hears(busy(COMPANY))
    clock = FixedClock(after(2026, 4))

    async def broken(*_: object) -> None:
        raise ConnectionError("away")

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "append", broken)
        with pytest.raises(ConnectionError):
            await measure(insights.pool, clock, always)
    assert [await insights.rows(table) for table in MEASURED] == [[], [], [], [], []]
    assert len(await measures(insights, clock.at)) == 3
    assert await measures(insights, clock.at) == []


async def test_what_an_outage_missed_is_caught_up_as_if_it_had_not_been(insights: Insights) -> None:
    """Three months at once are the three months one by one, to the last byte, in their order."""
    events = busy(COMPANY)
    events += [pair.ends(MARCH + 50 * DAY) for pair in COMPANY[:1]]
    events += begin(several(range(20, 26), "legal"), MARCH + 40 * DAY)
    await insights.hears(events)
    in_time = [each for month in (4, 5, 6) for each in await measures(insights, after(2026, month))]
    await forget(insights)
    late = await measures(insights, after(2026, 6))
    assert late == in_time
    assert [event.fact.epoch for event in late] == sorted(event.fact.epoch for event in late)  # type: ignore[attr-defined]
    assert len(told(late)) == 3 + 4 + 4


async def forget(insights: Insights) -> None:
    async with seeing(insights.pool) as conn:
        await conn.execute(f"TRUNCATE {', '.join(MEASURED)}")


async def test_what_arrives_late_changes_what_comes_and_not_what_was(insights: Insights) -> None:
    pairs = several(range(6))
    await insights.hears(begin(pairs))
    (march, *_) = await measures(insights, after(2026, 4))
    before = await insights.rows("release")
    await insights.hears([p.misses(MARCH + n * DAY) for p in pairs for n in range(1, 6)])
    april = told(await measures(insights, after(2026, 5)))["2026-04", None]
    assert april.health < told([march])["2026-03", None].health
    assert (await insights.rows("release"))[: len(before)] == before


async def test_nothing_is_measured_before_all_that_was_told_is_counted(insights: Insights) -> None:
    asked: list[int] = []

    async def behind(occasion: int) -> bool:
        asked.append(occasion)
        return False

    await insights.hears(begin(several(range(6))))
    assert not await measure(insights.pool, FixedClock(after(2026, 4)), behind)
    assert len(asked) == 1
    assert await insights.rows("release") == []


async def test_a_cohort_lives_as_long_as_five_go_on_and_no_longer(insights: Insights) -> None:
    pairs = several(range(7))
    await insights.hears(begin(pairs))
    await insights.hears([pair.ends(MARCH + 35 * DAY) for pair in pairs[:2]])
    await insights.hears([pairs[2].ends(MARCH + 65 * DAY)])
    found = told(await measures(insights, after(2026, 8)))
    assert sorted(epoch for epoch, unit in found if unit) == ["2026-03", "2026-04"]
    await insights.hears(begin(several(range(10, 15)), MARCH + 160 * DAY))
    again = told(await measures(insights, after(2026, 9)))["2026-08", "sales"]
    assert again.pairs == 5, "the four that went on are in no cohort again"


async def test_a_pair_stays_where_it_was_when_its_mentee_moves(insights: Insights) -> None:
    pairs = [*several(range(6)), *several(range(6, 12), "ops")]
    await insights.hears(begin(pairs))
    first = told(await measures(insights, after(2026, 4)))
    await insights.hears([pair.joins(MARCH + 31 * DAY, "ops") for pair in pairs[:5]])
    second = told(await measures(insights, after(2026, 5)))
    assert {unit: fact.pairs for (_, unit), fact in second.items()} == {
        unit: fact.pairs for (_, unit), fact in first.items()
    }


async def test_small_units_are_told_within_the_programme_after_two_months(
    insights: Insights,
) -> None:
    small = [Two(n, f"unit-{n}") for n in range(4)] + [Two(4, None)]
    await insights.hears(begin(small))
    assert told(await measures(insights, after(2026, 4))) == {}
    found = told(await measures(insights, after(2026, 5)))
    assert {unit for _, unit in found} == {None}


async def test_an_erased_pair_takes_its_cohort_with_it(insights: Insights) -> None:
    await insights.hears(begin(COMPANY))
    assert len(await measures(insights, after(2026, 4))) == 3
    async with seeing(insights.pool) as conn:
        await conn.execute("DELETE FROM pair WHERE pair_id = $1", COMPANY[0].pair_id)
    assert {unit for _, unit in told(await measures(insights, after(2026, 5)))} == {None, "ops"}


async def test_tenants_and_programmes_are_apart(insights: Insights) -> None:
    autumn, globex = ProgrammeId("autumn"), TenantId("globex")
    pairs = [Two(n) for n in range(3)] + [Two(n, programme=autumn) for n in range(3, 6)]
    await insights.hears(begin([*pairs, *(Two(n, tenant=globex) for n in range(6))]))
    events = await measures(insights, after(2026, 4))
    assert {(event.tenant, event.fact.subject) for event in events} == {(globex, "spring")}


async def test_a_programme_with_a_wrong_start_does_not_begin_in_the_stone_age(
    insights: Insights,
) -> None:
    await insights.hears(begin(several(range(6)), MARCH.replace(year=1970)))
    assert len(await measures(insights, after(2026, 4))) == 2 * measuring.MOST_EPOCHS_BACK


async def test_a_release_cannot_be_changed(insights: Insights) -> None:
    await insights.hears(begin(several(range(6))))
    await measures(insights, after(2026, 4))
    async with seeing(insights.pool) as conn:
        with pytest.raises(asyncpg.RaiseError):
            await conn.execute("UPDATE release SET fact = ''")


async def test_a_database_built_beside_the_live_one_tells_nothing_of_its_own(
    insights: Insights,
) -> None:
    await insights.hears(begin(COMPANY))
    await measuring.stand_back(insights.pool)
    await measuring.stand_back(insights.pool)
    assert await measures(insights, after(2026, 6)) == []
    async with seeing(insights.pool) as conn:
        await conn.execute("DELETE FROM told_elsewhere")
    assert len(await measures(insights, after(2026, 4))) == 3


async def test_a_rebuilt_database_goes_on_where_the_live_one_stood(
    insights: Insights, service_pool: MakePool
) -> None:
    """With what was told brought over (docs/howto/rebuild-a-projection.md), nothing differs."""
    events = busy(COMPANY)
    await insights.hears(events)
    await measures(insights, after(2026, 4))
    # Late, and so unknown when the cohorts formed: a database that knew it would form others.
    late = [pair.ends(MARCH + 10 * DAY) for pair in COMPANY[:2]]
    await insights.hears(late)
    rebuilt = replace(insights, pool=await service_pool("insights"))
    await measuring.stand_back(rebuilt.pool)
    await rebuilt.hears([*late, *reversed(events)])
    for table in ("programme", "enrolment", "cohort", "cohort_pair", "release"):
        rows = [tuple(row.values()) for row in await insights.rows(table)]
        places = ", ".join(f"${n}" for n in range(1, len(rows[0]) + 1))
        async with seeing(rebuilt.pool) as conn:
            await conn.executemany(f"INSERT INTO {table} VALUES ({places})", rows)
    async with seeing(rebuilt.pool) as conn:
        await conn.execute("DELETE FROM told_elsewhere")
    live = await measures(insights, after(2026, 6))
    assert live
    assert await measures(rebuilt, after(2026, 6)) == live
    assert await rebuilt.rows("release") == await insights.rows("release")


async def test_no_group_of_fewer_than_five_is_ever_singled_out(insights: Insights) -> None:
    """The attack of tests/unit/insights/test_differencing.py on what the database really did."""
    chance = Random(5)
    pairs = [Two(n, chance.choice(["sales", "ops", "legal", None])) for n in range(60)]
    for pair in pairs:
        start = MARCH + chance.randint(0, 120) * DAY
        await insights.hears(begin([pair], start))
        if chance.random() < 0.4:
            await insights.hears([pair.ends(start + chance.randint(20, 150) * DAY)])
    await measures(insights, after(2026, 10))
    released = {(row["epoch"], row["org_unit"]) for row in await insights.rows("release")}
    assert len(released) > 12
    cohorts = {row["cohort_id"]: row for row in await insights.rows("cohort")}
    members: dict[object, set[object]] = {}
    for row in await insights.rows("cohort_pair"):
        cells = frozenset(
            (epoch, unit)
            for epoch, unit in released
            if is_in(cohorts[row["cohort_id"]], epoch) and unit in ("", told_as(cohorts, row))
        )
        members.setdefault(cells, set()).add(row["pair_id"])
    assert all(len(pairs) >= 5 for cells, pairs in members.items() if cells)
    assert len(members) > 3


def is_in(cohort: dict[str, Any], epoch: int) -> bool:
    return bool(cohort["formed"] <= epoch < (cohort["closed"] or 10**6))


def told_as(cohorts: dict[object, dict[str, Any]], row: dict[str, Any]) -> object:
    return cohorts[row["cohort_id"]]["org_unit"]


async def test_ids_are_made_from_what_is_told(insights: Insights) -> None:
    await insights.hears(begin(COMPANY))
    events = await measures(insights, after(2026, 4))
    await forget(insights)
    assert [each.event_id for each in await measures(insights, after(2026, 4))] == [
        each.event_id for each in events
    ]
    assert {each.key for each in events} == {f"{ACME}/spring"}
