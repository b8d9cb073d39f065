"""The expected wait over HTTP: from what happened in a programme, and never in a person's pairs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from services.matching.engine.waiting import Answer, Came, History, Opening
from services.matching.queries import programmes, waits
from shared.events.people import PersonLeft
from shared.ids import PersonId, ProgrammeId, new_id
from shared.postgres.tenancy import act_for_all, reading_for
from tests.integration.matching.conftest import (
    ACME,
    START,
    Matching,
    caller,
    days,
    mentee,
    mentor,
)
from tests.integration.matching.test_asks import ask, asked, avoiding, people, programme
from tests.support.callers import as_

pytestmark = pytest.mark.stack
WAIT = "/v1/programmes/spring/wait"
WAITING = "/v1/programmes/spring/waiting"
NOW = START + days(100)


async def pair(matching: Matching, mentor_id: str, at: datetime, state: str, **more: Any) -> None:
    """A pair of long ago, as it is kept."""
    row = {
        "tenant": ACME,
        "pair_id": new_id(),
        "programme_id": "spring",
        "mentor_id": mentor_id,
        "mentee_id": f"someone-{new_id().hex[-8:]}",
        "state": state,
        "fit_permille": 500,
        "reasons": "[]",
        "proposed_at": at,
        "answer_until": at + days(7),
        **more,
    }
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    async with matching.pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        statement = f"INSERT INTO pair ({', '.join(row)}) VALUES ({places})"
        await conn.execute(statement, *row.values())


async def ninety_days(matching: Matching, mentors: int = 6) -> None:
    """Every third day somebody says yes after two days, and a pair ends; every ninth, a no."""
    await matching.hears(*(mentor(f"m{n}") for n in range(mentors)), mentee("ben"), mentee("tom"))
    await programme(matching)
    for day in range(1, 90, 3):
        at = NOW - days(90) + days(day)
        who = f"m{day // 3 % mentors}"
        yes = {"accepted_at": at + days(2), "started_at": at + days(2), "ended_at": at + days(3)}
        await pair(matching, who, at, "ended", end_reason="completed", **yes)
        if day % 9 == 1:
            await pair(matching, who, at, "declined", ended_at=at + days(1))
    matching.clock.at = NOW


async def history(matching: Matching) -> History:
    async with reading_for(matching.pool, ACME) as conn:
        found = await programmes.find(conn, ACME, ProgrammeId("spring"))
        assert found is not None
        return await waits.history(conn, found, matching.clock.now())


async def test_a_new_programme_says_that_it_is_too_early_to_say(matching: Matching) -> None:
    await people(matching)

    mine = (await matching.get(WAIT, "ben", "participant")).json()
    all_ = (await matching.get(WAITING)).json()

    assert mine["open_pair_id"] is None
    assert (mine["wait"]["too_early_to_say"], mine["wait"]["median_days"]) == (True, None)
    assert all_["wait"] == mine["wait"]
    assert (all_["people_waiting"], all_["free_places"]) == (2, 2)
    assert (all_["oldest_since"], all_["oldest_days"]) == ("2026-03-02T09:00:00Z", 0)


async def test_a_wait_is_worked_out_from_ninety_days(matching: Matching) -> None:
    await ninety_days(matching)

    mine = (await matching.get(WAIT, "ben", "participant")).json()["wait"]

    # A place is free: all that is waited for is answers, of which three of four are a yes.
    assert (mine["low_days"], mine["median_days"], mine["high_days"]) == (1, 2, 4)
    assert mine["words"].startswith("Half of those who wait have a yes within 2 days")


async def test_where_nobody_has_a_place_the_wait_is_longer_and_a_refusal_says_it(
    matching: Matching,
) -> None:
    await ninety_days(matching)
    for n in range(6):
        await matching.hears(mentee(f"x{n}"))
        await asked(matching, f"x{n}", mentor_id=f"m{n}")

    mine = (await matching.get(WAIT, "ben", "participant")).json()["wait"]
    all_ = (await matching.get(WAITING)).json()
    refused = await ask(matching, mentor_id="m1")

    assert mine["median_days"] > 3
    assert all_["wait"] == mine
    assert (all_["people_waiting"], all_["free_places"]) == (2, 0)
    assert refused.status_code == 409
    assert refused.json()["detail"].endswith(mine["words"])


async def test_four_mentors_are_too_few_to_speak_of(matching: Matching) -> None:
    await ninety_days(matching, mentors=4)
    mine = (await matching.get(WAIT, "ben", "participant")).json()["wait"]
    assert mine["too_early_to_say"] is True


async def test_what_is_counted_is_what_happened(matching: Matching) -> None:
    await matching.hears(mentor("ann", capacity=3), mentor("una"), mentee("ben"))
    await programme(matching)
    day = START + days(10)
    await pair(matching, "ann", day, "started", accepted_at=day + days(1), started_at=day + days(1))
    await pair(matching, "ann", day, "declined", ended_at=day + days(2))
    await pair(matching, "una", day, "withdrawn", ended_at=day + days(3), end_reason="withdrawn")
    await pair(matching, "una", day, "proposed")
    await pair(matching, "gone", day, "declined", ended_at=day + days(2))
    later = day + days(20)
    await pair(matching, "ann", later, "proposed")
    matching.clock.at = later + days(1)
    # A mentor who would take on two more, and one who would not.
    await matching.hears(mentor("ann", capacity=5), mentor("una", capacity=0))

    found = await history(matching)

    assert (found.days, found.limit_days, found.mentors) == (31.0, 7.0, 3)
    # The no, what was taken back, what nobody answered; nothing for a mentor who is not there.
    assert sorted(found.openings) == [Opening(12.0, 1.0), Opening(31.0, 2.0)]
    assert sorted(found.answers) == [
        Answer(1.0, Came.YES, True, 1),
        Answer(1.0, Came.OPEN, False, 1),
        Answer(2.0, Came.NO, True, 2),
        Answer(3.0, Came.LOST, True, 1),
        Answer(7.0, Came.LOST, True, 1),
    ]


async def test_a_mentor_who_joins_opens_places_and_programmes_share_them(
    matching: Matching,
) -> None:
    await programme(matching)
    matching.clock.at = START + days(30)
    await matching.hears(mentor("ann", capacity=3))
    assert (await history(matching)).openings == [Opening(30.0, 3.0)]

    headers = as_("boss", "manager", tenant=ACME)
    for name, units in (("autumn", []), ("labs", ["labs"])):
        body = {"name": name, "settings": {"org_units": units}}
        url = f"/v1/programmes/{name}"
        assert (await matching.http.put(url, json=body, headers=headers)).status_code == 200
    assert (await history(matching)).openings == [Opening(30.0, 1.5)]


async def test_places_count_once_however_often_hr_tells_of_them(matching: Matching) -> None:
    await programme(matching)
    for day in (10, 11, 12):
        await matching.hears(mentor("ann", capacity=2), at=START + days(day))
    await matching.hears(mentor("ann", capacity=1), at=START + days(13))
    await matching.hears(mentor("ann", capacity=2), at=START + days(14))
    matching.clock.at = START + days(30)

    assert sorted((await history(matching)).openings) == [Opening(10.0, 2.0), Opening(14.0, 1.0)]


async def test_what_a_mentor_says_of_themselves_opens_places_too(matching: Matching) -> None:
    await programme(matching)
    await matching.hears(mentor("ann", capacity=2))
    headers = caller("ann", "participant", ACME)
    for day, profile in ((10, {"capacity": 5}), (11, {"capacity": 5, "paused": True})):
        matching.clock.at = START + days(day)
        seen = (await matching.get("/v1/me/profile", "ann", "participant")).headers.get("ETag")
        known = headers | ({"If-Match": seen} if seen else {})
        answer = await matching.http.put("/v1/me/profile", json=profile, headers=known)
        assert answer.is_success, answer.text
    counted = "SELECT sum(places) FROM participation"
    assert await matching.kept(counted) == 0
    seen = (await matching.get("/v1/me/profile", "ann", "participant")).headers["ETag"]
    url, known = "/v1/me/profile", headers | {"If-Match": seen}
    assert (await matching.http.delete(url, headers=known)).is_success

    assert await matching.kept(counted) == 2
    matching.clock.at = START + days(30)
    assert Opening(10.0, 3.0) in (await history(matching)).openings


async def test_what_lies_before_ninety_days_is_forgotten(matching: Matching) -> None:
    await people(matching)
    await pair(matching, "ann", START + days(1), "declined", ended_at=START + days(2))
    matching.clock.at = START + days(92)
    found = await history(matching)
    assert (found.days, found.openings, found.answers) == (90.0, [], [])


async def test_who_has_something_open_waits_for_nothing_else(matching: Matching) -> None:
    await people(matching)
    path = await asked(matching)

    mine = (await matching.get(WAIT, "ben", "participant")).json()
    assert mine == {"wait": None, "open_pair_id": path.rsplit("/", 1)[1]}

    matching.clock.at = START + days(7)
    assert (await matching.get(WAIT, "ben", "participant")).json()["open_pair_id"] is None


async def test_the_oldest_wait_goes_on_through_what_came_to_nothing(matching: Matching) -> None:
    await people(matching)
    for who, end in (("ben", "declined"), ("tom", "completed")):
        matching.clock.at = START + days(5)
        path = await asked(matching, who, mentor_id="ann" if who == "ben" else "una")
        mentor_id = "ann" if who == "ben" else "una"
        if end == "declined":
            await matching.post(f"{path}/decline", as_=mentor_id)
            continue
        await matching.post(f"{path}/accept", as_=mentor_id)
        await matching.post(f"{path}/start", as_=mentor_id)
        matching.clock.at = START + days(40)
        await matching.post(f"{path}/end", {"reason": "completed"}, as_=mentor_id)
    matching.clock.at = START + days(50)

    assert (await matching.get(WAITING)).json()["oldest_days"] == 50
    left = PersonLeft(person_id=PersonId("ben"), left_on=START.date())
    await matching.hears(left, at=START + days(49))
    found = (await matching.get(WAITING)).json()
    assert (found["people_waiting"], found["oldest_days"]) == (1, 10)


async def test_who_may_read_what(matching: Matching) -> None:
    await people(matching)
    assert (await matching.get(WAITING, "ben", "participant")).status_code == 403
    assert (await matching.get(WAIT, "ann", "participant")).status_code == 404
    assert (await matching.get(WAIT, "nobody", "participant")).status_code == 404
    assert (await matching.get(WAITING, tenant="globex")).status_code == 404
    assert (
        await matching.get("/v1/programmes/autumn/wait", "ben", "participant")
    ).status_code == 404


async def test_only_mentors_one_may_meet_are_counted_as_free(matching: Matching) -> None:
    await ninety_days(matching)
    for n in range(6):
        await avoiding(matching, f"m{n}", "ben")

    mine = (await matching.get(WAIT, "ben", "participant")).json()["wait"]
    toms = (await matching.get(WAIT, "tom", "participant")).json()["wait"]

    assert toms["median_days"] == 2
    assert mine["median_days"] > toms["median_days"]
