"""Insights over HTTP: who may see what, as of now or of any past instant."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.integration.insights.conftest import PROJECTIONS, TODAY, TRUST, Insights
from tests.integration.insights.test_counting import story
from tests.unit.insights.facts import ANN, BEN, PAIR, START, answered, event, kept, missed, started

pytestmark = pytest.mark.stack

SHARED, SELF, MANAGED = f"{TRUST}/shared", f"{TRUST}/self", f"{TRUST}/managed"
DAY_150 = (START + timedelta(days=150)).isoformat().replace("+00:00", "Z")


async def test_both_members_see_the_same_of_both_directions(insights: Insights) -> None:
    await insights.hears(story())
    seen, other = await insights.trust(ANN, at=DAY_150), await insights.trust(BEN, at=DAY_150)
    assert seen == other
    assert seen["view"] == "shared"
    for direction in (seen["about_mentor"], seen["about_mentee"]):
        assert direction["low"] < direction["score"] < direction["high"]
        assert "facets" not in direction
        assert direction["why"]["up"]
    assert seen["about_mentor"]["why"]["down"][0]["code"] == "commitment_missed"


@pytest.mark.parametrize(("person", "side"), [(ANN, "mentor"), (BEN, "mentee")])
async def test_each_sees_their_own_part_facet_by_facet(
    insights: Insights, person: str, side: str
) -> None:
    await insights.hears(story())
    seen = (await insights.get(f"{SELF}?at={DAY_150}", person)).json()
    assert (seen["view"], seen["you_are"]) == ("self", side)
    assert set(seen["about_you"]["facets"]) == set("ELHRBP")
    shared = await insights.trust(person, at=DAY_150)
    assert seen["about_you"]["score"] == shared[f"about_{side}"]["score"]


async def test_a_manager_sees_bands_reasons_and_how_sure_what_both_saw_makes(
    insights: Insights,
) -> None:
    await insights.hears([*story(), event(answered(False), 100)])
    seen = await insights.trust("boss", "manager", at=DAY_150)
    assert set(seen["about_mentor"]) == {"band", "low", "high", "reasons", "next_step"}
    codes = {reason["code"] for reason in seen["about_mentor"]["reasons"]}
    assert "commitment_missed" in codes
    assert "listened_no" not in codes
    assert 0 <= seen["about_mentor"]["low"] < seen["about_mentor"]["high"] <= 1


async def test_no_private_answer_moves_the_interval_a_manager_sees(insights: Insights) -> None:
    await insights.hears(story())
    before = await insights.trust("boss", "manager", at=DAY_150)
    await insights.hears([event(answered(False, by=BEN, about=ANN), day) for day in range(60, 72)])
    after = await insights.trust("boss", "manager", at=DAY_150)
    for side in ("about_mentor", "about_mentee"):
        assert [after[side][end] for end in ("low", "high")] == [
            before[side][end] for end in ("low", "high")
        ]
    assert after["about_mentor"]["band"] != before["about_mentor"]["band"]


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


async def test_a_pair_of_which_only_a_private_answer_has_come_exists_for_services_alone(
    insights: Insights,
) -> None:
    await insights.hears([event(answered(False), 2)])
    for role, path in PROJECTIONS.items():
        known = (await insights.get(path, ANN, role)).status_code == 200
        assert known is (role == "service")


async def test_a_series_ends_where_the_answer_for_that_instant_stands(insights: Insights) -> None:
    await insights.hears(story())
    series = (await insights.get(f"{TRUST}/history?until={DAY_150}&points=20")).json()
    now = await insights.trust(at=DAY_150)
    assert len(series["points"]) == 20
    assert series["points"][-1]["about_mentor"]["score"] == now["about_mentor"]["score"]
    instants = [point["at"] for point in series["points"]]
    assert instants == sorted(instants)


async def test_a_series_for_a_manager_holds_bands_alone(insights: Insights) -> None:
    await insights.hears(story())
    answer = await insights.get(f"{TRUST}/history?points=3", "boss", "manager")
    point = answer.json()["points"][-1]["about_mentor"]
    assert point["band"] != ""
    assert point["score"] is point["low"] is point["high"] is None


@pytest.mark.parametrize(
    ("path", "as_", "role", "tenant", "status", "slug"),
    [
        pytest.param(SHARED, "eve", "participant", "acme", 404, "not-found", id="a stranger"),
        pytest.param(SELF, "eve", "participant", "acme", 404, "not-found", id="a stranger's part"),
        pytest.param(SHARED, ANN, "participant", "globex", 404, "not-found", id="another tenant"),
        pytest.param(MANAGED, "boss", "manager", "globex", 404, "not-found", id="their manager"),
        pytest.param(MANAGED, "hr", "hr", "acme", 403, "forbidden", id="HR sees no pair"),
        pytest.param(TRUST, ANN, "participant", "acme", 403, "forbidden", id="not for people"),
        pytest.param(
            f"/v1/pairs/{uuid4()}/trust", ANN, "participant", "acme", 403, "forbidden",
            id="whether it exists is not told to who has no right",
        ),
        pytest.param("/v1/trust", "boss", "manager", "acme", 403, "forbidden", id="all pairs"),
        pytest.param(
            f"/v1/pairs/{uuid4()}/trust/shared", ANN, "participant", "acme", 404, "not-found",
            id="no such pair",
        ),
        pytest.param(
            f"{SHARED}?at=2026-03-02T09:00:00", ANN, "participant", "acme", 422,
            "invalid-request", id="a time without a zone",
        ),
        pytest.param(
            f"{SHARED}?at=2030-01-01T00:00:00Z", ANN, "participant", "acme", 422,
            "in-the-future", id="the future",
        ),
        pytest.param(
            f"{SHARED}?at=2020-01-01T00:00:00Z", ANN, "participant", "acme", 422,
            "before-the-pair", id="before the pair",
        ),
        pytest.param(
            f"{TRUST}/history?since=2026-06-01T00:00:00Z&until=2026-05-01T00:00:00Z", ANN,
            "participant", "acme", 422, "rejected", id="a series that runs backwards",
        ),
        pytest.param(
            f"{TRUST}?model=nonsense", "m", "service", "acme", 404, "not-found", id="no such model"
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


async def test_an_answer_is_as_of_today(insights: Insights) -> None:
    await insights.hears(story())
    assert (await insights.trust())["at"].startswith(TODAY.strftime("%Y-%m-%d"))
    assert str(PAIR) in (await insights.get(SHARED)).text
