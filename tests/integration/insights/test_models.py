"""Versions of the model on a real database: registered, compared over a tenant, put in force."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.integration.insights.conftest import TRUST, Insights
from tests.integration.insights.test_counting import story
from tests.support.callers import as_
from tests.unit.insights.facts import ACME, PAIR, event, kept

pytestmark = pytest.mark.stack

V2 = {"name": "v2", "base": "v1", "rows": {"commitment_kept": {"good": {"R": 0.01}}},
      "bands": {"steady": [0.7, 0.75], "strained": [0.42, 0.47]}}  # fmt: skip
V3 = {"name": "v3", "base": "v2", "default_half_life_days": 30}


async def call(
    insights: Insights, method: str, path: str, body: Any = None, role: str = "service"
) -> httpx.Response:
    headers = as_("ops", role, tenant=ACME)
    return await insights.http.request(method, path, json=body, headers=headers)


async def registered(insights: Insights, document: dict[str, Any]) -> None:
    answer = await call(insights, "POST", "/v1/models", document)
    assert answer.status_code == 201, answer.text


async def test_a_version_is_registered_once_and_listed(insights: Insights) -> None:
    await registered(insights, V2)
    await registered(insights, V3)
    listed = (await call(insights, "GET", "/v1/models")).json()
    assert [(each["name"], each["in_force"]) for each in listed] == [
        ("v1", True), ("v2", False), ("v3", False)
    ]  # fmt: skip
    again = await call(insights, "POST", "/v1/models", V2)
    assert (again.status_code, again.json()["type"].rpartition(":")[2]) == (409, "model-exists")


async def test_the_difference_says_who_changes_band_and_by_how_much(insights: Insights) -> None:
    await insights.hears(story())
    await registered(insights, V2)
    found = (await call(insights, "GET", "/v1/models/v2/difference")).json()
    assert (found["one"], found["other"], found["pairs"]) == ("v1", "v2", 1)
    assert found["largest_change"] > 0
    assert sum(move["directions"] for move in found["moves"]) == len(found["most_changed"])
    same = (await call(insights, "GET", "/v1/models/v2/difference?other=v2")).json()
    assert (same["largest_change"], same["moves"]) == (0.0, [])


async def test_a_switch_publishes_every_pair_anew_and_the_old_version_stays_readable(
    insights: Insights,
) -> None:
    await insights.hears(story())
    (before,) = await insights.surfaces()
    old = (await insights.get(f"{TRUST}?model=v1", "m", "service")).json()
    await registered(insights, V2)
    done = await call(insights, "PUT", "/v1/models/in-force", {"name": "v2"})
    assert done.json() == {"name": "v2", "pairs": 1}
    (after,) = await insights.surfaces()
    assert after.model == "v2"
    assert after.revision > before.revision
    assert after.health < before.health
    assert (await insights.get(f"{TRUST}?model=v1", "m", "service")).json() == old
    now = (await insights.get(TRUST, "m", "service")).json()
    assert (now["model"], now["health"] < old["health"]) == ("v2", True)


async def test_after_a_switch_new_facts_are_counted_under_the_new_version(
    insights: Insights,
) -> None:
    await insights.hears(story())
    await registered(insights, V2)
    await call(insights, "PUT", "/v1/models/in-force", {"name": "v2"})
    first = (await insights.surfaces())[-1]
    await insights.hears([event(kept(), 390)])
    (second,) = await insights.surfaces()
    assert second.model == "v2"
    assert second.revision == first.revision + 1


async def test_switching_back_is_published_too(insights: Insights) -> None:
    await insights.hears(story())
    (before,) = await insights.surfaces()
    await registered(insights, V2)
    for name in ("v2", "v1"):
        await call(insights, "PUT", "/v1/models/in-force", {"name": name})
    after = (await insights.surfaces())[-1]
    assert after.revision > before.revision
    same = after.model_copy(update={"revision": before.revision})
    assert same == before
    assert str(PAIR) == str(after.pair_id)


@pytest.mark.parametrize(
    ("method", "path", "body", "role", "status"),
    [
        pytest.param("POST", "/v1/models", {**V2, "base": "v9"}, "service", 404, id="no base"),
        pytest.param("POST", "/v1/models", {**V2, "enough": -1}, "service", 422, id="bad number"),
        pytest.param("POST", "/v1/models", V2, "manager", 403, id="not for managers"),
        pytest.param("PUT", "/v1/models/in-force", {"name": "v9"}, "service", 404, id="unknown"),
        pytest.param("GET", "/v1/models/v9/difference", None, "service", 404, id="no such one"),
    ],
)
async def test_what_cannot_be_says_why(
    insights: Insights, method: str, path: str, body: Any, role: str, status: int
) -> None:
    answer = await call(insights, method, path, body, role)
    assert answer.status_code == status, answer.text
