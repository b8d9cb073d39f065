"""Leaves reach every pair of a person, whatever comes first, and whoever is at work meanwhile."""

from __future__ import annotations

import asyncio
import random
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.insights.domain.evidence import Kind
from services.insights.rebuild import refold_difference
from shared.events.envelope import Event, new_event
from shared.events.people import PersonChanged, PersonLeaveEnded, PersonLeaveStarted
from shared.ids import PersonId, new_id
from tests.integration.insights.conftest import TODAY, Insights
from tests.integration.insights.test_counting import story
from tests.support.seeing import seeing
from tests.unit.insights.facts import ACME, ANN, BEN, PAIR, START, event, held, started

pytestmark = pytest.mark.stack

LEFT, BACK = START.date() + timedelta(days=60), START.date() + timedelta(days=120)


def leave(person: PersonId = ANN, *, back_on: date | None = BACK, name: str = "l-1") -> Event:
    told = {"person_id": person, "leave_id": name, "started_on": LEFT}
    fact: PersonLeaveStarted | PersonLeaveEnded = (
        PersonLeaveStarted(**told) if back_on is None else PersonLeaveEnded(**told, back_on=back_on)
    )
    return new_event(fact, event_id=new_id(), tenant=ACME, service="hr", now=START)


async def standing(insights: Insights, pair: UUID = PAIR) -> float:
    """How fast the pair's trust in the mentor fades now."""
    answer = await insights.get(f"/v1/pairs/{pair}/trust", "m", "service")
    return float(answer.json()["about_mentor"]["facets"]["R"]["r"])


async def test_a_pair_is_the_same_whether_the_leave_was_told_before_it_or_after(
    insights: Insights,
) -> None:
    before, after, without = uuid4(), uuid4(), uuid4()
    await insights.hears([event(held(without), 10)])
    alone = await standing(insights, without)
    await insights.hears([event(started(before), 0), event(held(before), 10)])
    await insights.hears([leave()])
    await insights.hears([event(started(after), 0), event(held(after), 10)])
    assert await standing(insights, before) == await standing(insights, after) > alone


async def test_a_leave_told_twice_and_by_its_end_alone_is_one_leave(insights: Insights) -> None:
    await insights.hears([event(held(), 10)])
    await insights.hears([leave(back_on=None), leave(back_on=None)])
    await insights.hears([leave()])
    await insights.hears([leave()])
    kinds = [row["kind"] for row in await insights.rows("evidence")]
    assert sorted(kinds) == [Kind.SESSION_HELD_SAID_BOTH, Kind.LEAVE_STARTED, Kind.LEAVE_ENDED]


async def test_a_pair_of_which_nothing_but_a_leave_is_known_is_not_published(
    insights: Insights,
) -> None:
    await insights.hears([event(started(), 0), leave()])
    assert await insights.surfaces() == []
    assert (await insights.get("/v1/trust", "m", "service")).json()["items"] == []


async def test_a_late_leave_is_published_and_the_next_fact_is_counted_right(
    insights: Insights,
) -> None:
    await insights.hears(story())
    (before,) = await insights.surfaces()
    await insights.hears([leave(BEN)])
    (after,) = await insights.surfaces()
    assert after.revision > before.revision
    assert after.about_mentor.facets["R"].r > before.about_mentor.facets["R"].r
    await insights.hears([event(held(), 300)])
    async with seeing(insights.pool) as conn:
        assert await refold_difference(conn, ACME) < 1e-9


async def test_pairs_made_while_a_leave_is_told_all_learn_of_it(insights: Insights) -> None:
    """Two workers: one makes pairs of a person, the other hears of the person's leaves."""
    pairs = [uuid4() for _ in range(60)]
    random.Random(3).shuffle(pairs)
    names = [f"l-{n}" for n in range(20)]

    async def make() -> None:
        for pair in pairs:
            await insights.hears([event(held(pair), 10)])

    async def tell() -> None:
        for name in names:
            await insights.hears([leave(name=name)])

    await asyncio.gather(make(), tell())
    rows = await insights.rows("evidence")
    by_pair: dict[int, int] = {}
    for row in rows:
        by_pair[row["pair_key"]] = by_pair.get(row["pair_key"], 0) + 1
    assert set(by_pair.values()) == {1 + 2 * len(names)}


async def test_of_a_person_the_unit_is_kept_and_nothing_else(insights: Insights) -> None:
    def told(unit: str, at: datetime) -> Event:
        fact = PersonChanged(
            person_id=ANN, email="ann@acme.example", display_name="Ann", org_unit=unit
        )
        return new_event(fact, event_id=new_id(), tenant=ACME, service="hr", now=at)

    await insights.hears([told("newer", TODAY), told("older", START)])
    await insights.hears([told("older still", START - timedelta(days=1))])
    (row,) = await insights.rows("person")
    assert (row["person_id"], row["org_unit"], row["told_at"]) == (ANN, "newer", TODAY)
    assert set(row) == {"tenant", "person_id", "org_unit", "told_at"}


async def test_of_a_leave_told_twice_in_one_batch_the_first_telling_stands(
    insights: Insights,
) -> None:
    await insights.hears([event(held(), 10)])
    await insights.hears([leave(back_on=BACK), leave(back_on=BACK + timedelta(days=30))])
    backs = [row["at_us"] for row in await insights.rows("evidence") if row["kind"] == 29]
    assert backs == [(BACK - date(1970, 1, 1)).days * 86_400_000_000]
