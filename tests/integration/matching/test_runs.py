"""A run's life over HTTP: asked for, worked out, looked at, committed, and what can go wrong."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import httpx
import orjson
import pytest
from prometheus_client import REGISTRY

from services.matching.domain.run import Run
from services.matching.runner import Runner
from shared.ids import TenantId
from tests.integration.matching.conftest import Matching, caller, mentee, mentor
from tests.integration.matching.test_people import left

pytestmark = pytest.mark.stack
RUNS = "/v1/programmes/spring/runs"


async def crowd(matching: Matching) -> None:
    """Ann with two places and Bo with one, for four mentees; nobody offers cooking."""
    await matching.hears(mentor("ann", capacity=2), mentor("bo", capacity=1))
    await matching.hears(*(mentee(who) for who in ("cy", "di", "ed")))
    await matching.hears(mentee("flo", participation={"roles": ["mentee"], "goals": ["cooking"]}))


async def report(matching: Matching, run: str) -> Any:
    answer = await matching.get(f"{run}/report")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_run_waits_is_worked_out_and_can_be_read(matching: Matching) -> None:
    await crowd(matching)
    await matching.programme()

    asked = (await matching.post(RUNS, {}, role="manager")).json()
    assert (asked["state"], asked["allowed"], asked["pairs"]) == ("queued", ["cancel"], 0)
    run = await matching.run()

    ready = (await matching.get(run)).json()
    assert (ready["state"], ready["allowed"]) == ("ready", ["commit", "cancel"])
    assert (ready["pairs"], ready["version"], ready["attempt"]) == (3, 1, 1)
    page = (await matching.get(f"{run}/pairs?limit=2")).json()
    rest = (await matching.get(f"{run}/pairs?limit=2&cursor={page['next_cursor']}")).json()
    found = [*page["pairs"], *rest["pairs"]]
    assert rest["next_cursor"] is None
    assert sorted(each["mentee"]["person_id"] for each in found) == ["cy", "di", "ed"]
    for each in found:
        assert sum(each["parts"].values()) == pytest.approx(each["fit"])
    runs = (await matching.get(RUNS)).json()["runs"]
    assert [each["state"] for each in runs] == ["ready", "ready"]


async def test_the_report_measures_explains_and_proves(matching: Matching) -> None:
    await crowd(matching)
    found = await report(matching, await matching.run())

    measures = found["measures"]
    assert (measures["mentees"], measures["places"], measures["placed"]) == (4, 3, 3)
    assert (measures["shortage"], measures["coverage"], measures["seat_use"]) == (1, 0.75, 1.0)
    assert (found["broken_rules"], found["is_best"], found["certificate"]["gap"]) == (0, True, 0)
    assert found["rules"] == [{"rule": "no_shared_goal", "bars_all": 1, "would_help": 1}]
    (wanted,) = found["wanted"]
    assert (wanted["goal"], wanted["asking"], wanted["people"]) == ("cooking", 1, 1)


async def test_nothing_is_published_before_the_commit_and_all_of_it_then(
    matching: Matching,
) -> None:
    await crowd(matching)
    run = await matching.run()
    assert await matching.announced() == []
    assert (await matching.get("/v1/pairs")).json()["pairs"] == []

    done = await matching.commit(run)

    assert (done["state"], done["became"]) == ("committed", {"proposed": 3})
    assert await matching.announced_types() == ["pair.proposed"] * 3
    told = {str(getattr(event.fact, "run_id", "")) for event in await matching.announced()}
    assert told == {done["run_id"]}


async def test_committing_twice_or_at_once_proposes_once(matching: Matching) -> None:
    await crowd(matching)
    run = await matching.run()

    await asyncio.gather(*(matching.commit(run) for _ in range(4)))
    again = await matching.commit(run)

    assert again["state"] == "committed"
    assert await matching.announced_types() == ["pair.proposed"] * 3


async def test_what_if_compares_and_is_never_committed(matching: Matching) -> None:
    await crowd(matching)
    plain = await matching.run()
    tried = await matching.run(what_if={"rules": {"shared_goal": False}, "max_capacity": 1})

    refused = await matching.post(f"{tried}/commit", role="manager")
    assert (refused.status_code, refused.json()["allowed"]) == (409, ["cancel"])
    a, b = plain.rpartition("/")[2], tried.rpartition("/")[2]
    compared = (await matching.get(f"/v1/runs/compare?a={a}&b={b}")).json()
    assert compared["a"]["measures"]["placed"] == 3
    assert compared["b"]["measures"]["placed"] == 2
    assert compared["lose"] - compared["gain"] == 1
    assert compared["differ"] >= 1
    assert (compared["measures"]["placed"], compared["measures"]["shortage"]) == (-1, 1)
    assert await matching.announced() == []


async def test_impossible_rules_give_an_empty_result_that_says_which(matching: Matching) -> None:
    await matching.hears(mentor("ann", grade=3), mentee("ben", grade=5), mentee("cy", grade=6))
    run = await matching.run(what_if={"rules": {"min_grade_gap": 1}})

    found = await report(matching, run)
    assert found["measures"]["placed"] == 0
    assert found["rules"] == [{"rule": "grade_gap", "bars_all": 2, "would_help": 2}]
    reasons = (await matching.get(f"{run}/unmatched")).json()["unmatched"]
    assert [(each["person_id"], each["reason"]) for each in reasons] == [
        ("ben", "grade_gap"),
        ("cy", "grade_gap"),
    ]


async def test_deferred_acceptance_is_a_policy(matching: Matching) -> None:
    await crowd(matching)
    await matching.programme(policy="deferred_acceptance")
    found = await report(matching, await matching.run())
    assert found["measures"]["blocking_pairs"] == 0
    assert found["measures"]["placed"] == 3


async def test_the_same_people_told_in_another_order_get_the_same_result(
    matching: Matching,
) -> None:
    people = [mentor("ann", capacity=2), mentor("bo"), *(mentee(f"m{n}") for n in range(6))]
    found = []
    for each in (people, people[::-1]):
        await matching.hears(*each)
        run = await matching.run()
        found.append((await matching.get(f"{run}/pairs")).json()["pairs"])
    assert found[0] == found[1]


async def test_a_limit_proposes_the_best_and_tells_the_others(matching: Matching) -> None:
    await crowd(matching)
    answer = await matching.match(limit=1)
    assert len(answer["proposed"]) == 1
    reasons = sorted(each["reason"] for each in answer["unmatched"])
    assert reasons == ["no_shared_goal", "over_limit", "over_limit"]


async def test_who_leaves_between_result_and_commit_is_not_proposed(matching: Matching) -> None:
    await crowd(matching)
    run = await matching.run()
    await matching.hears(left("di"))

    done = await matching.commit(run)

    assert done["became"] == {"proposed": 2, "left": 1}
    shown = (await matching.get("/v1/pairs")).json()["pairs"]
    assert "di" not in {pair["mentee"]["person_id"] for pair in shown}


async def test_of_two_results_the_second_drops_what_the_first_took(matching: Matching) -> None:
    await crowd(matching)
    first, second = await matching.run(), await matching.run()

    await matching.commit(first)
    done = await matching.commit(second)

    assert done["became"] == {"has_a_mentor": 3}
    assert await matching.announced_types() == ["pair.proposed"] * 3


async def test_whom_hr_keeps_apart_or_one_avoids_is_not_proposed(matching: Matching) -> None:
    await matching.hears(mentor("ann"), mentee("ben"), mentor("bo"), mentee("cy"))
    await matching.programme()
    keep = await matching.http.put(
        "/v1/programmes/spring/exclusions/ben/ann", headers=caller("boss", "manager", "acme")
    )
    assert keep.status_code == 204, keep.text

    proposed = (await matching.match())["proposed"]

    pairs = {(each["mentor"]["person_id"], each["mentee"]["person_id"]) for each in proposed}
    assert pairs == {("bo", "ben"), ("ann", "cy")}


async def test_an_incremental_run_moves_only_what_is_worth_it(matching: Matching) -> None:
    await matching.hears(mentor("ann"), mentee("ben"))
    await matching.programme(churn_permille=100)
    first = (await matching.match())["proposed"][0]
    nobody_spoke = {"languages": ["en", "de"]}
    await matching.hears(mentor("bo"), mentee("cy", **nobody_spoke))

    again = await matching.match(incremental=True)

    stands = (await matching.get(f"/v1/pairs/{first['pair_id']}")).json()
    assert stands["state"] == "proposed"
    assert [each["mentee"]["person_id"] for each in again["proposed"]] == ["cy"]
    assert "pair.expired" not in await matching.announced_types()


async def test_an_incremental_run_takes_back_what_another_can_do_much_better(
    matching: Matching,
) -> None:
    await matching.hears(mentor("ann"))
    await matching.hears(mentee("ben", participation={"roles": ["mentee"]}))
    await matching.programme(churn_permille=0)
    first = (await matching.match())["proposed"][0]
    await matching.hears(mentee("cy"))

    again = await matching.match(incremental=True)

    assert [each["mentee"]["person_id"] for each in again["proposed"]] == ["cy"]
    closed = (await matching.get(f"/v1/pairs/{first['pair_id']}", "ben", "participant")).json()
    assert (closed["state"], closed["end_reason"]) == ("withdrawn", "reassigned")
    assert await matching.announced_types() == [
        "pair.proposed",
        "pair.expired",
        "pair.proposed",
    ]


async def test_a_cancelled_run_is_not_worked_out(matching: Matching) -> None:
    await crowd(matching)
    await matching.programme()
    made = (await matching.post(RUNS, {}, role="manager")).json()
    path = f"/v1/runs/{made['run_id']}"

    cancelled = (await matching.post(f"{path}/cancel", role="manager")).json()
    assert await matching.runner().step() is False

    assert (cancelled["state"], cancelled["allowed"]) == ("cancelled", [])
    refused = await matching.post(f"{path}/commit", role="manager")
    assert (refused.status_code, refused.json()["title"]) == (409, "run moved on")
    assert (await matching.get(f"{path}/report")).status_code == 404


async def test_a_result_that_comes_after_the_cancel_is_not_kept(matching: Matching) -> None:
    await crowd(matching)
    await matching.programme()
    made = (await matching.post(RUNS, {}, role="manager")).json()
    path = f"/v1/runs/{made['run_id']}"
    plain = matching.runner()

    async def execute(tenant: TenantId, run: Run) -> str | None:
        assert (await matching.post(f"{path}/cancel", role="manager")).status_code == 200
        return await plain._execute(tenant, run)

    await Runner(matching.pool, matching.clock, execute).step()

    assert (await matching.get(path)).json()["state"] == "cancelled"
    assert (await matching.get(f"{path}/report")).status_code == 404


async def test_a_run_that_dies_three_times_has_failed(matching: Matching) -> None:
    await crowd(matching)
    await matching.programme()
    made = (await matching.post(RUNS, {}, role="manager")).json()

    async def dies(tenant: TenantId, run: Run) -> str | None:
        return None

    died = partial(REGISTRY.get_sample_value, "trustfold_matching_run_seconds_count")
    before = died({"outcome": "died"}) or 0
    runner = Runner(matching.pool, matching.clock, dies)
    while await runner.step():
        pass

    seen = (await matching.get(f"/v1/runs/{made['run_id']}")).json()
    assert (seen["state"], seen["failure"], seen["attempt"]) == ("failed", "died", 3)
    assert died({"outcome": "died"}) == before + 3


async def test_two_workers_do_not_work_on_one_run(matching: Matching) -> None:
    await crowd(matching)
    await matching.programme()
    await matching.post(RUNS, {}, role="manager")
    others: list[bool] = []

    async def execute(tenant: TenantId, run: Run) -> str | None:
        others.append(await Runner(matching.pool, matching.clock, execute).step())
        return None

    await Runner(matching.pool, matching.clock, execute).step()

    assert others == [False]


async def test_progress_is_a_stream_that_ends_with_the_run(matching: Matching) -> None:
    await crowd(matching)
    run = await matching.run()

    answer = await matching.get(f"{run}/progress")

    assert answer.headers["content-type"].startswith("text/event-stream")
    (event,) = answer.text.strip().split("\n\n")
    name, data = event.split("\n")
    assert name == "event: run"
    assert orjson.loads(data.removeprefix("data: "))["state"] == "ready"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"limit": 0}, "body.limit", id="a limit of nothing"),
        pytest.param({"dry": True}, "body.dry", id="a field nobody knows"),
        pytest.param(
            {"what_if": {"candidates": 0}}, "body.what_if.candidates", id="a setting out of range"
        ),
        pytest.param(
            {"what_if": {"rules": {"min_grade_gap": 2, "max_grade_gap": 1}}},
            "settings.rules.min_grade_gap",
            id="settings that contradict themselves",
        ),
    ],
)
async def test_a_bad_wish_is_told_which_field(
    matching: Matching, body: dict[str, Any], field: str
) -> None:
    await matching.programme()
    answer = await matching.post(RUNS, body, role="manager")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_runs_are_for_managers_of_the_tenant_and_of_open_programmes(
    matching: Matching,
) -> None:
    await crowd(matching)
    run = await matching.run()
    paths = (run, f"{run}/report", f"{run}/pairs", f"{run}/unmatched", RUNS, f"{run}/progress")

    for path in paths:
        assert (await matching.get(path, "ann", "participant")).status_code == 403
        other = await matching.get(path, tenant="globex")
        assert other.status_code == 404 or other.json()["runs"] == []
    nowhere = await matching.post("/v1/programmes/none/runs", {}, role="manager")
    assert nowhere.status_code == 404
    assert (await close(matching)).status_code == 200
    closed = await matching.post(RUNS, {}, role="manager")
    assert (closed.status_code, closed.json()["title"]) == (409, "programme closed")


async def close(matching: Matching) -> httpx.Response:
    headers = caller("boss", "manager", "acme") | {"If-Match": '"1"'}
    body = {"name": "Spring", "is_open": False}
    return await matching.http.put("/v1/programmes/spring", json=body, headers=headers)


async def test_a_retry_with_the_same_key_is_one_run(matching: Matching) -> None:
    await matching.programme()
    headers = caller("boss", "manager", "acme") | {"Idempotency-Key": "k-1"}
    answers = await asyncio.gather(
        *(matching.http.post(RUNS, json={}, headers=headers) for _ in range(3))
    )
    assert len({answer.json()["run_id"] for answer in answers}) == 1
