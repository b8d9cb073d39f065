"""What happened in a pair, as each may read it: no private answer, not even its date."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.insights.conftest import Insights
from tests.unit.insights.facts import (
    ANN,
    BEN,
    EVE,
    PAIR,
    answered,
    event,
    held,
    kept,
    missed,
    started,
)  # fmt: skip

pytestmark = pytest.mark.stack

STORY = [
    event(started(), 0), event(held(), 1), event(kept(by=ANN), 2), event(missed(by=BEN), 3)
]  # fmt: skip


async def told(
    insights: Insights, role: str = "manager", as_: str = "boss", query: str = ""
) -> Any:
    answer = await insights.get(f"/v1/pairs/{PAIR}/timeline{query}", as_, role)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_newest_comes_first_with_whom_it_is_about_and_which_way_it_points(
    insights: Insights,
) -> None:
    await insights.hears(STORY)
    found = (await told(insights))["items"]
    assert [(each["code"], each["about"], each["direction"]) for each in found] == [
        ("commitment_missed", "mentee", "down"),
        ("commitment_kept", "mentor", "up"),
        ("session_held", "both", "up"),
    ]


@pytest.mark.parametrize(("role", "as_"), [("manager", "boss"), ("participant", ANN)])
async def test_a_private_answer_changes_not_a_byte_of_what_people_read(
    insights: Insights, role: str, as_: str
) -> None:
    await insights.hears(STORY)
    before = await told(insights, role, as_)
    await insights.hears([event(answered(answer=False), 2.5), event(answered(answer=True), 5)])
    assert await told(insights, role, as_) == before
    assert len((await told(insights, "service", "ops"))["items"]) == 5


async def test_it_is_asked_for_as_of_an_instant_and_in_a_number(insights: Insights) -> None:
    await insights.hears(STORY)
    first = await told(insights, query="?limit=1")
    assert (len(first["items"]), first["more"]) == (1, True)
    early = await told(insights, query="?at=2026-03-04T00:00:00Z")
    assert [each["code"] for each in early["items"]] == ["session_held"]


async def test_whoever_is_not_in_the_pair_reads_nothing(insights: Insights) -> None:
    await insights.hears(STORY)
    answer = await insights.get(f"/v1/pairs/{PAIR}/timeline", EVE, "participant")
    assert answer.status_code == 404
