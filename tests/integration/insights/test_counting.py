"""Facts into the evidence table: counted once, in any order, by several workers, or not at all."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.insights.domain.replay import fold_log
from services.insights.rebuild import refold_difference
from shared.errors import PoisonMessage
from shared.events.envelope import Event
from shared.events.fact import PairFact
from shared.ids import PairId, TenantId
from tests.integration.insights.conftest import TODAY, Insights
from tests.support.seeing import seeing
from tests.unit.insights.facts import (
    ACME,
    ANN,
    BEN,
    EVE,
    PAIR,
    START,
    agreed,
    answered,
    ended,
    event,
    held,
    kept,
    missed,
    started,
)

pytestmark = pytest.mark.stack


OTHER = TenantId("globex")


def story(pair_id: UUID = PAIR, seed: int = 1) -> list[Event]:
    """Half a year of a pair, in the order it happened."""
    chance = random.Random(seed)
    facts = [event(started(pair_id), 0), event(agreed(pair_id), 1)]
    for day in range(7, 180, 7):
        deed: PairFact = chance.choice(
            [held(pair_id), kept(pair_id), kept(pair_id), missed(pair_id)]
        )
        facts.append(event(deed, day))
        facts.append(event(held(pair_id, by=(chance.choice([ANN, BEN]),)), day + chance.random()))
    return facts


async def difference(insights: Insights) -> float:
    async with seeing(insights.pool) as conn:
        return await refold_difference(conn, ACME)


async def test_every_batching_and_order_leaves_the_state_that_a_fold_would(
    insights: Insights,
) -> None:
    chance = random.Random(7)
    pairs = [uuid4() for _ in range(12)]
    events = [each for n, pair in enumerate(pairs) for each in story(pair, n)]
    events += chance.sample(events, len(events) // 4)
    chance.shuffle(events)
    while events:
        size = chance.choice([1, 3, 50, 200])
        await insights.hears(events[:size])
        del events[:size]
    assert await difference(insights) < 1e-9


async def test_the_published_trust_is_a_fold_of_the_log(insights: Insights) -> None:
    log = [each for n in range(5) for each in story(uuid4(), n)]
    await insights.hears(log)
    folded = fold_log(log)
    facts = await insights.surfaces()
    assert {fact.pair_id for fact in facts} == set(folded)
    for fact in facts:
        assert fact.health == pytest.approx(folded[PairId(fact.pair_id)].health, abs=1e-6)
        assert fact.about_mentor.band == folded[PairId(fact.pair_id)].about_mentor.band


async def test_a_fact_delivered_again_changes_nothing(insights: Insights) -> None:
    events = story()
    await insights.hears([*events, *events])
    once = await insights.rows("pair"), await insights.rows("evidence")
    await insights.hears(events)
    assert (await insights.rows("pair"), await insights.rows("evidence")) == once
    assert len(once[1]) == len(events) - len([started()])


async def test_what_is_rolled_back_never_happened(insights: Insights) -> None:
    events = story()
    async with seeing(insights.pool) as conn:
        attempt = conn.transaction()
        await attempt.start()
        await insights.service.apply(conn, events, TODAY)
        await attempt.rollback()
    assert await insights.rows("pair") == await insights.rows("evidence") == []
    for each in events:
        await insights.hears([each])
    assert await difference(insights) < 1e-9


async def test_two_workers_on_the_same_pairs_lose_nothing(insights: Insights) -> None:
    """Sessions and feedback of a pair may be read by two workers at once."""
    pairs = [uuid4() for _ in range(40)]
    events = [each for n, pair in enumerate(pairs) for each in story(pair, n)]
    workers: list[list[Event]] = [events[::2], events[1::2], events[::3]]

    async def work(mine: list[Event], seed: int) -> None:
        random.Random(seed).shuffle(mine)
        for at in range(0, len(mine), 90):
            await insights.hears(mine[at : at + 90])

    await asyncio.gather(*(work(mine, seed) for seed, mine in enumerate(workers)))
    assert await difference(insights) < 1e-9
    evidence = len({each.event_id for each in events}) - len(pairs)
    assert len(await insights.rows("evidence")) == evidence


async def test_the_same_event_and_pair_ids_in_two_tenants_are_two_things(
    insights: Insights,
) -> None:
    ours = event(kept(), 10)
    theirs = event(missed(), 10, tenant=OTHER, event_id=ours.event_id)
    await insights.hears([ours, theirs])
    assert {(row["tenant"], row["kind"]) for row in await insights.rows("evidence")} == {
        ("acme", 4),
        ("globex", 7),
    }
    answer = await insights.get(f"/v1/pairs/{PAIR}/trust", role="service", tenant=OTHER)
    assert answer.json()["about_mentor"]["facets"]["R"]["s"] > 0


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param(event(kept(by=EVE), 3), "not_a_member", id="a stranger's deed"),
        pytest.param(event(answered(True, by=EVE), 3), "not_a_member", id="a stranger's answer"),
        pytest.param(event(kept(), 402), "from_the_future", id="a date far ahead"),
    ],
)
async def test_a_fact_that_cannot_be_evidence_is_poison_and_leaves_no_trace(
    insights: Insights, bad: Event, reason: str
) -> None:
    with pytest.raises(PoisonMessage) as caught:
        await insights.hears([event(kept(), 1), bad])
    assert caught.value.reason == reason
    assert await insights.rows("evidence") == []


async def test_the_life_of_a_pair_is_noted_in_any_order(insights: Insights) -> None:
    await insights.hears([event(ended(), 200)])
    await insights.hears([event(started(), 0)])
    (pair,) = await insights.rows("pair")
    assert pair["programme_id"] == "spring"
    assert (pair["started_at"], pair["ended_at"]) == (START, START + timedelta(days=200))
    assert await insights.surfaces() == []


async def test_a_state_packed_by_another_release_is_refolded(insights: Insights) -> None:
    events = story()
    await insights.hears(events[:-3])
    async with seeing(insights.pool) as conn:
        await conn.execute("UPDATE pair SET state = '\\x00' || substring(state from 2)")
    await insights.hears(events[-3:])
    assert await difference(insights) < 1e-9


async def test_a_batch_in_order_refolds_nothing(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail when a batch was absorbed newest first: a third of the speed on hot pairs."""
    refolded: list[object] = []

    def seen(evidence: object, model: object) -> object:
        refolded.append(evidence)
        raise AssertionError("refolded")

    monkeypatch.setattr("services.insights.handlers.refold", seen)
    await insights.hears([event(kept(), day) for day in range(1, 20)])
    assert refolded == []
    assert len(await insights.rows("evidence")) == 19
