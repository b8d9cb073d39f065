"""What Entra ID and Okta really send is understood, word for word."""

from __future__ import annotations

from typing import Any

import pytest

from services.matching.scim.schemas import ENTERPRISE, MENTORING
from tests.integration.matching.conftest import Matching
from tests.integration.matching.test_scim import USER, ask, made, patch, told

WORK = {"type": "work", "value": "ann@mentoring.example", "primary": True}


async def changed(matching: Matching, id_: str, *operations: dict[str, Any]) -> dict[str, Any]:
    """The user after a PATCH that is taken."""
    answer = await ask(matching, "PATCH", f"/Users/{id_}", patch(*operations))
    assert answer.status_code in (200, 204), answer.text
    user: dict[str, Any] = (await ask(matching, "GET", f"/Users/{id_}")).json()
    return user


async def test_entra_creates_a_user(matching: Matching) -> None:
    boss = await made(matching, "boss@mentoring.example")
    body = {
        "schemas": [USER, ENTERPRISE],
        "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
        "userName": "ann@mentoring.example",
        "active": True,
        "displayName": "Ann B",
        "emails": [WORK],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "Ann B", "familyName": "B", "givenName": "Ann"},
        "roles": [],
        ENTERPRISE: {"department": "Research", "manager": boss},
    }

    answer = await ask(matching, "POST", "/Users", body)

    assert answer.status_code == 201, answer.text
    assert answer.json()[ENTERPRISE]["manager"]["value"] == boss
    assert (await matching.announced())[-1].fact.model_dump()["manager_id"] == boss


@pytest.mark.parametrize(
    "value", ["THE-BOSS", [{"value": "THE-BOSS"}], {"value": "THE-BOSS"}], ids=repr
)
@pytest.mark.parametrize("op", ["Add", "Replace"])
async def test_entra_sends_the_manager_in_three_ways(
    matching: Matching, op: str, value: object
) -> None:
    ann = await made(matching)
    path = f"{ENTERPRISE}:manager"

    user = await changed(matching, ann, {"op": op, "path": path, "value": value})
    assert user[ENTERPRISE]["manager"]["value"] == "THE-BOSS"

    user = await changed(matching, ann, {"op": "Remove", "path": path, "value": "THE-BOSS"})
    assert "manager" not in user.get(ENTERPRISE, {})


async def test_entra_adds_a_part_of_what_is_not_there(matching: Matching) -> None:
    ann = await made(matching)
    mobile = 'phoneNumbers[type eq "mobile"].value'

    for number in ("+49 1", "+49 2"):
        user = await changed(matching, ann, {"op": "Add", "path": mobile, "value": number})

    assert user["phoneNumbers"] == [{"type": "mobile", "value": "+49 2"}]


async def test_entra_adds_several_parts_of_one_address(matching: Matching) -> None:
    ann = await made(matching)
    user = await changed(
        matching, ann,
        {"op": "Add", "path": 'addresses[type eq "work"].country', "value": "DE"},
        {"op": "Add", "path": 'addresses[type eq "work"].locality', "value": "Berlin"},
    )  # fmt: skip
    assert user["addresses"] == [{"type": "work", "country": "DE", "locality": "Berlin"}]
    assert (await matching.announced())[-1].fact.model_dump()["country"] == "DE"


async def test_entra_flattens_names_and_extensions_without_a_path(matching: Matching) -> None:
    ann = await made(matching, emails=[WORK])
    value = {
        "displayName": "Ann B",
        "name.familyName": "B",
        'emails[type eq "work"].value': "ann.b@mentoring.example",
        f"{ENTERPRISE}:department": "Sales",
        f"{ENTERPRISE}:manager": "somebody",
        f"{MENTORING}:grade": 40,
    }

    user = await changed(matching, ann, {"op": "Replace", "value": value})

    assert user["name"]["familyName"] == "B"
    assert user["emails"] == [{**WORK, "value": "ann.b@mentoring.example"}]
    fact = (await matching.announced())[-1].fact.model_dump()
    assert (fact["display_name"], fact["org_unit"], fact["grade"]) == ("Ann B", "Sales", 40)
    assert fact["manager_id"] is None  # nobody we know, and no id to put into a fact


async def test_entra_disables_with_a_string(matching: Matching) -> None:
    ann = await made(matching)
    await changed(matching, ann, {"op": "Replace", "path": "active", "value": "False"})
    assert (await told(matching))[-1] == ("person.left", ann)


async def test_entra_asks_for_a_user_that_cannot_be_there(matching: Matching) -> None:
    for wanted in (
        'userName eq "5c4b0e3a-5d1f-4f0e-8f6c-9f6f4a1e0d2b"',
        'externalId eq "5c4b0e3a"',
        'emails[type eq "work"].value eq "5c4b0e3a@mentoring.example"',
        'userName eq "a" and active eq true',
    ):
        answer = await ask(matching, "GET", f"/Users?filter={wanted}&startIndex=1&count=100")
        assert answer.status_code == 200, answer.text
        assert answer.json()["totalResults"] == 0
        assert answer.json()["Resources"] == []


@pytest.mark.parametrize(
    "wanted",
    [
        'userName eq "ANN@mentoring.example"',
        'externalId eq "Emp-7"',
        'emails[type eq "work"].value eq "Ann@Mentoring.example"',
        'emails.value eq "ann@mentoring.example" and active eq true',
        'id eq "{id}"',
        f'{ENTERPRISE}:department eq "research"',
    ],
)
async def test_a_user_is_found_by_what_directories_ask(matching: Matching, wanted: str) -> None:
    extension: Any = {ENTERPRISE: {"department": "Research"}}
    ann = await made(matching, externalId="Emp-7", active=True, emails=[WORK], **extension)
    await made(matching, "ben@mentoring.example", externalId="emp-7")

    answer = await ask(matching, "GET", f"/Users?filter={wanted.replace('{id}', ann)}")

    assert [each["id"] for each in answer.json()["Resources"]] == [ann], answer.text


async def test_okta_creates_reads_puts_and_deactivates(matching: Matching) -> None:
    body = {
        "schemas": [USER],
        "userName": "ann@mentoring.example",
        "name": {"givenName": "Ann", "familyName": "B"},
        "emails": [WORK],
        "displayName": "Ann B",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
    }
    made_ = await ask(matching, "POST", "/Users", body)
    assert made_.status_code == 201, made_.text
    assert "password" not in made_.text
    ann = made_.json()["id"]

    put = await ask(matching, "PUT", f"/Users/{ann}", {**made_.json(), "displayName": "Ann C"})
    assert put.status_code == 200, put.text
    assert put.json()["displayName"] == "Ann C"

    change = patch({"op": "replace", "value": {"active": False}})
    gone = await ask(matching, "PATCH", f"/Users/{ann}", change)
    assert gone.status_code in (200, 204)
    assert [kind for kind, _ in await told(matching)] == [
        "person.joined", "person.changed", "person.left",
    ]  # fmt: skip
    assert "1mz050nq" not in str(await matching.rows("SELECT * FROM scim_user"))


async def test_okta_pages_through_everybody(matching: Matching) -> None:
    ids = [await made(matching, f"p{n}@mentoring.example") for n in range(5)]
    seen: list[str] = []
    for start in (1, 3, 5, 7):
        page = (await ask(matching, "GET", f"/Users?startIndex={start}&count=2")).json()
        assert page["totalResults"] == 5
        seen += [each["id"] for each in page["Resources"]]
    assert seen == ids
