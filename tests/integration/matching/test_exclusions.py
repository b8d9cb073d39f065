"""Whom HR keeps apart: in runs and in asks, for managers alone, without a reason."""

from __future__ import annotations

import httpx
import pytest

from tests.integration.matching.conftest import Matching, caller, mentee, mentor

pytestmark = pytest.mark.stack
PLACE = "/v1/programmes/spring/exclusions"


async def tell(
    matching: Matching, method: str, one: str, other: str, role: str = "manager"
) -> httpx.Response:
    headers = caller("boss", role, "acme")
    return await matching.http.request(method, f"{PLACE}/{one}/{other}", headers=headers)


async def test_two_who_are_kept_apart_are_so_whoever_is_named_first(matching: Matching) -> None:
    await matching.hears(mentor("ann"), mentee("ben"))
    await matching.programme()
    for one, other in (("ben", "ann"), ("ann", "ben")):
        assert (await tell(matching, "PUT", one, other)).status_code == 204

    listed = (await matching.get(PLACE)).json()
    assert listed == {"exclusions": [{"one": "ann", "other": "ben"}], "next_cursor": None}
    assert await matching.match() == {
        "proposed": [],
        "unmatched": [{"person_id": "ben", "reason": "no_candidate_left"}],
    }
    body = {"mentor_id": "ann"}
    refused = await matching.post("/v1/programmes/spring/asks", body, "ben")
    assert (refused.status_code, refused.json()["title"]) == (409, "cannot be asked")

    assert (await tell(matching, "DELETE", "ann", "ben")).status_code == 204
    assert len((await matching.match())["proposed"]) == 1


async def test_pages_follow_each_other(matching: Matching) -> None:
    await matching.programme()
    for n in range(5):
        await tell(matching, "PUT", f"m{n}", "zed")

    first = (await matching.get(f"{PLACE}?limit=3")).json()
    rest = (await matching.get(f"{PLACE}?limit=3&cursor={first['next_cursor']}")).json()

    names = [each["one"] for page in (first, rest) for each in page["exclusions"]]
    assert names == [f"m{n}" for n in range(5)]
    assert rest["next_cursor"] is None


async def test_what_cannot_be_is_refused(matching: Matching) -> None:
    assert (await tell(matching, "PUT", "ann", "ben")).status_code == 404
    await matching.programme()
    twice = await tell(matching, "PUT", "ann", "ann")
    assert (twice.status_code, twice.json()["errors"][0]["field"]) == (422, "other")
    assert (await tell(matching, "PUT", "ann", "ben", "participant")).status_code == 403
    assert (await matching.get(PLACE, "ann", "participant")).status_code == 403
