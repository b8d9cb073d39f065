"""What programmes suggest, over HTTP: managers write it, pairs begin with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
import pytest

from shared.events.people import PersonJoined
from shared.postgres.tenancy import acting_for
from tests.integration.sessions.world import MENTEE, MENTOR, STRANGER, TENANT, World
from tests.support.callers import as_
from tests.support.waiting import until

pytestmark = pytest.mark.stack

# The world's pair is in this programme.
PATH = "/v1/programmes/leaders/agreement-template"
BODY: dict[str, object] = {
    "cadence_days": 7,
    "notice_hours": 48,
    "channels": ["video"],
    "hours": [{"weekday": 2, "from_minute": 540, "until_minute": 1020}],
    "goals": ["What will be different in half a year?"],
    "review_after_days": 60,
}


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


async def put(
    world: World,
    body: Mapping[str, object] = BODY,
    *,
    match: str | None = None,
    role: str = "manager",
    tenant: str = TENANT,
) -> httpx.Response:
    headers = as_("boss", role, tenant=tenant)
    if match is not None:
        headers["If-Match"] = match
    return await world.http.put(PATH, json=body, headers=headers)


async def test_a_programme_s_template_is_what_its_pairs_begin_with(world: World) -> None:
    await world.deliver(
        PersonJoined(
            person_id=MENTEE, email="t@acme.example", display_name="Tom", timezone="Asia/Kathmandu"
        )
    )
    written = await put(world)

    draft = (await world.get(MENTOR, f"/v1/pairs/{world.pair}/agreement/draft")).json()

    assert (written.status_code, written.headers["ETag"]) == (200, '"1"')
    assert (draft["programme_id"], draft["template_revision"]) == ("leaders", 1)
    assert [(each["person_id"], each["zone"]) for each in draft["sides"]] == [
        (MENTOR, "UTC"),
        (MENTEE, "Asia/Kathmandu"),
    ]
    assert [each["person_id"] for each in draft["terms"]["hours"]] == [MENTOR, MENTEE]
    proposed = await world.ok(MENTOR, f"/v1/pairs/{world.pair}/agreement", draft["terms"])
    assert {name: proposed[name] for name in draft["terms"]} == draft["terms"]


async def test_without_a_template_there_is_a_draft_all_the_same(world: World) -> None:
    draft = (await world.get(MENTEE, f"/v1/pairs/{world.pair}/agreement/draft")).json()

    assert (draft["template_revision"], draft["terms"]["cadence_days"]) == (0, 14)
    await world.ok(MENTEE, f"/v1/pairs/{world.pair}/agreement", draft["terms"])
    await world.ok(MENTOR, f"/v1/pairs/{world.pair}/agreement/sign", {"version": 1})


async def test_members_and_managers_read_it_and_nobody_else(world: World) -> None:
    await put(world)

    member = await world.get(MENTEE, PATH)
    manager = await world.get("boss", PATH, role="manager")
    stranger = await world.get(STRANGER, PATH)
    elsewhere = await world.get(MENTEE, PATH.replace("leaders", "others"))

    assert (member.status_code, manager.text) == (200, member.text)
    assert member.headers["ETag"] == '"1"'
    assert (stranger.status_code, elsewhere.text) == (404, stranger.text)


async def test_another_tenant_s_manager_sees_and_changes_nothing(world: World) -> None:
    await put(world)

    seen = await world.get("boss", PATH, role="manager", tenant="globex")
    await put(world, BODY | {"cadence_days": 30}, tenant="globex")

    assert (seen.json()["revision"], seen.json()["cadence_days"]) == (0, 14)
    assert (await world.get(MENTEE, PATH)).json()["cadence_days"] == 7
    rows = await world.look("SELECT tenant FROM agreement_template ORDER BY tenant")
    assert [row["tenant"] for row in rows] == ["acme", "globex"]


@pytest.mark.parametrize("role", ["participant", "hr", "service"])
async def test_only_managers_write_it(world: World, role: str) -> None:
    refused = await put(world, role=role)

    assert refused.status_code == 403
    assert await world.look("SELECT FROM agreement_template") == []


async def test_what_is_there_is_overwritten_only_by_who_has_read_it(world: World) -> None:
    missing = await put(world, match='"5"')
    made = await put(world)
    blind = await put(world, BODY | {"cadence_days": 8})
    changed = await put(world, BODY | {"cadence_days": 9}, match=made.headers["ETag"])
    stale = await put(world, BODY | {"cadence_days": 10}, match=made.headers["ETag"])

    codes = [each.status_code for each in (missing, made, blind, changed, stale)]
    assert codes == [412, 200, 428, 200, 412]
    assert blind.json()["type"].endswith("match-required")
    kept = (await world.get(MENTEE, PATH)).json()
    assert (kept["cadence_days"], kept["revision"], kept["changed_by"]) == (9, 2, "boss")


async def test_of_some_who_have_read_the_same_one_writes(world: World) -> None:
    made = await put(world)
    match = made.headers["ETag"]

    async def all_wait() -> bool:
        return bool(await world.pool.fetchval(WAITING) == 5)

    # All have read before any writes: the row is held until they wait for it.
    async with acting_for(world.pool, TENANT) as conn:
        await conn.execute("SELECT FROM agreement_template FOR UPDATE")
        writing = [
            asyncio.create_task(put(world, BODY | {"cadence_days": n}, match=match))
            for n in range(10, 15)
        ]
        await until(all_wait, what="waited for the template")
    answers = await asyncio.gather(*writing)

    assert sorted(each.status_code for each in answers) == [200] + [412] * 4
    won = next(each for each in answers if each.status_code == 200).json()
    assert (await world.get(MENTEE, PATH)).json() == won


async def test_a_new_template_changes_no_agreement(world: World) -> None:
    await world.ok(MENTOR, f"/v1/pairs/{world.pair}/agreement", world.body())
    await world.ok(MENTEE, f"/v1/pairs/{world.pair}/agreement/sign", {"version": 1})
    before = (await world.view())["agreement"]

    await put(world)

    assert (await world.view())["agreement"] == before


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"hours": [{"weekday": 1, "from_minute": 600, "until_minute": 60}]}, "until_minute"),
        ({"hours": [{"weekday": 1, "from_minute": 0, "until_minute": 60}] * 51}, "hours"),
        (
            {"hours": [{"person_id": "x", "weekday": 1, "from_minute": 0, "until_minute": 9}]},
            "person_id",
        ),
        ({"cadence_days": 367}, "cadence_days"),
    ],
)
async def test_a_template_that_cannot_be_is_named(
    world: World, changed: dict[str, object], field: str
) -> None:
    refused = await put(world, BODY | changed)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"].endswith(field)
