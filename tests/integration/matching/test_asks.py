"""People ask each other: what is announced, every refusal, and what a refusal does not tell."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.matching.sweeper import sweep
from shared.events.matching import PairAccepted, PairExpired, PairProposed
from shared.events.people import PersonLeaveStarted, PersonLeft
from shared.ids import PersonId
from shared.postgres.tenancy import act_for_all
from tests.integration.matching.conftest import (
    ACME,
    START,
    Matching,
    caller,
    days,
    mentee,
    mentor,
)

pytestmark = pytest.mark.stack
ASKS = "/v1/programmes/spring/asks"
WEEK = days(7)


async def programme(matching: Matching, is_open: bool = True, **settings: Any) -> None:
    """The programme "spring", made or changed."""
    headers = caller("boss", "manager", ACME)
    seen = await matching.get("/v1/programmes/spring")
    if seen.status_code == 200:
        headers["If-Match"] = seen.headers["ETag"]
    body = {"name": "Spring", "is_open": is_open, "settings": settings}
    answer = await matching.http.put("/v1/programmes/spring", json=body, headers=headers)
    assert answer.status_code == 200, answer.text


async def ask(
    matching: Matching, who: str = "ben", key: str | None = None, **whom: str
) -> httpx.Response:
    headers = caller(who, "participant", ACME) | ({"Idempotency-Key": key} if key else {})
    return await matching.http.post(ASKS, json=whom or {"mentor_id": "ann"}, headers=headers)


async def asked(matching: Matching, who: str = "ben", **whom: str) -> str:
    """The path of an ask that was made."""
    answer = await ask(matching, who, **whom)
    assert answer.status_code == 201, answer.text
    return f"/v1/pairs/{answer.json()['pair_id']}"


async def people(matching: Matching, **settings: Any) -> None:
    await matching.hears(mentor("ann"), mentor("una"), mentee("ben"), mentee("tom"))
    await programme(matching, **settings)


async def avoiding(matching: Matching, person: str, avoided: str) -> None:
    async with matching.pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        await conn.execute(
            """INSERT INTO profile (tenant, person_id, revision, avoid, changed_at)
               VALUES ('acme', $1, 1, ARRAY[$2], $3)""",
            person,
            avoided,
            START,
        )


async def excluding(matching: Matching, one: str, other: str) -> None:
    async with matching.pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        await conn.execute(
            "INSERT INTO exclusion (tenant, programme_id, one, other) VALUES ('acme', $1, $2, $3)",
            "spring",
            *sorted((one, other)),
        )


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rsplit(":", 1)[1]


async def test_an_ask_is_a_proposal_with_the_askers_yes(matching: Matching) -> None:
    await people(matching)

    answer = await ask(matching)

    pair = answer.json()
    assert (answer.status_code, answer.headers["ETag"]) == (201, '"1"')
    assert (pair["state"], pair["asked_by"], pair["you_accepted"]) == ("proposed", "ben", True)
    assert pair["answer_until"] == "2026-03-09T09:00:00Z"
    assert [reason["code"] for reason in pair["reasons"]] == [
        "shared_goals",
        "related_experience",
        "shared_languages",
        "shared_hours",
    ]
    proposed, yes = (event.fact for event in await matching.announced())
    assert isinstance(proposed, PairProposed)
    assert (proposed.asked_by, proposed.answer_until) == ("ben", START + WEEK)
    assert sum(ground.weight for ground in proposed.grounds) == pytest.approx(proposed.fit)
    assert isinstance(yes, PairAccepted)
    assert yes.by == "ben"


async def test_the_others_yes_makes_the_pair(matching: Matching) -> None:
    await people(matching)
    path = await asked(matching)

    seen = (await matching.get(path, "ann", "participant")).json()
    answer = await matching.post(f"{path}/accept", as_="ann")

    assert (seen["asked_by"], seen["you_accepted"]) == ("ben", False)
    assert answer.json()["state"] == "accepted"
    assert (await matching.post(f"{path}/start", as_="ben")).json()["state"] == "started"


async def test_a_mentor_asks_a_mentee(matching: Matching) -> None:
    await people(matching)
    path = await asked(matching, "ann", mentee_id="ben")

    assert (await matching.post(f"{path}/accept", as_="ben")).json()["state"] == "accepted"


async def test_after_a_no_one_asks_somebody_else_and_never_the_same_again(
    matching: Matching,
) -> None:
    await people(matching)
    path = await asked(matching)
    answer = await matching.post(f"{path}/decline", as_="ann")
    assert (answer.json()["state"], answer.json()["end_reason"]) == ("declined", None)

    assert refusal(await ask(matching)) == (409, "cannot-be-asked")
    assert refusal(await ask(matching, "ann", mentee_id="ben")) == (409, "cannot-be-asked")
    assert (await ask(matching, mentor_id="una")).status_code == 201


async def test_an_ask_without_an_answer_ends_and_another_is_asked_at_once(
    matching: Matching,
) -> None:
    await people(matching)
    path = await asked(matching)
    matching.clock.at = START + WEEK

    # No sweeper has come: the ask of somebody else closes what time has closed.
    assert (await ask(matching, mentor_id="una")).status_code == 201

    assert (await matching.get(path)).json()["state"] == "expired"
    (over,) = [
        (event.occurred_at, event.fact.reason)
        for event in await matching.announced()
        if isinstance(event.fact, PairExpired)
    ]
    assert over == (START + WEEK, "not_answered")
    assert await sweep(matching.pool, START + WEEK) == 0


async def test_a_mentors_place_that_time_gave_back_can_be_asked_for(matching: Matching) -> None:
    await people(matching)
    await asked(matching)
    matching.clock.at = START + WEEK

    assert (await ask(matching, "tom")).status_code == 201


async def test_an_ask_is_taken_back_by_who_asked_and_nobody_else(matching: Matching) -> None:
    await people(matching)
    path = await asked(matching)

    assert (await matching.post(f"{path}/withdraw", as_="ann")).status_code == 403
    assert (await matching.post(f"{path}/withdraw", role="manager")).status_code == 403
    own = await matching.post(f"{path}/decline", as_="ben")
    assert (own.status_code, own.json()["allowed"]) == (409, ["withdraw"])
    back = [await matching.post(f"{path}/withdraw", as_="ben") for _ in range(2)]

    assert [answer.json()["state"] for answer in back] == ["withdrawn", "withdrawn"]
    (fact,) = [e.fact for e in await matching.announced() if isinstance(e.fact, PairExpired)]
    assert fact.reason == "withdrawn"
    assert (await matching.post(f"{path}/accept", as_="ann")).status_code == 409
    assert (await ask(matching)).status_code == 201, "thinking better of it bars nothing"


async def test_an_answered_ask_is_not_taken_back(matching: Matching) -> None:
    await people(matching)
    path = await asked(matching)
    await matching.post(f"{path}/accept", as_="ann")

    answer = await matching.post(f"{path}/withdraw", as_="ben")
    assert refusal(answer) == (409, "pair-moved-on")
    assert answer.json()["allowed"] == ["decline", "start", "rematch"]


async def test_one_at_a_time_and_told_what_is_open(matching: Matching) -> None:
    await people(matching)
    path = await asked(matching)

    answer = await ask(matching, mentor_id="una")

    assert refusal(answer) == (409, "one-at-a-time")
    assert path.rsplit("/", 1)[1] in answer.json()["detail"]
    assert answer.json()["allowed"] == ["withdraw"]


async def test_that_somebody_has_a_mentor_is_not_told_to_who_asks_them(matching: Matching) -> None:
    await people(matching)
    await asked(matching)
    assert refusal(await ask(matching, "una", mentee_id="ben")) == (409, "cannot-be-asked")


async def test_no_free_place_comes_with_the_wait(matching: Matching) -> None:
    await people(matching)
    await asked(matching)

    answer = await ask(matching, "tom")

    assert refusal(answer) == (409, "no-free-place")
    assert "too early to say how long the wait is" in answer.json()["detail"]
    assert refusal(await ask(matching, "ann", mentee_id="tom")) == (409, "no-free-place")


async def _cannot_be_asked(matching: Matching, case: str) -> None:
    match case:
        case "unknown":
            pass
        case "takes no part":
            await matching.hears(mentor("vic", participation=None))
        case "no mentor":
            await matching.hears(mentee("vic"))
        case "away":
            away = {"person_id": "vic", "leave_id": "l", "started_on": START.date()}
            await matching.hears(mentor("vic"), PersonLeaveStarted.model_validate(away))
        case "left":
            await matching.hears(mentor("vic"))
            gone = PersonLeft(person_id=PersonId("vic"), left_on=START.date())
            await matching.hears(gone, at=START + timedelta(hours=1))
        case "manager":
            await matching.hears(mentor("vic"))
            await matching.hears(mentee("ben", manager_id="vic"), at=START + timedelta(hours=1))
        case "no common language":
            await matching.hears(mentor("vic", languages=["fi"]))
        case "they avoid the asker":
            await matching.hears(mentor("vic"))
            await avoiding(matching, "vic", "ben")
        case "the asker avoids them":
            await matching.hears(mentor("vic"))
            await avoiding(matching, "ben", "vic")
        case "HR wants them kept apart":
            await matching.hears(mentor("vic"))
            await excluding(matching, "ben", "vic")
        case "avoids and is full":
            await matching.hears(mentor("vic", capacity=0))
            await avoiding(matching, "vic", "ben")


CASES = (
    "unknown",
    "takes no part",
    "no mentor",
    "away",
    "left",
    "manager",
    "no common language",
    "they avoid the asker",
    "the asker avoids them",
    "HR wants them kept apart",
    "avoids and is full",
)


@pytest.mark.parametrize("case", CASES)
async def test_whatever_the_cause_who_cannot_be_asked_gets_the_same_words(
    matching: Matching, case: str
) -> None:
    await people(matching)
    await _cannot_be_asked(matching, case)

    answer = await ask(matching, mentor_id="vic")

    assert answer.status_code == 409
    assert answer.json() == {
        "type": "urn:trustfold:problem:cannot-be-asked",
        "title": "cannot be asked",
        "status": 409,
        "detail": "This person cannot be asked: ask somebody else.",
    }
    assert await matching.announced() == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({}, "body", id="nobody"),
        pytest.param({"mentor_id": "ann", "mentee_id": "tom"}, "body", id="both"),
        pytest.param({"mentor_id": "a b"}, "body.mentor_id", id="no id"),
        pytest.param({"mentor_id": "ann", "words": "please"}, "body.words", id="words"),
        pytest.param({"mentor_id": "ben"}, "mentor_id", id="oneself"),
    ],
)
async def test_a_bad_ask_is_told_which_field(
    matching: Matching, body: dict[str, str], field: str
) -> None:
    await people(matching)
    answer = await matching.post(ASKS, body, as_="ben")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_who_takes_no_part_asks_nobody(matching: Matching) -> None:
    await people(matching)
    assert refusal(await ask(matching, "nobody")) == (409, "takes-no-part")
    assert refusal(await ask(matching, "ann", mentor_id="una")) == (409, "takes-no-part")
    await programme(matching, org_units=["labs"])
    assert refusal(await ask(matching)) == (409, "takes-no-part")


async def test_a_closed_programme_and_one_that_is_none(matching: Matching) -> None:
    await people(matching)
    nowhere = await matching.post("/v1/programmes/autumn/asks", {"mentor_id": "ann"}, as_="ben")
    assert nowhere.status_code == 404
    await programme(matching, is_open=False)
    assert refusal(await ask(matching)) == (409, "programme-closed")


async def test_rules_of_the_programme_hold_for_asks(matching: Matching) -> None:
    await matching.hears(
        mentor("ann", grade=3), mentor("una", grade=9), mentee("ben", grade=3, manager_id="kim")
    )
    await matching.hears(mentor("kim", manager_id="una", grade=9))
    await programme(matching, rules={"min_grade_gap": 2, "report_line": True})

    assert refusal(await ask(matching, mentor_id="ann")) == (409, "cannot-be-asked")
    assert refusal(await ask(matching, mentor_id="una")) == (409, "cannot-be-asked")


async def test_a_programmes_cap_counts(matching: Matching) -> None:
    await matching.hears(mentor("ann", capacity=5), mentee("ben"), mentee("tom"))
    await programme(matching, max_capacity=1)
    await asked(matching)

    assert refusal(await ask(matching, "tom")) == (409, "no-free-place")


async def test_a_retry_asks_once(matching: Matching) -> None:
    await people(matching)

    answers = await asyncio.gather(*(ask(matching, key="k1") for _ in range(4)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["pair_id"] for answer in answers}) == 1
    assert await matching.announced_types() == ["pair.proposed", "pair.accepted"]
    assert refusal(await ask(matching, key="k1", mentor_id="una")) == (409, "key-reused")


async def test_two_who_ask_for_the_last_place_at_once(matching: Matching) -> None:
    await matching.hears(mentor("ann"), *(mentee(f"n{n}") for n in range(6)))
    await programme(matching)

    answers = await asyncio.gather(*(ask(matching, f"n{n}") for n in range(6)))

    assert sorted(refusal(a)[1] for a in answers if a.status_code != 201) == ["no-free-place"] * 5
    assert await matching.kept("SELECT count(*) FROM pair WHERE state = 'proposed'") == 1


async def test_a_mentee_who_asks_two_at_once_has_one_ask(matching: Matching) -> None:
    await people(matching)

    answers = await asyncio.gather(*(ask(matching, mentor_id=who) for who in ("ann", "una")))

    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_an_ask_and_a_run_at_once_take_a_place_once(matching: Matching) -> None:
    await matching.hears(mentor("ann"), mentee("ben"), mentee("tom"))
    await programme(matching)

    await asyncio.gather(ask(matching, "tom"), matching.match())

    assert await matching.kept("SELECT count(*) FROM pair WHERE state = 'proposed'") == 1


async def test_another_tenants_people_cannot_be_asked(matching: Matching) -> None:
    await people(matching)
    await matching.hears(mentor("vic"), tenant="globex")  # type: ignore[arg-type]
    assert refusal(await ask(matching, mentor_id="vic")) == (409, "cannot-be-asked")
