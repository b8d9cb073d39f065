"""What is wrong is said in SCIM's own form, whoever is at fault, and names the attribute."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.matching.scim import door, storage
from services.matching.scim.schemas import ENTERPRISE, MAX_BODY_BYTES, MENTORING
from shared.errors import Rejected
from tests.integration.matching.conftest import ACME, Matching
from tests.integration.matching.test_scim import USER, ask, made, patch
from tests.support.callers import as_

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def said(answer: httpx.Response, status: int) -> str:
    """The detail of an error in SCIM's form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].startswith("application/scim+json")
    body = answer.json()
    assert body["schemas"] == [ERROR]
    assert body["status"] == str(status)
    return str(body["detail"])


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ({"displayName": "Ann"}, "userName"),
        ({"userName": 7}, "userName"),
        ({"userName": "ann@m.example", "active": "perhaps"}, "active"),
        ({"userName": "ann@m.example", "timezone": "Mars/Base"}, "timezone"),
        ({"userName": "ann", "emails": [{"value": "no address"}]}, "emails"),
        ({"userName": "ann@m.example", MENTORING: {"roles": ["king"]}}, f"{MENTORING}:roles"),
        ({"userName": "ann@m.example", MENTORING: {"grade": 101}}, f"{MENTORING}:grade"),
        (
            {"userName": "ann@m.example", MENTORING: {"roles": ["mentor"], "capacity": 99}},
            f"{MENTORING}:capacity",
        ),
        (
            {"userName": "ann@m.example", MENTORING: {"roles": ["mentor"], "offers": ["No Code"]}},
            f"{MENTORING}:offers",
        ),
        ({"userName": "ann@m.example", "nosuch": 1}, "nosuch"),
        ({"userName": "ann@m.example", "displayName": "a\x00b"}, "NUL"),
        ({"userName": "ann@m.example", "displayName": "a" * 201}, "displayName"),
    ],
)
async def test_a_bad_user_is_refused_by_its_attribute(
    matching: Matching, body: dict[str, Any], attribute: str
) -> None:
    answer = await ask(matching, "POST", "/Users", {"schemas": [USER], **body})

    assert attribute in said(answer, 400)
    assert answer.json()["scimType"] in ("invalidValue", "invalidSyntax")
    assert await matching.kept("SELECT count(*) FROM scim_user") == 0


@pytest.mark.parametrize("body", [b"{", b"", b"[]", b"null", b"\xff", b'"x"', b"[" * 5000])
async def test_what_is_no_json_object_is_refused(matching: Matching, body: bytes) -> None:
    headers = as_("directory", "hr", ACME) | {"Content-Type": "application/scim+json"}
    for path in ("/Users", "/Bulk", "/.search"):
        answer = await matching.http.post(f"/scim/v2{path}", content=body, headers=headers)
        assert said(answer, 400)


async def test_what_is_not_there_is_not_found(matching: Matching) -> None:
    for path in ("/Users/nobody", "/Groups/nobody", "/Nothing", "/Users/a/b", "/Schemas/urn:x"):
        assert said(await ask(matching, "GET", path), 404)
    assert said(await ask(matching, "PUT", "/Users"), 405)
    assert said(await ask(matching, "PATCH", "/Users/nobody", patch(REPLACE)), 404)


REPLACE = {"op": "replace", "path": "displayName", "value": "x"}


@pytest.mark.parametrize("role", ["participant", "manager", "service"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_nobody_but_hr_provisions(matching: Matching, method: str, role: Any) -> None:
    for path in ("/Users", "/Users/x", "/Groups", "/Bulk", "/Schemas", "/ServiceProviderConfig"):
        url = f"/scim/v2{path}"
        known = await matching.http.request(method, url, headers=as_("boss", role, ACME))
        assert "hr" in said(known, 403)
        unknown = await matching.http.request(method, url)
        said(unknown, 401)
        assert unknown.headers["WWW-Authenticate"].startswith("Bearer")


class Busy(Rejected):
    """Too many requests."""

    status = 429


async def test_a_caller_who_asks_too_often_is_told_when_to_come_back(
    matching: Matching, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise Busy

    monkeypatch.setattr(door, "admit", busy)
    answer = await ask(matching, "GET", "/Users")
    assert said(answer, 429)
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_database_that_is_away_is_503_and_a_fault_of_ours_says_nothing(
    matching: Matching, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(error: Exception) -> None:
        async def find(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(storage.PostgresStorage, "get", find)

    fails(OSError("secret host"))
    away = await ask(matching, "GET", "/Users/x")
    assert "secret" not in said(away, 503)
    assert away.headers["Retry-After"]

    fails(RuntimeError("ann@mentoring.example"))
    ours = await ask(matching, "GET", "/Users/x")
    assert "ann" not in said(ours, 500)
    assert "ann@" not in capsys.readouterr().out


async def test_a_body_has_an_end(matching: Matching) -> None:
    headers = as_("directory", "hr", ACME) | {"Content-Type": "application/scim+json"}
    body = b" " * (MAX_BODY_BYTES + 1)
    answer = await matching.http.post("/scim/v2/Users", content=body, headers=headers)
    said(answer, 413)


async def test_a_filter_that_cannot_be_asked_is_refused(matching: Matching) -> None:
    for wanted in ('userName gt "a"', "userName eq", 'meta.created gt "2026-01-01T00:00:00Z"'):
        answer = await ask(matching, "GET", f"/Users?filter={wanted}")
        assert said(answer, 400)
        assert answer.json()["scimType"] == "invalidFilter"


async def test_a_bad_operation_applies_nothing_of_the_patch(matching: Matching) -> None:
    ann = await made(matching, displayName="Ann")
    change = patch(REPLACE, {"op": "replace", "path": "timezone", "value": "Mars"})

    answer = await ask(matching, "PATCH", f"/Users/{ann}", change)

    assert "timezone" in said(answer, 400)
    assert (await ask(matching, "GET", f"/Users/{ann}")).json()["displayName"] == "Ann"
    assert len(await matching.announced()) == 1


async def test_what_we_serve_is_published(matching: Matching) -> None:
    config = (await ask(matching, "GET", "/ServiceProviderConfig")).json()
    assert (config["patch"]["supported"], config["etag"]["supported"]) == (True, True)
    schemas = (await ask(matching, "GET", "/Schemas")).json()["Resources"]
    assert {ENTERPRISE, MENTORING} <= {each["id"] for each in schemas}
    kinds = (await ask(matching, "GET", "/ResourceTypes")).json()["Resources"]
    assert {each["endpoint"] for each in kinds} == {"/Users", "/Groups"}
