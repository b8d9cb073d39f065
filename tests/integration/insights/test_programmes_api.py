"""Programmes over HTTP: who may ask, page by page, and what is withheld tells nothing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from shared.ids import ProgrammeId
from tests.integration.insights.conftest import Insights
from tests.integration.insights.programmes import Two, after, begin, measures, several
from tests.support.callers import as_
from tests.unit.insights.facts import ACME

pytestmark = pytest.mark.stack

PATH = "/v1/programmes/spring/measures"
COMPANY = [*several(range(6)), *several(range(6, 11), "R&D"), *several(range(11, 14), "legal")]


@pytest.fixture
async def measured(insights: Insights) -> Insights:
    """Three units over two months; legal is too small to be told."""
    await insights.hears(begin(COMPANY))
    await measures(insights, after(2026, 5))
    return insights


async def ask(
    insights: Insights, path: str = PATH, role: str = "hr", tenant: str = ACME, **query: str
) -> httpx.Response:
    return await insights.get(f"{path}?{httpx.QueryParams(query)}", "boss", role, tenant)


async def page(insights: Insights, **query: str) -> Any:
    answer = await ask(insights, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("role", ["hr", "manager", "service"])
async def test_a_programme_is_told_the_newest_epoch_first(measured: Insights, role: str) -> None:
    seen = (await ask(measured, role=role)).json()
    assert [(each["epoch"], each["unit"]) for each in seen["items"]] == [
        ("2026-04", None), ("2026-04", "R&D"), ("2026-04", "sales"),
        ("2026-03", None), ("2026-03", "R&D"), ("2026-03", "sales"),
    ]  # fmt: skip
    assert seen["next"] is None
    assert seen["note"] is None
    whole = seen["items"][0]
    assert (whole["pairs"], whole["mentors"], whole["mentees"]) == (10, 10, 10)
    assert set(whole["benefits"]) == {"clarity", "growth", "problem_solving", "network"}
    assert whole["health"] == 0.6


@pytest.mark.parametrize(
    ("query", "cells"),
    [
        ({"unit": "sales"}, [("2026-04", "sales"), ("2026-03", "sales")]),
        ({"unit": "R&D", "epoch": "2026-03"}, [("2026-03", "R&D")]),
        ({"unit": ""}, [("2026-04", None), ("2026-03", None)]),
        ({"unit": "legal"}, []),
        ({"epoch": "2026-02"}, []),
    ],
)
async def test_cells_are_chosen_by_unit_and_epoch(
    measured: Insights, query: dict[str, str], cells: list[tuple[str, str | None]]
) -> None:
    seen = await page(measured, **query)
    assert [(each["epoch"], each["unit"]) for each in seen["items"]] == cells


@pytest.mark.parametrize("query", [{}, {"epoch": "2026-04"}, {"epoch": "2026-09"}])
async def test_a_unit_that_is_withheld_and_one_that_is_not_there_look_the_same(
    measured: Insights, query: dict[str, str]
) -> None:
    small = await ask(measured, unit="legal", **query)
    none = await ask(measured, unit="no such unit", **query)
    assert small.content == none.content
    for name in ("etag", "cache-control", "content-length"):
        assert small.headers[name] == none.headers[name]
    over = query.get("epoch") != "2026-09"
    assert small.json()["note"] == ("too few people to show" if over else "not measured yet")


async def test_every_cell_is_shown_once_page_by_page(measured: Insights) -> None:
    whole = (await page(measured))["items"]
    seen: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        part = await page(measured, limit="1", **cursor)
        seen += part["items"]
        assert part["note"] is None
        if part["next"] is None:
            break
        cursor = {"after": part["next"]}
    assert seen == whole


async def test_what_is_known_is_not_sent_again(measured: Insights) -> None:
    first = await ask(measured, epoch="2026-03")
    assert first.headers["cache-control"] == "private, max-age=86400"
    headers = as_("boss", "hr", tenant=ACME)
    for known in (first.headers["etag"], f'"other", W/{first.headers["etag"]}'):
        again = await measured.http.get(
            f"{PATH}?epoch=2026-03", headers={**headers, "If-None-Match": known}
        )
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["cache-control"] == "private, max-age=86400"
    await measures(measured, after(2026, 6))
    assert (await ask(measured, epoch="2026-03")).headers["etag"] == first.headers["etag"]


async def test_what_may_still_come_is_not_kept_for_long(measured: Insights) -> None:
    for query in ({}, {"unit": "sales"}, {"epoch": "2026-09"}):
        assert (await ask(measured, **query)).headers["cache-control"] == "private, max-age=60"


@pytest.mark.parametrize(
    ("path", "role", "tenant", "status"),
    [
        pytest.param(PATH, "participant", ACME, 403, id="a participant"),
        pytest.param("/v1/programmes", "participant", ACME, 403, id="a participant, all"),
        pytest.param("/v1/programmes/autumn/measures", "hr", ACME, 404, id="no such programme"),
        pytest.param(PATH, "hr", "globex", 404, id="of another tenant"),
        pytest.param(f"{PATH}?epoch=2026-13", "hr", ACME, 422, id="a month that is none"),
        pytest.param(f"{PATH}?epoch=march", "hr", ACME, 422, id="no epoch"),
        pytest.param(f"{PATH}?after=x", "hr", ACME, 422, id="no cursor"),
        pytest.param(f"{PATH}?unit=%00", "hr", ACME, 422, id="no text"),
        pytest.param(f"{PATH}?limit=0", "hr", ACME, 422, id="nothing"),
    ],
)
async def test_what_cannot_be_answered_says_why(
    measured: Insights, path: str, role: str, tenant: str, status: int
) -> None:
    answer = await measured.get(path, "boss", role, tenant)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_programmes_are_listed_with_how_far_they_were_measured(measured: Insights) -> None:
    await measured.hears(begin([Two(90, programme=ProgrammeId("autumn"))], after(2026, 6)))
    first = (await ask(measured, "/v1/programmes", limit="1")).json()
    assert first == {"items": [{"programme_id": "autumn", "measured": None}], "next": "autumn"}
    second = (await ask(measured, "/v1/programmes", after="autumn")).json()
    assert second == {"items": [{"programme_id": "spring", "measured": "2026-04"}], "next": None}
    assert (await page(measured, path="/v1/programmes/autumn/measures"))["note"] == (
        "not measured yet"
    )


async def test_a_programme_of_four_says_so_in_words(insights: Insights) -> None:
    await insights.hears(begin(several(range(4))))
    await measures(insights, after(2026, 5))
    assert await page(insights) == {
        "programme_id": "spring", "items": [], "next": None, "note": "too few people to show",
    }  # fmt: skip
