"""The daily look on a real database: alerts raised once, resolved once, through the outbox."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from services.insights.alerting import look
from shared.clock import FixedClock
from shared.events.envelope import Event
from shared.events.insights import TrustAlerted, TrustResolved
from tests.integration.insights.conftest import Insights
from tests.support.seeing import seeing
from tests.unit.insights.facts import ANN, BEN, START, ended, event, held, kept, missed, started
from tests.unit.insights.test_evidence_rare import renegotiated

pytestmark = pytest.mark.stack


def neglect() -> list[Event]:
    """The mentor misses everything, the mentee keeps everything."""
    misses = [event(missed(by=ANN), day) for day in range(1, 22)]
    return [event(started(), 0), *misses, *[event(kept(by=BEN), day) for day in (1, 8, 15)]]


def midnight(day: int) -> datetime:
    return (START + timedelta(days=day)).replace(hour=0, minute=0)


async def looks(insights: Insights, *days: int) -> list[TrustAlerted | TrustResolved]:
    """Look at each of the days; the alerts that then wait in the outbox."""
    for day in days:
        while await look(insights.pool, FixedClock(midnight(day) + timedelta(hours=1))):
            pass
    found = [each.fact for each in await insights.published()]
    return [fact for fact in found if isinstance(fact, TrustAlerted | TrustResolved)]


def epoch(day: int) -> date:
    return midnight(day).date()


async def test_two_low_days_raise_one_alert_with_reasons_and_a_next_step(
    insights: Insights,
) -> None:
    await insights.hears(neglect())
    assert await looks(insights, 23) == []
    (alert,) = await looks(insights, 24)
    assert isinstance(alert, TrustAlerted)
    assert (alert.about, alert.epoch, alert.band) == ("mentor", epoch(24), "strained")
    assert [reason.code for reason in alert.reasons] == ["commitment_missed"] * 3
    assert alert.next_step == "agreement_signed"
    assert await looks(insights, 25, 26) == []
    (shown,) = (await insights.get("/v1/alerts", "boss", "manager")).json()["items"]
    assert (shown["about"], shown["since"]) == ("mentor", epoch(24).isoformat())
    assert "probability_low" not in shown


async def test_looking_again_on_the_same_day_says_nothing_more(insights: Insights) -> None:
    await insights.hears(neglect())
    assert len(await looks(insights, 23, 24)) == 1
    assert await looks(insights, 24) == []


async def test_an_alert_is_resolved_when_the_pair_has_recovered(insights: Insights) -> None:
    await insights.hears(neglect())
    assert len(await looks(insights, 23, 24)) == 1
    better = [event(held(), day) for day in range(24, 80)]
    better += [event(renegotiated(with_notice=True), day) for day in range(24, 80)]
    await insights.hears(better)
    (resolved,) = await looks(insights, 90, 91)
    assert isinstance(resolved, TrustResolved)
    assert (resolved.reason, resolved.alerted_on) == ("recovered", epoch(24))
    assert (await insights.get("/v1/alerts", "boss", "manager")).json()["items"] == []


async def test_an_alert_ends_with_the_pair(insights: Insights) -> None:
    await insights.hears(neglect())
    assert len(await looks(insights, 23, 24)) == 1
    end = ended().model_copy(update={"ended_at": midnight(24) + timedelta(hours=9)})
    await insights.hears([event(end, 24)])
    (resolved,) = await looks(insights, 25)
    assert isinstance(resolved, TrustResolved)
    assert resolved.reason == "ended"


async def test_after_an_outage_no_old_day_is_alerted_about(insights: Insights) -> None:
    await insights.hears(neglect())
    assert await looks(insights, 3) == []
    (alert,) = await looks(insights, 30)
    assert alert.epoch == epoch(30)


async def test_a_look_that_was_broken_off_is_gone_on_with(insights: Insights) -> None:
    """As if the process had died between two pages of pairs."""
    await insights.hears(neglect())
    assert await looks(insights, 23) == []
    async with seeing(insights.pool) as conn:
        await conn.execute("UPDATE daily_epoch SET epoch = $1, after = 1", epoch(24))
    assert await looks(insights, 24) == []
    async with seeing(insights.pool) as conn:
        await conn.execute("UPDATE daily_epoch SET epoch = $1, after = 0", epoch(23))
    assert len(await looks(insights, 24)) == 1


@pytest.mark.parametrize(
    ("path", "role", "status"),
    [
        pytest.param("/v1/alerts", "participant", 403, id="not for participants"),
        pytest.param("/v1/alerts", "hr", 403, id="HR sees no pair"),
        pytest.param("/v1/alerts?after=nonsense", "manager", 422, id="no such cursor"),
    ],
)
async def test_alerts_are_for_those_who_may_help(
    insights: Insights, path: str, role: str, status: int
) -> None:
    assert (await insights.get(path, "x", role)).status_code == status
