"""Two stages over HTTP: everybody is shown a few and ranks them; nobody else reads it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.matching.domain.ranking import RankingOpen, Ranks
from services.matching.handlers import rankings as commands
from services.matching.queries import programmes, rankings
from services.matching.sweeper import sweep
from shared.errors import NotFound
from shared.events.matching import RankingClosed, RankingRequested
from shared.events.people import PersonErased, PersonLeft
from shared.ids import PersonId, ProgrammeId, new_id
from shared.postgres.tenancy import reading_for
from tests.integration.matching.conftest import (
    ACME,
    START,
    Matching,
    caller,
    days,
    mentee,
    mentor,
)
from tests.integration.matching.test_asks import asked, avoiding, excluding, programme

pytestmark = pytest.mark.stack
MINE = "/v1/me/ranking"
ROUNDS = "/v1/programmes/spring/rankings"
UNTIL = START + days(7)


async def world(matching: Matching, mentors: int = 3, mentees: int = 3, **settings: Any) -> None:
    """Mentors m0.. and mentees n0..; the lower the number, the more goals they have in common."""
    goals = ["python", "sql", "law", "art"]
    for n in range(mentors):
        part = {"roles": ["mentor"], "capacity": 2, "offers": goals[: len(goals) - n % 4]}
        await matching.hears(mentor(f"m{n}", participation=part))
    for n in range(mentees):
        part = {"roles": ["mentee"], "goals": goals}
        await matching.hears(mentee(f"n{n}", participation=part))
    await programme(matching, **settings)


async def opened(matching: Matching) -> dict[str, Any]:
    """A round whose lists have been made."""
    answer = await matching.post(ROUNDS, role="manager")
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "preparing"
    assert await commands.prepare(matching.pool) == 1
    found: dict[str, Any] = (
        await matching.get(f"/v1/rankings/{answer.json()['ranking_id']}")
    ).json()
    return found


async def list_of(matching: Matching, who: str) -> list[str]:
    answer = await matching.get(MINE, who, "participant")
    assert answer.status_code == 200, answer.text
    return [each["person_id"] for each in answer.json()["people"]]


async def rank(
    matching: Matching, who: str, *order: str, seen: str | None = None, **more: Any
) -> httpx.Response:
    headers = caller(who, "participant", ACME) | ({"If-Match": seen} if seen else {})
    return await matching.http.put(MINE, json={"order": order, **more}, headers=headers)


async def ranks(matching: Matching, ranking_id: str) -> Ranks:
    async with reading_for(matching.pool, ACME) as conn:
        found = await programmes.find(conn, ACME, ProgrammeId("spring"))
        assert found is not None
        return await rankings.ranks(conn, ACME, UUID(ranking_id), found, matching.clock.now())


def pair(mentor_id: str, mentee_id: str) -> tuple[PersonId, PersonId]:
    return PersonId(mentor_id), PersonId(mentee_id)


async def test_a_round_shows_everybody_their_best_and_why(matching: Matching) -> None:
    await world(matching)

    found = await opened(matching)

    assert (found["state"], found["people"], found["ranked"]) == ("open", 6, 0)
    mine = (await matching.get(MINE, "n0", "participant")).json()
    assert (mine["side"], mine["is_open"], mine["ranked_at"]) == ("mentee", True, None)
    assert [each["person_id"] for each in mine["people"]] == ["m0", "m1", "m2"]
    first = mine["people"][0]
    assert (first["display_name"], first["never"]) == ("M0", False)
    assert first["reasons"][0]["words"] == (
        "The mentor offers what the mentee is looking for: art, law, python, sql."
    )
    assert await list_of(matching, "m1") == ["n0", "n1", "n2"]
    facts = [event.fact for event in await matching.announced()]
    assert all(isinstance(fact, RankingRequested) and fact.until == UNTIL for fact in facts)
    assert {fact.person_id for fact in facts if isinstance(fact, RankingRequested)} == {
        *(f"m{n}" for n in range(3)),
        *(f"n{n}" for n in range(3)),
    }


async def test_nobody_is_shown_more_than_ten(matching: Matching) -> None:
    await world(matching, mentors=13, mentees=12, candidates=5)
    await opened(matching)
    assert len(await list_of(matching, "n0")) == 10
    assert len(await list_of(matching, "m0")) == 10


async def test_whoever_is_kept_apart_or_has_a_mentor_is_on_no_list(matching: Matching) -> None:
    await world(matching)
    await avoiding(matching, "m0", "n0")
    await avoiding(matching, "n1", "m1")
    await excluding(matching, "m2", "n1")
    path = await asked(matching, "n2", mentor_id="m2")
    await matching.post(f"{path}/accept", as_="m2")

    await opened(matching)

    assert await list_of(matching, "n0") == ["m1", "m2"]
    assert await list_of(matching, "n1") == ["m0"]
    assert await list_of(matching, "m0") == ["n1"]
    assert (await matching.get(MINE, "n2", "participant")).status_code == 404


async def test_an_order_and_a_never_are_kept_and_can_be_changed(matching: Matching) -> None:
    await world(matching)
    found = await opened(matching)

    answer = await rank(matching, "n0", "m2", never=["m0"])
    assert answer.status_code == 200, answer.text
    assert [(each["person_id"], each["never"]) for each in answer.json()["people"]] == [
        ("m2", False),
        ("m0", True),
        ("m1", False),
    ]
    assert (await matching.get(MINE, "n0", "participant")).json() == answer.json()
    again = await rank(matching, "n0", "m1", "m0", "m2")
    assert [each["never"] for each in again.json()["people"]] == [False] * 3
    assert await list_of(matching, "n0") == ["m1", "m0", "m2"]
    assert (await matching.get(f"/v1/rankings/{found['ranking_id']}")).json()["ranked"] == 1


async def test_what_one_has_not_seen_is_not_overwritten(matching: Matching) -> None:
    await world(matching)
    await opened(matching)
    seen = (await matching.get(MINE, "n0", "participant")).headers["ETag"]
    assert (await rank(matching, "n0", "m2", seen=seen)).status_code == 200
    assert (await rank(matching, "n0", "m1", seen=seen)).status_code == 412


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"order": ["zoe"]}, "order", id="not on the list"),
        pytest.param({"order": ["n1"]}, "order", id="of one's own side"),
        pytest.param({"never": ["zoe"]}, "never", id="a never not on the list"),
        pytest.param({"order": ["m1", "m1"]}, "order", id="twice"),
        pytest.param({"order": ["m1"], "never": ["m1"]}, "never", id="first and never"),
        pytest.param({"order": ["m1"] * 11}, "body.order", id="too many"),
        pytest.param({"words": "please"}, "body.words", id="words"),
    ],
)
async def test_a_bad_order_is_told_which_field(
    matching: Matching, body: dict[str, Any], field: str
) -> None:
    await world(matching)
    await opened(matching)
    answer = await matching.http.put(MINE, json=body, headers=caller("n0", "participant", ACME))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_after_its_time_nothing_is_changed_swept_or_not(matching: Matching) -> None:
    await world(matching)
    found = await opened(matching)
    await rank(matching, "n0", "m2")
    matching.clock.at = UNTIL

    late = await rank(matching, "n0", "m1")

    assert (late.status_code, late.json()["title"]) == (409, "ranking closed")
    assert (await list_of(matching, "n0"))[0] == "m2"
    state = (await matching.get(f"/v1/rankings/{found['ranking_id']}")).json()["state"]
    assert state == "closed"


async def closed(matching: Matching) -> list[tuple[str, datetime]]:
    return sorted(
        (event.fact.person_id, event.occurred_at)
        for event in await matching.announced()
        if isinstance(event.fact, RankingClosed)
    )


async def test_the_sweeper_tells_everybody_once_as_of_the_end(matching: Matching) -> None:
    await world(matching)
    await matching.hears(
        mentor("both", participation={"roles": ["mentor", "mentee"], "capacity": 1})
    )
    await programme(matching, rules={"shared_goal": False})
    await opened(matching)

    while await sweep(matching.pool, UNTIL + days(3), 2):
        pass

    people = sorted(["both", *(f"m{n}" for n in range(3)), *(f"n{n}" for n in range(3))])
    assert await closed(matching) == [(person, UNTIL) for person in people]
    requested = [e for e in await matching.announced() if isinstance(e.fact, RankingRequested)]
    assert len(requested) == len(people)


async def test_a_manager_closes_a_round_early(matching: Matching) -> None:
    await world(matching)
    found = await opened(matching)
    matching.clock.at = START + days(2)
    path = f"/v1/rankings/{found['ranking_id']}/close"
    assert (await matching.post(path, role="participant")).status_code == 403

    answer = await matching.post(path, role="manager")

    assert (answer.json()["state"], answer.json()["until"]) == ("closed", "2026-03-04T09:00:00Z")
    assert (await matching.post(path, role="manager")).json() == answer.json()
    assert (await rank(matching, "n0", "m1")).status_code == 409
    await sweep(matching.pool, START + days(30))
    assert {at for _, at in await closed(matching)} == {START + days(2)}


async def test_one_round_at_a_time(matching: Matching) -> None:
    await world(matching)

    answers = await asyncio.gather(*(matching.post(ROUNDS, role="manager") for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409]

    await commands.prepare(matching.pool)
    matching.clock.at = UNTIL
    assert (await matching.post(ROUNDS, role="manager")).status_code == 202
    states = [each["state"] for each in (await matching.get(ROUNDS)).json()["rankings"]]
    assert states == ["preparing", "closed"]


async def test_a_run_reads_ranks_of_a_closed_round_of_its_programme(matching: Matching) -> None:
    await world(matching)
    ranking_id = (await opened(matching))["ranking_id"]
    await rank(matching, "n0", "m2", "m1", never=["m0"])
    await rank(matching, "m1", "n2", never=["n1"])
    with pytest.raises(RankingOpen):
        await ranks(matching, ranking_id)
    with pytest.raises(NotFound):
        await ranks(matching, str(new_id()))
    matching.clock.at = UNTIL

    found = await ranks(matching, ranking_id)

    assert found[pair("m0", "n0")] is None, "n0 never wants to meet m0"
    assert found[pair("m1", "n1")] is None, "m1 never wants to meet n1"
    assert found[pair("m2", "n0")] == (1, 1)
    assert found[pair("m1", "n0")] == (2, 2)
    assert found[pair("m1", "n2")] == (2, 1), "who did not rank has the order of fit"
    assert found[pair("m2", "n2")] == (3, 3)


async def test_who_is_on_one_list_alone_is_last_on_the_other(matching: Matching) -> None:
    await world(matching, mentors=1, mentees=13)
    ranking_id = (await opened(matching))["ranking_id"]
    matching.clock.at = UNTIL

    found = await ranks(matching, ranking_id)

    assert sorted(each for each in found.values() if each) == sorted(
        [(1, n) for n in range(1, 11)] + [(1, 11)] * 3
    )


async def test_two_workers_make_the_lists_once_and_a_killed_one_leaves_none(
    matching: Matching, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world(matching)
    await matching.post(ROUNDS, role="manager")

    async def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(rankings.Rounds, "save", dies)
        with pytest.raises(KeyboardInterrupt):
            await commands.prepare(matching.pool)
    assert await matching.kept("SELECT count(*) FROM ranking") == 0

    done = await asyncio.gather(*(commands.prepare(matching.pool) for _ in range(3)))
    assert sorted(done) == [0, 0, 1]
    assert await matching.kept("SELECT count(*) FROM ranking_list") == 6
    assert len(await matching.announced()) == 6


async def test_who_leaves_is_shown_to_nobody_and_who_is_erased_is_nowhere(
    matching: Matching,
) -> None:
    await world(matching)
    ranking_id = (await opened(matching))["ranking_id"]
    await rank(matching, "n0", "m1", never=["m0"])
    await matching.hears(
        PersonLeft(person_id=PersonId("m1"), left_on=START.date()), at=START + days(1)
    )
    assert await list_of(matching, "n0") == ["m0", "m2"]
    assert (await rank(matching, "n0", "m1")).status_code == 422

    await matching.hears(
        PersonErased(person_id=PersonId("n0"), erased_on=START.date()), at=START + days(1)
    )
    kept = "SELECT count(*) FROM ranking WHERE 'n0' IN (person_id, other_id)"
    assert await matching.kept(kept) == 0
    matching.clock.at = UNTIL
    assert not [each for each in await ranks(matching, ranking_id) if "n0" in each]


async def test_another_tenant_sees_nothing(matching: Matching) -> None:
    await world(matching)
    ranking_id = (await opened(matching))["ranking_id"]
    assert (await matching.get(f"/v1/rankings/{ranking_id}", tenant="globex")).status_code == 404
    assert (await matching.get(MINE, "n0", "participant", "globex")).status_code == 404
    assert (await matching.get(ROUNDS, tenant="globex")).json() == {"rankings": []}


class _Any(dict[str, str]):
    """Some id for whatever a path asks for."""

    def __missing__(self, name: str) -> str:
        return str(UUID(int=1))


async def test_no_route_tells_anybody_how_somebody_ranked(matching: Matching) -> None:
    await world(matching)
    ranking_id = (await opened(matching))["ranking_id"]
    await rank(matching, "n0", "m0", "m1", "m2")
    ids = _Any(programme_id="spring", person_id="n0", ranking_id=ranking_id)
    before = {path: await told(matching, path, ids) for path in await gets(matching)}

    assert (await rank(matching, "n0", "m2", "m1", never=["m0"])).status_code == 200

    after = {path: await told(matching, path, ids) for path in await gets(matching)}
    assert after == before
    assert any("200" in answer for answers in after.values() for answer in answers.values())
    kept = await matching.kept("SELECT count(*) FROM outbox WHERE type NOT LIKE 'ranking.%'")
    assert kept == 0


async def gets(matching: Matching) -> list[str]:
    paths = matching.service.api.openapi()["paths"]
    return sorted(path for path, methods in paths.items() if "get" in methods)


async def told(matching: Matching, path: str, ids: _Any) -> dict[str, str]:
    """What everybody but n0 is told at a path; n0 in another role too, but for their own list."""
    readers = [("boss", "manager"), ("boss", "hr"), ("boss", "service"), ("n1", "participant")]
    readers += [(f"m{n}", "participant") for n in range(3)]
    if path != MINE:
        readers += [("n0", "manager"), ("n0", "service"), ("n0", "hr"), ("n0", "participant")]
    answers = {}
    for who, role in readers:
        answer = await matching.get(path.format_map(ids), who, role)
        answers[f"{who} {role}"] = f"{answer.status_code} {answer.text}"
    return answers


async def test_what_a_run_shows_of_a_pair_is_its_fit_and_not_how_somebody_ranked(
    matching: Matching,
) -> None:
    await world(matching, mentors=3, mentees=2, policy="deferred_acceptance", max_capacity=1)
    ranking_id = (await opened(matching))["ranking_id"]
    # n0 would rather have m2, who would rather have n1: so n0 gets m1, the second in their order.
    await rank(matching, "n0", "m2", "m1", "m0")
    await rank(matching, "n1", "m2", "m0", "m1")
    await rank(matching, "m2", "n1", "n0")
    matching.clock.at = UNTIL

    run = await matching.run(ranking_id=ranking_id)
    pairs = (await matching.get(f"{run}/pairs")).json()["pairs"]

    shown = {(it["mentee"]["person_id"], it["mentor"]["person_id"]): it["rank"] for it in pairs}
    # By fit m1 is the second of three, and m2 the third; n1 had their first.
    assert shown == {("n0", "m1"): 2, ("n1", "m2"): 3}


async def test_never_is_a_hard_no_for_the_run(matching: Matching) -> None:
    await world(matching, mentors=2, mentees=2, max_capacity=1)
    ranking_id = (await opened(matching))["ranking_id"]
    await rank(matching, "n0", never=["m0"])
    await rank(matching, "m1", never=["n0"])
    matching.clock.at = UNTIL

    proposed = (await matching.match(ranking_id=ranking_id))["proposed"]

    assert [pair["mentee"]["person_id"] for pair in proposed] == ["n1"]


async def test_a_run_waits_for_the_round_to_be_closed(matching: Matching) -> None:
    await world(matching)
    ranking_id = (await opened(matching))["ranking_id"]
    wish = {"ranking_id": ranking_id}
    answer = await matching.post("/v1/programmes/spring/runs", wish, role="manager")
    assert (answer.status_code, answer.json()["title"]) == (409, "ranking open")
