"""HR's directory provisions people over SCIM; they go out as facts, each once and in order."""

from __future__ import annotations

from typing import Any

import httpx

from services.matching.scim.schemas import ENTERPRISE
from tests.integration.matching.conftest import ACME, Matching
from tests.support.callers import as_

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


async def ask(
    matching: Matching, method: str, path: str, body: Any = None, **headers: str
) -> httpx.Response:
    sent = as_("directory", "hr", ACME, **headers)
    return await matching.http.request(method, f"/scim/v2{path}", json=body, headers=sent)


async def made(matching: Matching, name: str = "ann@mentoring.example", /, **more: Any) -> str:
    answer = await ask(matching, "POST", "/Users", {"schemas": [USER], "userName": name, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


async def test_a_user_becomes_a_person_of_the_network(matching: Matching) -> None:
    boss = await made(matching, "boss@mentoring.example")
    extension: Any = {ENTERPRISE: {"manager": {"value": boss}, "department": "Research"}}
    ann = await made(matching, displayName="Ann", timezone="Europe/Berlin", **extension)

    _, event = await matching.announced()

    assert event.fact.type == "person.joined"
    assert event.fact.model_dump(include={"person_id", "manager_id", "org_unit"}) == {
        "person_id": ann, "manager_id": boss, "org_unit": "Research",
    }  # fmt: skip
    assert ENTERPRISE in (await ask(matching, "GET", f"/Users/{ann}")).json()


async def told(matching: Matching) -> list[tuple[str, str]]:
    return [(event.fact.type, event.fact.subject) for event in await matching.announced()]


async def test_a_write_that_changes_nothing_of_the_person_tells_nothing(matching: Matching) -> None:
    ann = await made(matching)

    answer = await ask(
        matching, "PATCH", f"/Users/{ann}", patch({"op": "replace", "path": "title", "value": "Dr"})
    )

    assert answer.status_code == 204
    assert await told(matching) == [("person.joined", ann)]
    assert (await ask(matching, "GET", f"/Users/{ann}")).json()["title"] == "Dr"


async def test_who_is_deactivated_leaves_and_may_come_back(matching: Matching) -> None:
    ann = await made(matching)
    for active in ("False", "False", "True"):  # as Entra ID sends them, and sends them again
        change = patch({"op": "Replace", "path": "active", "value": active})
        answer = await ask(matching, "PATCH", f"/Users/{ann}", change)
        assert answer.status_code == 204, answer.text

    assert [type_ for type_, _ in await told(matching)] == [
        "person.joined", "person.left", "person.joined",
    ]  # fmt: skip
    assert (await ask(matching, "GET", "/Users")).json()["totalResults"] == 1


async def test_the_facts_of_a_person_are_later_one_than_the_other(matching: Matching) -> None:
    ann = await made(matching)  # and the clock stands still
    for name in ("Ann", "Anne"):
        change = patch({"op": "replace", "value": {"displayName": name}})
        await ask(matching, "PATCH", f"/Users/{ann}", change)

    times = [event.occurred_at for event in await matching.announced()]
    assert times == sorted(set(times))
    assert len(times) == 3


async def test_who_is_deleted_left_once(matching: Matching) -> None:
    ann = await made(matching)

    first = await ask(matching, "DELETE", f"/Users/{ann}")
    again = await ask(matching, "DELETE", f"/Users/{ann}")

    assert (first.status_code, again.status_code) == (204, 404)
    assert await told(matching) == [("person.joined", ann), ("person.left", ann)]


async def test_what_we_tell_is_what_matching_learns(matching: Matching) -> None:
    ann = await made(matching, displayName="Ann")
    await matching.delivers(*await matching.announced())
    answer = await matching.get(f"/v1/people/{ann}")
    assert answer.json()["display_name"] == "Ann"


async def test_an_unknown_time_zone_is_named_and_nothing_is_kept(matching: Matching) -> None:
    body = {"schemas": [USER], "userName": "ann@mentoring.example", "timezone": "Mars/Base"}

    answer = await ask(matching, "POST", "/Users", body)

    assert answer.status_code == 400
    assert answer.json()["scimType"] == "invalidValue"
    assert answer.json()["detail"].startswith("timezone: 'Mars/Base'")
    assert (await ask(matching, "GET", "/Users")).json()["totalResults"] == 0
    assert await told(matching) == []


async def test_a_user_name_is_taken_whatever_its_case(matching: Matching) -> None:
    await made(matching, "ann@mentoring.example")

    answer = await ask(
        matching, "POST", "/Users", {"schemas": [USER], "userName": "ANN@mentoring.example"}
    )

    assert answer.status_code == 409
    assert answer.json()["scimType"] == "uniqueness"
    assert "userName" in answer.json()["detail"]


async def test_values_come_back_as_they_were_sent(matching: Matching) -> None:
    emails = [{"type": "work", "value": "Ann.B@MENTORING.Example", "primary": True}]
    ann = await made(matching, "Ann.B@MENTORING.Example", emails=emails, externalId="Emp 7")

    kept = (await ask(matching, "GET", f"/Users/{ann}")).json()

    assert kept["emails"] == emails
    assert (kept["userName"], kept["externalId"]) == ("Ann.B@MENTORING.Example", "Emp 7")


async def test_a_change_of_what_has_changed_meanwhile_is_refused(matching: Matching) -> None:
    ann = await made(matching)
    seen = (await ask(matching, "GET", f"/Users/{ann}")).headers["ETag"]
    change = patch({"op": "replace", "value": {"displayName": "Ann"}})
    await ask(matching, "PATCH", f"/Users/{ann}", change)

    late = await ask(matching, "PATCH", f"/Users/{ann}", change, **{"If-Match": seen})

    assert late.status_code == 412


async def test_another_tenant_sees_and_changes_nothing(matching: Matching) -> None:
    ann = await made(matching)
    stranger = as_("directory", "hr", "globex")
    for method in ("GET", "DELETE"):
        answer = await matching.http.request(method, f"/scim/v2/Users/{ann}", headers=stranger)
        assert answer.status_code == 404
    found = await matching.http.get("/scim/v2/Users", headers=stranger)
    assert found.json()["totalResults"] == 0
    body = {"schemas": [USER], "userName": "ann@mentoring.example"}
    same = await matching.http.post("/scim/v2/Users", json=body, headers=stranger)
    assert same.status_code == 201
