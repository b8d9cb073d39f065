"""Insights behind the real delivery: poison is parked, everything around it counts, once."""

from __future__ import annotations

import pytest

from services.insights.rebuild import refold_difference
from shared.clock import FixedClock
from shared.events.envelope import Event
from shared.kafka import dead_letters
from shared.kafka.delivery import Delivery
from tests.integration.insights.conftest import TODAY, Insights
from tests.integration.insights.test_counting import story
from tests.support.ledger import FakeRecord
from tests.support.seeing import seeing
from tests.unit.insights.facts import ACME, EVE, event, kept

pytestmark = pytest.mark.stack


async def test_poison_in_a_batch_costs_nothing_but_itself(insights: Insights) -> None:
    events: list[Event] = story()
    events.insert(20, event(kept(by=EVE), 90))
    events.insert(5, event(kept(), 900))
    service = insights.service
    delivery = Delivery(service.group.name, insights.pool, service.apply, FixedClock(TODAY))
    records = [FakeRecord(each, offset) for offset, each in enumerate(events)]
    await delivery.deliver(records)
    await delivery.deliver(records)
    async with seeing(insights.pool) as conn:
        parked = await dead_letters.ls(conn, "parked", 10)
        assert await refold_difference(conn, ACME) < 1e-9
    assert [(each.offset, each.reason) for each in parked] == [
        (5, "from_the_future"),
        (21, "not_a_member"),
    ]
    assert len(await insights.rows("evidence")) == len(story()) - 1
