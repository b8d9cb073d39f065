"""One's own profile over HTTP: laid over HR's facts, guarded by its revision, told to nobody."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from tests.integration.matching.care import everything
from tests.integration.matching.conftest import ACME, Matching, caller, days, mentee, mentor

pytestmark = pytest.mark.stack
PLACE = "/v1/me/profile"
SECRET = "zoe-the-avoided"


async def put(
    matching: Matching, as_: str = "ann", seen: str | None = None, **said: Any
) -> httpx.Response:
    headers = caller(as_, "participant", ACME) | ({"If-Match": seen} if seen else {})
    return await matching.http.put(PLACE, json=said, headers=headers)


async def read(matching: Matching, as_: str = "ann") -> httpx.Response:
    return await matching.get(PLACE, as_, "participant")


async def test_before_anything_is_said_one_is_as_hr_has_it(matching: Matching) -> None:
    await matching.hears(mentor("ann", capacity=3))

    answer = await read(matching)

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"0"')
    assert (answer.json()["capacity"], answer.json()["changed_at"]) == (None, None)
    assert answer.json()["as_matched"]["capacity"] == 3


async def test_what_one_says_lies_over_hr_and_the_rest_shows_through(matching: Matching) -> None:
    await matching.hears(mentor("ann", capacity=3))
    hours = [{"weekday": 2, "from_minute": 600, "until_minute": 720}]

    answer = await put(matching, offers=["rust", "go", "rust"], hours=hours, languages=["pt-BR"])
    assert answer.status_code == 200, answer.text
    assert answer.json() == (await read(matching)).json()
    await matching.hears(mentor("ann", capacity=5, languages=["de"]), at=matching.clock.now())

    seen = (await matching.get("/v1/people/ann")).json()
    assert (seen["offers"], seen["languages"], seen["hours"]) == (["rust", "go"], ["pt-BR"], hours)
    assert (seen["roles"], seen["capacity"]) == (["mentor"], 5)


async def test_hr_does_not_take_back_what_one_said(matching: Matching) -> None:
    await matching.hears(mentor("ann"))
    await put(matching, offers=["rust"])

    await matching.hears(mentor("ann", capacity=9), at=matching.clock.now() + days(1))

    seen = (await matching.get("/v1/people/ann")).json()
    assert (seen["offers"], seen["capacity"]) == (["rust"], 9)


async def test_a_change_needs_the_revision_that_was_read(matching: Matching) -> None:
    await matching.hears(mentor("ann"))
    await put(matching, offers=["rust"])

    blind = await put(matching, offers=["go"])
    assert (blind.status_code, blind.json()["type"].rsplit(":", 1)[-1]) == (428, "match-required")
    late = await put(matching, seen='"7"', offers=["go"])
    assert late.status_code == 412
    changed = await put(matching, seen='"1"', offers=["go"])
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')


async def test_the_same_again_changes_nothing_and_needs_no_revision(matching: Matching) -> None:
    await matching.hears(mentor("ann"))
    first = await put(matching, offers=["rust"])
    matching.clock.at += days(1)

    again = await put(matching, offers=["rust"])

    assert again.json() == first.json()
    assert again.headers["ETag"] == '"1"'


async def test_of_two_who_overwrite_the_same_revision_one_wins(matching: Matching) -> None:
    await matching.hears(mentor("ann"))
    await put(matching, offers=["rust"])

    answers = await asyncio.gather(
        *(put(matching, seen='"1"', offers=[f"goal_{n}"]) for n in range(5))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]


async def test_what_is_deleted_is_gone_and_an_old_revision_stays_old(matching: Matching) -> None:
    await matching.hears(mentor("ann"))
    await put(matching, about=SECRET, avoid=[SECRET])
    headers = caller("ann", "participant", ACME)
    assert (await matching.http.delete(PLACE, headers=headers)).status_code == 428

    gone = await matching.http.delete(PLACE, headers=headers | {"If-Match": '"1"'})

    assert (gone.status_code, gone.json()["about"], gone.json()["avoid"]) == (200, "", [])
    assert SECRET not in str(await everything(matching))
    assert (await put(matching, seen='"1"', offers=["go"])).status_code == 412


@pytest.mark.parametrize(
    ("said", "field"),
    [
        pytest.param({"avoid": ["ann"]}, "avoid", id="nobody can avoid themselves"),
        pytest.param({"avoid": [f"p-{n}" for n in range(51)]}, "avoid", id="at most fifty"),
        pytest.param({"avoid": ["a b"]}, "avoid", id="an id has no spaces"),
        pytest.param({"wishes": "x" * 501}, "wishes", id="at most 500 characters"),
        pytest.param({"about": "one\u0007two"}, "about", id="no control characters"),
        pytest.param({"roles": ["manager"]}, "roles", id="no role there is not"),
        pytest.param({"roles": ["mentee"], "capacity": 2}, "capacity", id="no places of no mentor"),
        pytest.param({"capacity": 51}, "capacity", id="no more places than HR could give"),
        pytest.param({"goals": ["Python!"]}, "goals", id="codes alone"),
        pytest.param({"languages": ["English"]}, "languages", id="language tags alone"),
        pytest.param(
            {"hours": [{"weekday": 8, "from_minute": 0, "until_minute": 60}]}, "hours", id="weekday"
        ),
        pytest.param({"gender": "x"}, "gender", id="nothing nobody asked for"),
    ],
)
async def test_what_cannot_be_said_is_named(
    matching: Matching, said: dict[str, Any], field: str
) -> None:
    await matching.hears(mentor("ann"))

    answer = await put(matching, **said)

    assert answer.status_code == 422
    assert field in answer.text
    assert (await read(matching)).headers["ETag"] == '"0"'


async def test_who_is_not_there_has_no_profile(matching: Matching) -> None:
    assert (await read(matching)).status_code == 404
    assert (await put(matching, offers=["rust"])).status_code == 404


async def test_a_profile_is_one_tenants_own(matching: Matching) -> None:
    await matching.hears(mentor("ann"))
    await put(matching, offers=["rust"])

    other = await matching.get(PLACE, "ann", "participant", tenant="globex")

    assert other.status_code == 404


async def test_whom_one_avoids_is_in_no_other_answer_no_fact_and_no_log(
    matching: Matching,
) -> None:
    await matching.hears(mentor("ann", capacity=2), mentee("ben"))
    with capture_logs() as logs:
        answer = await put(matching, "ben", avoid=[SECRET], about="quiet words")
        await matching.match()
        seen = [
            (await matching.get(path, who, role)).text
            for who, role in (("boss", "manager"), ("ann", "participant"), ("bot", "service"))
            for path in ("/v1/people", "/v1/people/ben", "/v1/people/ann", PLACE, "/v1/pairs")
        ]

    told = [*seen, str(logs), *(each.fact.model_dump_json() for each in await matching.announced())]
    assert (answer.json()["avoid"], len(told)) == ([SECRET], 17)
    assert [each for each in told if SECRET in each or "quiet words" in each] == []


async def test_who_is_paused_is_proposed_to_nobody(matching: Matching) -> None:
    await matching.hears(mentor("ann"), mentee("ben"))
    await put(matching, "ben", paused=True)
    assert (await matching.match())["proposed"] == []

    await put(matching, "ben", seen='"1"', paused=False)
    assert len((await matching.match())["proposed"]) == 1
