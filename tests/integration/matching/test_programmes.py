"""Programmes over HTTP: validated with reasons, versions, one tenant's alone."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.integration.matching.conftest import Matching, caller

pytestmark = pytest.mark.stack
PLACE = "/v1/programmes/spring"


async def put(
    matching: Matching, seen: str | None = None, role: str = "manager", **body: Any
) -> httpx.Response:
    headers = caller("boss", role, "acme") | ({"If-Match": seen} if seen else {})
    return await matching.http.put(PLACE, json={"name": "Spring", **body}, headers=headers)


async def test_a_programme_begins_with_settings_that_work(matching: Matching) -> None:
    answer = await put(matching)

    assert answer.status_code == 200, answer.text
    assert answer.headers["ETag"] == '"1"'
    assert answer.json() == (await matching.get(PLACE)).json()
    settings = answer.json()["settings"]
    assert (settings["policy"], settings["candidates"]) == ("flow", 30)
    assert settings["answer_within"] == "P14D"


async def test_a_change_is_a_version_and_the_old_one_stays_readable(matching: Matching) -> None:
    await put(matching, settings={"candidates": 10})

    changed = await put(matching, '"1"', settings={"candidates": 20})

    assert changed.json()["version"] == 2
    before = (await matching.get(f"{PLACE}?version=1")).json()
    assert (before["version"], before["settings"]["candidates"]) == (1, 10)
    assert (await matching.get(f"{PLACE}?version=3")).status_code == 404


async def test_the_same_again_is_no_version(matching: Matching) -> None:
    first = await put(matching)
    assert (await put(matching)).json() == first.json()


async def test_two_who_change_the_same_version_do_not_overwrite_each_other(
    matching: Matching,
) -> None:
    await put(matching)

    answers = await asyncio.gather(
        *(put(matching, '"1"', settings={"candidates": n}) for n in (5, 6, 7))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    assert (await put(matching, settings={"candidates": 9})).status_code == 428


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        pytest.param(
            {"weights": {"goals": 0, "related": 0, "languages": 0, "hours": 0}},
            "settings.weights",
            id="nothing counts",
        ),
        pytest.param(
            {"rules": {"min_grade_gap": 4, "max_grade_gap": 2}},
            "settings.rules.min_grade_gap",
            id="no gap fits",
        ),
        pytest.param(
            {"rules": {"min_overlap_minutes": 10_081}},
            "settings.rules.min_overlap_minutes",
            id="more than a week",
        ),
        pytest.param(
            {"org_units": ["x"], "rules": {"org_units": "different"}},
            "settings.rules.org_units",
            id="one unit that has to be two",
        ),
        pytest.param({"weights": {"goals": -1}}, "body.settings.weights.goals", id="negative"),
        pytest.param({"policy": "fate"}, "body.settings.policy", id="an unknown policy"),
        pytest.param({"colour": "red"}, "body.settings.colour", id="an unknown setting"),
    ],
)
async def test_what_contradicts_itself_is_refused_with_the_field(
    matching: Matching, settings: dict[str, Any], field: str
) -> None:
    answer = await put(matching, settings=settings)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert (await matching.get(PLACE)).status_code == 404


async def test_a_weight_that_is_no_number_is_refused(matching: Matching) -> None:
    raw = '{"name": "Spring", "settings": {"weights": {"goals": NaN}}}'
    headers = caller("boss", "manager", "acme") | {"Content-Type": "application/json"}
    answer = await matching.http.put(PLACE, content=raw, headers=headers)
    assert answer.status_code == 422


async def test_programmes_are_for_those_who_oversee_them_and_of_one_tenant(
    matching: Matching,
) -> None:
    assert (await put(matching, role="participant")).status_code == 403
    await put(matching)

    assert (await matching.get(PLACE, "ann", "participant")).status_code == 403
    assert (await matching.get(PLACE, tenant="globex")).status_code == 404
    assert (await matching.get("/v1/programmes", tenant="globex")).json() == {"programmes": []}
    (only,) = (await matching.get("/v1/programmes")).json()["programmes"]
    assert only["programme_id"] == "spring"
