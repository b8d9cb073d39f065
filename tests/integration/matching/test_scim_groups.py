"""Groups of a directory give roles: who joins or leaves one has changed, and nobody else has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.matching.app import build
from services.matching.queries import scim
from services.matching.settings import MatchingSettings
from shared.clock import FixedClock
from tests.conftest import MakePool
from tests.integration.matching.conftest import START, Matching
from tests.integration.matching.test_scim import ask, made, patch, told
from tests.support.callers import signed_in

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


@pytest.fixture
async def matching(service_pool: MakePool) -> AsyncIterator[Matching]:
    """Where the directory's group Mentors makes mentors."""
    pool, clock = await service_pool("matching"), FixedClock(START)
    settings = MatchingSettings.model_validate(
        {"postgres": "unused", "kafka": "unused", "scim_groups": {"Mentors": "mentor"}}
    )
    service = build(settings, pool, clock)
    transport = httpx.ASGITransport(app=signed_in(service.api))
    async with httpx.AsyncClient(transport=transport, base_url="http://matching") as http:
        yield Matching(service, pool, clock, http)


async def grouped(matching: Matching, *members: str, name: str = "mentors") -> str:
    body = {
        "schemas": [GROUP],
        "displayName": name,
        "members": [{"value": each} for each in members],
    }
    answer = await ask(matching, "POST", "/Groups", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def roles(matching: Matching) -> dict[str, list[str]]:
    """What the log knows last of each person's roles."""
    known: dict[str, list[str]] = {}
    for event in await matching.announced():
        part = event.fact.model_dump().get("participation") or {"roles": ()}
        known[event.fact.subject] = list(part["roles"])
    return known


async def test_a_member_of_mentors_is_a_mentor(matching: Matching) -> None:
    ann, ben = await made(matching), await made(matching, "ben@mentoring.example")

    group = await grouped(matching, ann)

    assert await roles(matching) == {ann: ["mentor"], ben: []}
    assert (await told(matching))[2:] == [("person.changed", ann)]
    part = (await matching.announced())[-1].fact.model_dump()["participation"]
    assert part["capacity"] == 1
    members = (await ask(matching, "GET", f"/Groups/{group}")).json()["members"]
    assert members[0]["value"] == ann
    assert members[0]["$ref"] == f"http://matching/scim/v2/Users/{ann}"


async def test_entra_adds_and_removes_members(matching: Matching) -> None:
    ann, ben = await made(matching), await made(matching, "ben@mentoring.example")
    group = await grouped(matching, ann)
    add = {"op": "Add", "path": "members", "value": [{"value": ben}]}
    remove = {"op": "Remove", "path": "members", "value": [{"value": ann}]}

    for change in (add, add, remove, remove):  # each sent again
        answer = await ask(matching, "PATCH", f"/Groups/{group}", patch(change))
        assert answer.status_code == 204, answer.text

    assert await roles(matching) == {ann: [], ben: ["mentor"]}
    assert len(await told(matching)) == 5


async def test_okta_removes_a_member_by_a_filter(matching: Matching) -> None:
    ann, ben = await made(matching), await made(matching, "ben@mentoring.example")
    group = await grouped(matching, ann, ben)
    change = patch({"op": "remove", "path": f'members[value eq "{ann}"]'})

    assert (await ask(matching, "PATCH", f"/Groups/{group}", change)).status_code == 204

    assert await roles(matching) == {ann: [], ben: ["mentor"]}


async def test_a_group_that_is_renamed_or_deleted_changes_its_members(matching: Matching) -> None:
    ann = await made(matching)
    group = await grouped(matching, ann, name="Guides")
    assert await roles(matching) == {ann: []}

    rename = patch({"op": "Replace", "value": {"displayName": "MENTORS"}})
    await ask(matching, "PATCH", f"/Groups/{group}", rename)
    assert await roles(matching) == {ann: ["mentor"]}

    assert (await ask(matching, "DELETE", f"/Groups/{group}")).status_code == 204
    assert await roles(matching) == {ann: []}


async def test_who_is_deleted_is_a_member_no_more(matching: Matching) -> None:
    ann = await made(matching)
    group = await grouped(matching, ann)
    before = (await ask(matching, "GET", f"/Groups/{group}")).headers["ETag"]

    await ask(matching, "DELETE", f"/Users/{ann}")

    after = await ask(matching, "GET", f"/Groups/{group}")
    assert "members" not in after.json()
    assert after.headers["ETag"] != before


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("excludedAttributes=members", False),
        ("attributes=displayName", False),
        ("attributes=members", True),
        ("", True),
    ],
)
async def test_members_are_read_where_they_are_wanted(
    matching: Matching, query: str, named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await made(matching)
    group = await grouped(matching, ann)
    reads: list[object] = []

    async def members(*args: Any) -> dict[str, list[dict[str, Any]]]:
        reads.append(args)
        return await read(*args)

    read = scim.members
    monkeypatch.setattr(scim, "members", members)

    one = (await ask(matching, "GET", f"/Groups/{group}?{query}")).json()
    wanted = f'/Groups?filter=displayName eq "MENTORS"&{query}'
    (found,) = (await ask(matching, "GET", wanted)).json()["Resources"]

    assert ("members" in one, "members" in found) == (named, named)
    assert bool(reads) == named


async def test_entra_asks_whether_one_is_a_member(matching: Matching) -> None:
    ann, ben = await made(matching), await made(matching, "ben@mentoring.example")
    group = await grouped(matching, ann)
    for who, total in ((ann, 1), (ben, 0)):
        wanted = f'id eq "{group}" and members eq "{who}"'
        answer = await ask(matching, "GET", f"/Groups?filter={wanted}&excludedAttributes=members")
        assert answer.json()["totalResults"] == total, answer.text


async def test_a_bulk_keeps_its_good_items(matching: Matching) -> None:
    def post(bulk_id: str, **data: Any) -> dict[str, Any]:
        return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data}

    user = "urn:ietf:params:scim:schemas:core:2.0:User"
    answer = await ask(
        matching, "POST", "/Bulk",
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [
                post("ann", schemas=[user], userName="ann@mentoring.example"),
                post("bad", schemas=[user], userName="ben@mentoring.example", timezone="Mars"),
                {
                    "method": "POST", "path": "/Groups", "bulkId": "group",
                    "data": {
                        "schemas": [GROUP], "displayName": "Mentors",
                        "members": [{"value": "bulkId:ann"}],
                    },
                },
            ],
        },
    )  # fmt: skip

    assert answer.status_code == 200, answer.text
    done = answer.json()["Operations"]
    assert [each["status"] for each in done] == ["201", "400", "201"]
    assert "timezone" in done[1]["response"]["detail"]
    assert [kind for kind, _ in await told(matching)] == ["person.joined", "person.changed"]
