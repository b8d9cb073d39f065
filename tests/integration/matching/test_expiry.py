"""Proposals that nobody answers: over to the minute, whoever comes to write it down, and when."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.matching.sweeper import sweep
from shared.events.matching import PairExpired
from shared.events.people import PersonLeft
from shared.ids import PersonId
from shared.postgres.tenancy import act_for_all
from tests.integration.matching.conftest import ACME, START, Matching, days, mentee, mentor
from tests.support.callers import as_

pytestmark = pytest.mark.stack
UNTIL = START + days(14)
MOMENT = timedelta(microseconds=1)


async def proposed(matching: Matching, until: datetime = UNTIL) -> str:
    """The path of a proposal that is over at `until`."""
    path = await matching.proposed_pair()
    await kept(matching, path, until)
    return path


async def kept(matching: Matching, path: str, until: datetime) -> None:
    async with matching.pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        pair_id = path.rsplit("/", 1)[1]
        await conn.execute("UPDATE pair SET answer_until = $2 WHERE pair_id = $1", pair_id, until)


async def several(matching: Matching, number: int) -> list[str]:
    """Proposals that are over a day apart, the last one first."""
    await matching.hears(*(mentor(f"m{n:02}") for n in range(number)))
    await matching.hears(*(mentee(f"n{n:02}") for n in range(number)))
    found = (await matching.match())["proposed"]
    paths = [f"/v1/pairs/{pair['pair_id']}" for pair in found]
    for n, path in enumerate(paths):
        await kept(matching, path, UNTIL + days(number - n))
    return paths


async def expired(matching: Matching) -> list[tuple[str, datetime, datetime]]:
    """Of what was announced as expired: the pair, when it was over, and the date of the fact."""
    return [
        (str(event.fact.pair_id), event.fact.expired_at, event.occurred_at)
        for event in await matching.announced()
        if isinstance(event.fact, PairExpired)
    ]


async def only(matching: Matching) -> tuple[PairExpired, datetime]:
    """The one proposal that was announced as over, and the date of the fact."""
    (found,) = [
        (event.fact, event.occurred_at)
        for event in await matching.announced()
        if isinstance(event.fact, PairExpired)
    ]
    return found


async def test_a_proposal_nobody_answered_is_over_when_its_time_is_and_not_before(
    matching: Matching,
) -> None:
    path = await proposed(matching)

    assert await sweep(matching.pool, UNTIL - MOMENT) == 0
    assert await sweep(matching.pool, UNTIL) == 1
    assert await sweep(matching.pool, UNTIL) == 0

    pair = (await matching.get(path)).json()
    assert (pair["state"], pair["end_reason"]) == ("expired", "not_answered")
    fact, at = await only(matching)
    assert (at, fact.reason) == (UNTIL, "not_answered")


async def test_a_proposal_is_over_though_no_sweeper_has_come(matching: Matching) -> None:
    path = await proposed(matching)
    matching.clock.at = UNTIL

    for move in ("accept", "decline", "start"):
        answer = await matching.post(f"{path}/{move}", as_="ann")
        assert (answer.status_code, answer.json()["allowed"]) == (409, [])
    read = (await matching.get(path)).json()
    listed = (await matching.get("/v1/pairs?state=expired")).json()["pairs"]
    open_ = (await matching.get("/v1/pairs?state=proposed")).json()["pairs"]

    assert (read["state"], read["ended_at"]) == ("expired", "2026-03-16T09:00:00Z")
    assert [pair["state"] for pair in listed] == ["expired"]
    assert open_ == []


async def test_a_yes_in_the_last_moment_counts(matching: Matching) -> None:
    path = await proposed(matching)
    matching.clock.at = UNTIL - MOMENT
    for member in ("ann", "ben"):
        assert (await matching.post(f"{path}/accept", as_=member)).status_code == 200

    assert await sweep(matching.pool, UNTIL + days(30)) == 0
    assert (await matching.get(path)).json()["state"] == "accepted"


async def test_one_yes_is_no_answer(matching: Matching) -> None:
    path = await proposed(matching)
    await matching.post(f"{path}/accept", as_="ann")

    assert await sweep(matching.pool, UNTIL) == 1
    assert (await matching.get(path)).json()["state"] == "expired"


async def test_what_is_published_does_not_depend_on_when_it_is_swept(matching: Matching) -> None:
    paths = await several(matching, 5)
    await sweep(matching.pool, UNTIL + days(2))
    await sweep(matching.pool, UNTIL + days(90))

    found = await expired(matching)
    ids = [path.rsplit("/", 1)[1] for path in reversed(paths)]
    dates = [UNTIL + days(n + 1) for n in range(5)]
    assert found == list(zip(ids, dates, dates, strict=True))


async def test_batches_come_to_the_same_and_a_killed_one_leaves_no_half(
    matching: Matching, monkeypatch: pytest.MonkeyPatch
) -> None:
    await several(matching, 5)
    late = UNTIL + days(90)

    async def dies(*_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("services.matching.sweeper.STEPS", (*_steps(), dies))
    with pytest.raises(KeyboardInterrupt):
        await sweep(matching.pool, late, 2)
    assert await expired(matching) == []
    monkeypatch.undo()

    assert [await sweep(matching.pool, late, 2) for _ in range(4)] == [2, 2, 1, 0]
    assert len(await expired(matching)) == 5


def _steps() -> tuple[Any, ...]:
    from services.matching import sweeper

    return sweeper.STEPS


async def test_two_sweepers_at_once_announce_once(matching: Matching) -> None:
    await several(matching, 6)

    await asyncio.gather(*(sweep(matching.pool, UNTIL + days(90)) for _ in range(4)))
    await sweep(matching.pool, UNTIL + days(90))

    assert len(await expired(matching)) == 6


async def test_whoever_is_answering_is_not_waited_for(matching: Matching) -> None:
    paths = await several(matching, 2)
    async with matching.pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        pair_id = paths[0].rsplit("/", 1)[1]
        await conn.execute("SELECT FROM pair WHERE pair_id = $1 FOR UPDATE", pair_id)
        assert await sweep(matching.pool, UNTIL + days(90)) == 1

    assert await sweep(matching.pool, UNTIL + days(90)) == 1


async def test_an_expired_proposal_frees_both_for_others(matching: Matching) -> None:
    await proposed(matching)
    await matching.hears(mentor("una"), mentee("tom"))
    matching.clock.at = UNTIL
    await sweep(matching.pool, UNTIL)

    again = (await matching.match())["proposed"]

    together = {(p["mentor"]["person_id"], p["mentee"]["person_id"]) for p in again}
    assert together == {("ann", "tom"), ("una", "ben")}


async def test_who_leaves_takes_their_proposals_with_them(matching: Matching) -> None:
    path = await proposed(matching)
    await matching.hears(PersonLeft(person_id=PersonId("ann"), left_on=START.date()))

    assert (await only(matching))[0].reason == "person_left"
    assert (await matching.get(path)).json()["state"] == "withdrawn"


async def test_a_leaver_whose_proposal_was_over_before_did_not_let_it_down(
    matching: Matching,
) -> None:
    await proposed(matching)
    matching.clock.at = UNTIL + days(1)
    await matching.hears(PersonLeft(person_id=PersonId("ann"), left_on=START.date()))

    fact, _ = await only(matching)
    assert (fact.reason, fact.expired_at) == ("not_answered", UNTIL)


async def test_the_sweeper_runs_with_the_service(matching: Matching) -> None:
    path = await proposed(matching)
    matching.clock.at = UNTIL
    (loop,) = [each for each in matching.service.loops if each.name == "sweeper"]

    assert await loop.step() == 1
    assert (await matching.get(path)).json()["state"] == "expired"


async def test_old_requests_are_forgotten(matching: Matching) -> None:
    path = await proposed(matching)
    headers = as_("ann", tenant=ACME) | {"Idempotency-Key": "once"}
    assert (await matching.http.post(f"{path}/accept", headers=headers)).status_code == 200

    await sweep(matching.pool, START + days(7))
    assert await matching.kept("SELECT count(*) FROM request") == 1
    await sweep(matching.pool, START + days(7) + MOMENT)
    assert await matching.kept("SELECT count(*) FROM request") == 0
