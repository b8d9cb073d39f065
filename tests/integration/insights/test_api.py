"""Insights over HTTP: who may see what, as of now or of any past instant."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from shared.events.envelope import Event
from tests.integration.insights.conftest import TODAY, Insights
from tests.integration.insights.test_counting import story
from tests.unit.insights.facts import ANN, BEN, PAIR, START, answered, event, kept, missed, started

pytestmark = pytest.mark.stack

PATH = f"/v1/pairs/{PAIR}/trust"
DAY_150 = (START + timedelta(days=150)).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(("person", "side"), [(ANN, "mentor"), (BEN, "mentee")])
async def test_a_member_sees_both_directions_with_reasons(
    insights: Insights, person: str, side: str
) -> None:
    await insights.hears(story())
    seen = await insights.trust(person, at=DAY_150)
    assert (seen["view"], seen["you_are"]) == ("member", side)
    for direction in (seen["about_mentor"], seen["about_mentee"]):
        assert direction["low"] < direction["score"] < direction["high"]
        assert "facets" not in direction
        assert direction["why"]["up"]
    assert seen["about_mentor"]["why"]["down"][0]["code"] == "commitment_missed"


@pytest.mark.parametrize("person", [ANN, BEN])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param([], [event(answered(False), 150)], id="an answer, or none"),
        pytest.param([event(answered(True), 150)], [event(answered(False), 150)], id="yes, or no"),
    ],
)
async def test_no_member_can_read_a_private_answer(
    insights: Insights, one: list[Event], other: list[Event], person: str
) -> None:
    events = story()
    await insights.hears([*events, *one])
    for role in ("participant", "manager"):
        now, then = await bodies(insights, person, role)
        async with insights.pool.acquire() as conn:
            await conn.execute("TRUNCATE pair, evidence, dirty_pair, surfaced")
        await insights.hears([*events, *other])
        assert await bodies(insights, person, role) == (now, then)


async def bodies(insights: Insights, person: str, role: str) -> tuple[bytes, bytes]:
    now, then = await insights.get(PATH, person, role), None
    then = await insights.get(f"{PATH}?at={DAY_150}", person, role)
    assert now.status_code == then.status_code == 200
    return now.content, then.content


async def test_a_manager_sees_bands_and_codes_and_no_number(insights: Insights) -> None:
    await insights.hears([*story(), event(answered(False), 100)])
    seen = await insights.trust("boss", "manager", at=DAY_150)
    assert set(seen["about_mentor"]) == {"band", "reasons"}
    assert "commitment_missed" in seen["about_mentor"]["reasons"]
    assert not {"listened_no"} & set(seen["about_mentor"]["reasons"])


async def test_a_service_sees_everything(insights: Insights) -> None:
    await insights.hears([event(kept(), 1), event(answered(False), 2)])
    seen = await insights.trust("matching", "service")
    listening = seen["about_mentor"]["facets"]["L"]
    assert listening["s"] > 0
    assert seen["about_mentor"]["why"]["down"][0]["code"] == "listened_no"
    assert seen["gap"] is None


async def test_the_past_is_as_it_was_whatever_came_after(insights: Insights) -> None:
    events = story()
    early = [each for each in events if each.occurred_at <= START + timedelta(days=150)]
    await insights.hears(early)
    before = await insights.trust(at=DAY_150)
    await insights.hears(events)
    assert await insights.trust(at=DAY_150) == before
    assert (await insights.trust())["about_mentor"] != before["about_mentor"]


async def test_before_anything_happened_it_is_too_early(insights: Insights) -> None:
    await insights.hears([event(started(), 0), event(missed(), 5)])
    seen = await insights.trust(at=START.isoformat().replace("+00:00", "Z"))
    assert (seen["about_mentor"]["band"], seen["about_mentor"]["score"]) == ("too_early", 0.6)


@pytest.mark.parametrize(
    ("path", "as_", "role", "tenant", "status", "slug"),
    [
        pytest.param(PATH, "eve", "participant", "acme", 404, "not-found", id="a stranger"),
        pytest.param(PATH, ANN, "participant", "globex", 404, "not-found", id="another tenant"),
        pytest.param(PATH, "boss", "manager", "globex", 404, "not-found", id="their manager"),
        pytest.param(PATH, "hr", "hr", "acme", 403, "forbidden", id="HR sees no pair"),
        pytest.param("/v1/trust", "boss", "manager", "acme", 403, "forbidden", id="all pairs"),
        pytest.param(
            f"/v1/pairs/{uuid4()}/trust", ANN, "participant", "acme", 404, "not-found",
            id="no such pair",
        ),
        pytest.param(
            f"{PATH}?at=2026-03-02T09:00:00", ANN, "participant", "acme", 422, "invalid-request",
            id="a time without a zone",
        ),
        pytest.param(
            f"{PATH}?at=2030-01-01T00:00:00Z", ANN, "participant", "acme", 422, "in-the-future",
            id="the future",
        ),
        pytest.param(
            "/v1/trust?limit=9999", "m", "service", "acme", 422, "invalid-request", id="too many"
        ),
    ],
)  # fmt: skip
async def test_a_question_that_is_not_to_be_answered_says_why(
    insights: Insights, path: str, as_: str, role: str, tenant: str, status: int, slug: str
) -> None:
    await insights.hears(story())
    answer = await insights.get(path, as_, role, tenant)
    assert answer.status_code == status, answer.text
    assert answer.json()["type"].endswith(slug)


async def test_every_pair_is_listed_once_page_by_page(insights: Insights) -> None:
    pairs = [uuid4() for _ in range(7)]
    await insights.hears([each for pair in pairs for each in (event(kept(pair), 1),)])
    await insights.hears([event(started(pairs[0]), 0), event(started(), 0)])
    seen, path = [], "/v1/trust?limit=3"
    while path:
        page = (await insights.get(path, "demo", "service")).json()
        seen += page["items"]
        path = f"/v1/trust?limit=3&after={page['next']}" if page["next"] else ""
    assert [item["trust"]["pair_id"] for item in seen] == sorted(map(str, pairs))
    assert {item["status"] for item in seen} == {"active", "unknown"}


async def test_what_is_listed_is_what_is_published(insights: Insights) -> None:
    await insights.hears([*story(), event(answered(False), 100)])
    (fact,) = await insights.surfaces()
    page = (await insights.get("/v1/trust", "demo", "service")).json()
    assert page["items"][0]["trust"] == fact.model_dump(mode="json")
    assert page["next"] is None


async def test_nobody_on_the_way_may_keep_an_answer(insights: Insights) -> None:
    await insights.hears(story())
    assert (await insights.get(PATH)).headers["cache-control"] == "no-store"
    assert (await insights.trust())["at"].startswith(TODAY.strftime("%Y-%m-%d"))
