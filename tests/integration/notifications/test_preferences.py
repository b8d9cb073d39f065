"""The preference centre over HTTP: what people and tenants choose, and what comes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.notifications.domain.workflows import CATEGORIES, WORKFLOWS
from services.notifications.handlers import preferences
from shared.ids import PersonId
from shared.postgres.tenancy import acting_for
from tests.integration.notifications.rig import Rig
from tests.integration.notifications.test_api import BO, DEMO, ZOE, caller, over_http
from tests.unit.notifications.builders import MENTEE, TENANT, left

pytestmark = pytest.mark.stack

OWN, EVERYBODYS = "/v1/me/preferences", "/v1/preferences"
BOSS = caller("boss", "manager")
# A workflow that comes by mail at once, unless somebody has chosen otherwise, and can be changed.
BY_MAIL = min(
    name
    for name, workflow in WORKFLOWS.items()
    if workflow.channels.get("email") == "now" and not workflow.is_critical
)


@pytest.fixture
async def http(rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    async with over_http(rig) as client:
        yield client


async def put(
    http: httpx.AsyncClient, url: str, who: dict[str, str], body: object, seen: str = '"0"'
) -> httpx.Response:
    return await http.put(url, headers={**who, "If-Match": seen}, json=body)


async def test_who_has_chosen_nothing_has_what_the_service_says(http: httpx.AsyncClient) -> None:
    answer = await http.get(OWN, headers=BO)

    chosen = answer.json()
    assert answer.headers["ETag"] == '"0"'
    assert chosen["choices"]["ways"] == {}
    assert chosen["budget_per_day"] == 3
    assert {each["from_minute"] for each in chosen["hours"]} == {480}
    assert set(chosen["kinds"]) == set(WORKFLOWS)
    assert chosen["kinds"][BY_MAIL]["ways"]["email"] == "now"


async def test_ones_own_word_goes_before_the_tenants_and_that_before_ours(
    http: httpx.AsyncClient,
) -> None:
    await put(http, EVERYBODYS, BOSS, {"ways": {"*": {"email": "off"}}, "budget_per_day": 7})
    of_tenant = (await http.get(OWN, headers=BO)).json()
    await put(http, OWN, BO, {"ways": {BY_MAIL: {"email": "digest"}}})
    own = (await http.get(OWN, headers=BO)).json()
    of_other = (await http.get(OWN, headers=ZOE)).json()

    assert of_tenant["kinds"][BY_MAIL]["ways"]["email"] == "off"
    assert own["kinds"][BY_MAIL]["ways"]["email"] == "digest"
    assert of_other["kinds"][BY_MAIL]["ways"]["email"] == "off"
    assert own["budget_per_day"] == 7


async def test_a_change_needs_what_was_read_and_two_at_once_are_one_change(
    http: httpx.AsyncClient,
) -> None:
    unseen = await http.put(OWN, headers=BO, json={})
    first = await put(http, OWN, BO, {"budget_per_day": 1})
    second = await put(http, OWN, BO, {"budget_per_day": 2})
    again = await put(http, OWN, BO, {"budget_per_day": 1}, seen=first.headers["ETag"])

    assert unseen.status_code == 428
    assert first.status_code == 200
    assert first.headers["ETag"] == '"1"'
    assert second.status_code == 412
    # What is chosen already is no change.
    assert again.headers["ETag"] == '"1"'


@pytest.mark.parametrize(
    ("body", "named"),
    [
        pytest.param({"ways": {"gossip": {"email": "now"}}}, "ways", id="no such kind"),
        pytest.param({"ways": {BY_MAIL: {"pigeon": "now"}}}, "ways", id="no such channel"),
        pytest.param({"ways": {"*": {"inbox": "off"}}}, "ways.*.inbox", id="an inbox has all"),
        pytest.param({"ways": {"*": {"chat": "digest"}}}, "ways.*.chat", id="chat is not gathered"),
        pytest.param({"budget_per_day": -1}, "budget_per_day", id="less than nothing"),
        pytest.param({"budget_per_day": "many"}, "budget_per_day", id="no number"),
        pytest.param(
            {"hours": [{"weekday": 8, "from_minute": 0, "until_minute": 60}]},
            "weekday",
            id="an eighth day",
        ),
        pytest.param(
            {"hours": [{"weekday": 1, "from_minute": 60, "until_minute": 60}]},
            "hours",
            id="a window without a minute",
        ),
        pytest.param({"digest": {"weekdays": []}}, "weekdays", id="a digest on no day"),
        pytest.param({"quiet": True}, "quiet", id="a word we do not know"),
    ],
)
async def test_what_cannot_be_chosen_is_named_and_nothing_is_changed(
    http: httpx.AsyncClient, body: dict[str, Any], named: str
) -> None:
    answer = await put(http, OWN, BO, body)

    assert answer.status_code == 422, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert named in answer.text
    assert (await http.get(OWN, headers=BO)).headers["ETag"] == '"0"'


async def test_a_participant_neither_reads_nor_changes_what_holds_for_everybody(
    http: httpx.AsyncClient,
) -> None:
    answers = [
        await http.get(EVERYBODYS, headers=BO),
        await put(http, EVERYBODYS, BO, {"budget_per_day": 0}),
        await http.get(f"{EVERYBODYS}/changes", headers=BO),
    ]

    assert [each.status_code for each in answers] == [403, 403, 403]


async def test_each_change_is_on_record_with_who_made_it(http: httpx.AsyncClient) -> None:
    await put(http, EVERYBODYS, BOSS, {"budget_per_day": 2})
    await put(http, EVERYBODYS, DEMO, {"budget_per_day": 4}, seen='"1"')

    changes = (await http.get(f"{EVERYBODYS}/changes", headers=BOSS)).json()["items"]

    assert [(each["revision"], each["changed_by"]) for each in changes] == [
        (2, "demo"),
        (1, "boss"),
    ]
    assert changes[1]["choices"]["budget_per_day"] == 2
    page = await http.get(f"{EVERYBODYS}/changes", headers=BOSS, params={"before": 2, "limit": 1})
    assert [each["revision"] for each in page.json()["items"]] == [1]


async def test_another_tenants_choices_are_nobodys_here(http: httpx.AsyncClient) -> None:
    await put(http, EVERYBODYS, caller("boss", "manager", "other"), {"budget_per_day": 9})
    await put(http, OWN, caller(MENTEE, tenant="other"), {"budget_per_day": 8})

    mine = (await http.get(OWN, headers=BO)).json()

    assert (mine["revision"], mine["budget_per_day"]) == (0, 3)


async def test_who_stops_mail_of_a_category_gets_none_and_the_inbox_still(
    rig: Rig, http: httpx.AsyncClient
) -> None:
    category = WORKFLOWS[BY_MAIL].category
    assert category in CATEGORIES
    for _ in range(2):
        async with acting_for(rig.pool, TENANT) as conn:
            await preferences.stop(conn, TENANT, MENTEE, category, rig.clock.now())

    chosen = (await http.get(OWN, headers=BO)).json()
    changes = (await http.get(f"{OWN}/changes", headers=BO)).json()["items"]

    assert chosen["kinds"][BY_MAIL]["ways"]["email"] == "off"
    assert chosen["kinds"][BY_MAIL]["ways"]["inbox"] == "now"
    assert [each["how"] for each in changes] == ["unsubscribed"]


async def test_the_choices_of_who_left_are_gone(rig: Rig, http: httpx.AsyncClient) -> None:
    await rig.everybody_joins()
    await put(http, OWN, BO, {"budget_per_day": 9})
    rig.pass_time(minutes=1)

    await rig.tell(left(PersonId(MENTEE)))

    for table in ("preference", "preference_change", "person_leave", "attention", "digest"):
        column = "of_whom" if table.startswith("pref") else "person_id"
        assert await rig.rows(f"SELECT FROM {table} WHERE {column} = $1", MENTEE) == [], table
