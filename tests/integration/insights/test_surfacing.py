"""From changed pairs to `trust.changed`: the newest state of each, once, the same every time."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from services.insights import surfacing
from services.insights.surfacing import surface
from shared.events.envelope import Event
from tests.integration.insights.conftest import Insights
from tests.integration.insights.test_counting import story
from tests.support.seeing import seeing
from tests.unit.insights.facts import PAIR, answered, event, kept

pytestmark = pytest.mark.stack


async def test_a_burst_becomes_one_fact_with_the_newest_state(insights: Insights) -> None:
    events = story()
    for each in events:
        await insights.hears([each])
    (fact,) = await insights.surfaces()
    evidence = await insights.rows("evidence")
    assert (fact.revision, fact.as_of) == (len(evidence), events[-1].occurred_at)
    assert await insights.surfaces() == []


async def test_the_same_evidence_is_the_same_event_to_the_last_byte(insights: Insights) -> None:
    """Thrown away and built again in another order, a pair publishes what it had published."""
    events = story()
    await insights.hears(events)
    assert await surface(insights.pool)
    (first,) = await insights.published()
    async with seeing(insights.pool) as conn:
        await conn.execute("TRUNCATE pair, evidence, dirty_pair, surfaced")
    await insights.hears(events[::-1])
    assert await surface(insights.pool)
    (again,) = await insights.published()
    assert again == first


async def test_a_fact_that_was_known_is_not_published_again(insights: Insights) -> None:
    events = story()
    await insights.hears(events)
    assert len(await insights.surfaces()) == 1
    await insights.hears(events)
    assert await insights.surfaces() == []
    await insights.hears([event(kept(), 300)])
    (fact,) = await insights.surfaces()
    assert fact.revision == len(events)


async def test_a_late_private_answer_is_published_and_the_pair_sees_no_change(
    insights: Insights,
) -> None:
    await insights.hears(story())
    (before,) = await insights.surfaces()
    await insights.hears([event(answered(False), 190)])
    (after,) = await insights.surfaces()
    assert after.about_mentor != before.about_mentor
    assert after.partner_safe.model_dump_json() == before.partner_safe.model_dump_json()


async def test_two_surfacers_at_once_publish_each_pair_once(insights: Insights) -> None:
    pairs = [uuid4() for _ in range(30)]
    await insights.hears([each for n, pair in enumerate(pairs) for each in story(pair, n)])
    await asyncio.gather(surface(insights.pool), surface(insights.pool), return_exceptions=True)
    facts = await insights.surfaces()
    assert sorted(fact.pair_id for fact in facts) == sorted(pairs)


async def test_surfacing_while_facts_arrive_ends_with_the_newest_state(insights: Insights) -> None:
    events: list[Event] = [each for n in range(10) for each in story(uuid4(), n)]

    async def arrive() -> None:
        for each in range(0, len(events), 25):
            await insights.hears(events[each : each + 25])

    async def keep_surfacing(arriving: asyncio.Task[None]) -> None:
        while not arriving.done():
            await surface(insights.pool)

    arriving = asyncio.create_task(arrive())
    await asyncio.gather(arriving, keep_surfacing(arriving))
    facts = await insights.surfaces()
    newest = {fact.pair_id: fact for fact in facts}
    assert len(newest) == 10
    stored = await insights.rows("surfaced")
    assert sorted(row["revision"] for row in stored) == sorted(f.revision for f in newest.values())
    revisions = [fact.revision for fact in facts if fact.pair_id == facts[0].pair_id]
    assert revisions == sorted(set(revisions))


async def test_more_pairs_than_one_round_takes_are_all_published(insights: Insights) -> None:
    pairs = [uuid4() for _ in range(surfacing.MAX_PAIRS + 20)]
    await insights.hears([event(kept(pair), 3) for pair in pairs])
    assert len(await insights.surfaces()) == len(pairs)


async def test_an_event_says_when_its_evidence_was_new(insights: Insights) -> None:
    await insights.hears([event(kept(), 3)])
    await surface(insights.pool)
    (seen,) = await insights.published()
    assert seen.occurred_at == insights.trust_in(seen).as_of
    assert seen.key == f"acme/{PAIR}"
