"""What changes between a run and its commit: nothing is proposed that no longer holds."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.matching.computing import compute
from services.matching.domain.run import MOST_WAITING, Run
from services.matching.queries import participants, runs
from services.matching.runner import COMMIT, WORK, Runner
from shared.events.fact import Fact
from shared.events.people import PersonChanged, PersonLeaveStarted
from shared.ids import PersonId, TenantId, new_id
from shared.postgres.tenancy import reading_for
from tests.integration.matching.conftest import ACME, Matching, caller, mentee, mentor, state
from tests.integration.matching.test_people import left

pytestmark = pytest.mark.stack
RUNS = "/v1/programmes/spring/runs"
GLOBEX = TenantId("globex")


def changed(person_id: str, role: str, **changes: Any) -> Fact:
    part: dict[str, Any] = {"roles": [role], "capacity": 1, "offers": ["python"]}
    if role == "mentee":
        part = {"roles": [role], "goals": ["python"]}
    return PersonChanged.model_validate(state(person_id, participation=part) | changes)


def away(person_id: str) -> Fact:
    return PersonLeaveStarted.model_validate(
        {"person_id": person_id, "leave_id": str(new_id()), "started_on": date(2026, 3, 1)}
    )


async def later(matching: Matching, *facts: Fact) -> None:
    """They arrive after all that was heard before."""
    await matching.hears(*facts, at=matching.clock.now() + timedelta(minutes=1))


async def asked_for(matching: Matching, **wish: Any) -> str:
    asked = await matching.post(RUNS, wish, role="manager")
    assert asked.status_code == 202, asked.text
    return f"/v1/runs/{asked.json()['run_id']}"


async def run_of(matching: Matching, tenant: TenantId = ACME) -> Run:
    run_id = (await matching.rows("SELECT run_id FROM run WHERE tenant = $1", tenant))[0]["run_id"]
    async with reading_for(matching.pool, tenant) as conn:
        found = await runs.find(conn, tenant, run_id)
    assert found is not None
    return found


async def test_who_leaves_while_a_run_is_on_is_not_proposed(matching: Matching) -> None:
    await matching.hears(mentor("ann", capacity=2), mentee("ben"), mentee("cy"))
    await matching.programme()
    path = await asked_for(matching)
    loop = asyncio.get_running_loop()
    told: list[str] = []

    def progress(*_: object) -> None:
        # Called from the thread that works: everybody has been read by then.
        if not told:
            told.append("left")
            asyncio.run_coroutine_threadsafe(matching.hears(left("ben")), loop).result(30)

    async def execute(tenant: TenantId, run: Run) -> None:
        await compute(matching.pool, tenant, run, matching.clock.now(), progress)

    await Runner(matching.pool, matching.clock, execute).step()
    found = (await matching.get(f"{path}/pairs")).json()["pairs"]
    assert sorted(each["mentee"]["person_id"] for each in found) == ["ben", "cy"]

    done = await matching.commit(path)

    assert done["became"] == {"left": 1, "proposed": 1}
    (event,) = await matching.announced()
    assert event.fact.model_dump()["mentee_id"] == "cy"


@pytest.mark.parametrize(
    ("facts", "became"),
    [
        pytest.param(
            [changed("ben", "mentee", manager_id="ann")], "rule_broken", id="the mentor leads them"
        ),
        pytest.param(
            [
                changed("ben", "mentee", manager_id="cy"),
                changed("cy", "mentor", manager_id="ann"),
            ],
            "rule_broken",
            id="the mentor is above their manager",
        ),
        pytest.param([changed("ben", "mentor")], "left", id="the mentee looks for nobody any more"),
        pytest.param([changed("ann", "mentee")], "left", id="the mentor is one no longer"),
        pytest.param([away("ann")], "left", id="the mentor is away"),
        pytest.param(
            [changed("ann", "mentor", participation={"roles": ["mentor"], "capacity": 0})],
            "place_gone",
            id="the mentor has no place any more",
        ),
    ],
)
async def test_the_rules_are_asked_again_at_the_commit(
    matching: Matching, facts: list[Fact], became: str
) -> None:
    await matching.hears(mentor("ann"), mentee("ben"))
    await matching.programme(rules={"report_line": True, "shared_goal": False})
    run = await matching.run()
    await later(matching, *facts)

    done = await matching.commit(run)

    assert done["became"] == {became: 1}
    assert await matching.announced() == []


async def test_lines_of_many_are_those_of_each(matching: Matching) -> None:
    round_about = {"ann": "ben", "ben": "cy", "cy": "ann", "di": "ann"}
    await matching.hears(*(mentee(who, manager_id=above) for who, above in round_about.items()))
    everybody = [PersonId(who) for who in (*round_about, "ed")]
    async with reading_for(matching.pool, ACME) as conn:
        together = await participants.lines(conn, ACME, everybody)
        alone = {who: await participants.line(conn, ACME, who) for who in everybody}
    assert {who: line[:3] for who, line in together.items()} == {
        who: line[:3] for who, line in alone.items() if line
    }
    assert together[PersonId("di")][:3] == ("ann", "ben", "cy")


async def test_a_proposal_that_was_answered_meanwhile_stands_no_longer(matching: Matching) -> None:
    await matching.hears(mentor("ann"), mentee("ben"))
    (first,) = (await matching.match())["proposed"]
    run = await matching.run(incremental=True)
    (found,) = (await matching.get(f"{run}/pairs")).json()["pairs"]
    assert found["stands"] is True
    await matching.post(f"/v1/pairs/{first['pair_id']}/decline", as_="ben")

    assert (await matching.commit(run))["became"] == {"over": 1}


async def test_who_is_away_keeps_a_proposal_that_an_incremental_run_cannot_weigh(
    matching: Matching,
) -> None:
    await matching.hears(mentor("ann"), mentee("ben"))
    (first,) = (await matching.match())["proposed"]
    await later(matching, away("ben"), mentee("cy"))

    again = await matching.match(incremental=True)

    seen = (await matching.get(f"/v1/pairs/{first['pair_id']}")).json()
    assert seen["state"] == "proposed"
    # Nor is the place that it holds given to somebody else.
    assert again["unmatched"] == [{"person_id": "cy", "reason": "no_mentor_capacity"}]


async def test_a_proposal_that_is_accepted_meanwhile_is_not_taken_back(matching: Matching) -> None:
    await matching.hears(mentor("ann"), mentee("ben", participation={"roles": ["mentee"]}))
    await matching.programme(churn_permille=0)
    (first,) = (await matching.match())["proposed"]
    await matching.hears(mentee("cy"))
    run = await matching.run(incremental=True)
    await matching.post(f"/v1/pairs/{first['pair_id']}/accept", as_="ben")

    done = await matching.commit(run)

    assert done["became"] == {"place_gone": 1}
    seen = (await matching.get(f"/v1/pairs/{first['pair_id']}")).json()
    assert seen["state"] == "proposed"
    assert "pair.expired" not in await matching.announced_types()


async def test_a_programme_that_was_closed_meanwhile_is_not_committed(matching: Matching) -> None:
    await matching.hears(mentor("ann"), mentee("ben"))
    run = await matching.run()
    headers = caller("boss", "manager", ACME) | {"If-Match": '"1"'}
    body = {"name": "Spring", "is_open": False}
    assert (await matching.http.put("/v1/programmes/spring", json=body, headers=headers)).is_success

    refused = await matching.post(f"{run}/commit", role="manager")

    assert (refused.status_code, refused.json()["title"]) == (409, "programme closed")
    assert (await matching.get(run)).json()["state"] == "ready"


async def test_only_so_many_runs_of_a_tenant_wait(matching: Matching) -> None:
    await matching.programme()
    paths = [await asked_for(matching) for _ in range(MOST_WAITING)]

    refused = await matching.post(RUNS, {}, role="manager")
    assert (refused.status_code, refused.json()["title"]) == (409, "too many runs")

    await matching.post(f"{paths[0]}/cancel", role="manager")
    assert (await matching.post(RUNS, {}, role="manager")).status_code == 202


async def test_the_result_of_an_attempt_that_was_given_up_is_not_kept(matching: Matching) -> None:
    await matching.hears(mentor("ann"), mentee("ben"))
    await matching.programme()
    path = await asked_for(matching)

    async def dies(tenant: TenantId, run: Run) -> None:
        return None

    runner = Runner(matching.pool, matching.clock, dies)
    await runner.step()
    first = await run_of(matching)
    await runner.step()
    now = matching.clock.now()

    assert await compute(matching.pool, ACME, first, now, lambda *_: None) is False
    assert (await matching.get(f"{path}/report")).status_code == 404
    second = replace(first, attempt=2)
    assert await compute(matching.pool, ACME, second, now, lambda *_: None) is True


async def test_a_commit_does_not_wait_for_another_run_to_be_worked_out(matching: Matching) -> None:
    await matching.hears(mentor("ann"), mentee("ben"))
    ready = await matching.run()
    path = await asked_for(matching)
    plain = matching.runner()

    async def execute(tenant: TenantId, run: Run) -> str | None:
        assert (await matching.post(f"{ready}/commit", role="manager")).status_code == 202
        while await plain.step(COMMIT):
            pass
        assert (await matching.get(ready)).json()["state"] == "committed"
        return await plain._execute(tenant, run)

    assert await Runner(matching.pool, matching.clock, execute).step(WORK) is True

    assert (await matching.get(path)).json()["state"] == "ready"


async def test_two_tenants_have_runs_of_their_own(matching: Matching) -> None:
    await matching.hears(mentor("ann"), mentee("ben"))
    await matching.hears(mentor("ann"), mentee("cy"), mentee("di"), tenant=GLOBEX)
    ours = await matching.run()
    boss = caller("boss", "manager", GLOBEX)
    await matching.http.put("/v1/programmes/spring", json={"name": "Spring"}, headers=boss)
    asked = await matching.http.post(RUNS, json={}, headers=boss)
    theirs = f"/v1/runs/{asked.json()['run_id']}"
    while await matching.runner().step():
        pass

    for run, headers in ((ours, boss), (theirs, caller("boss", "manager", ACME))):
        for action in ("commit", "cancel"):
            answer = await matching.http.post(f"{run}/{action}", headers=headers)
            assert answer.status_code == 404
    committed = await matching.http.post(f"{theirs}/commit", headers=boss)
    assert committed.status_code == 202
    while await matching.runner().step():
        pass

    assert {event.tenant for event in await matching.announced()} == {GLOBEX}
    assert (await matching.get(ours)).json()["state"] == "ready"
    found = (await matching.get(f"{theirs}/pairs", tenant=GLOBEX)).json()["pairs"]
    assert [each["mentor"]["person_id"] for each in found] == ["ann"]
    assert (await matching.get(f"{theirs}/unmatched", tenant=GLOBEX)).json()["unmatched"][0][
        "person_id"
    ] in ("cy", "di")
