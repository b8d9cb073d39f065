"""A run over HTTP: what is proposed, stored and announced, and who is told what instead."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from shared.events.matching import PairProposed
from tests.integration.matching.conftest import START, Matching, mentee, mentor

pytestmark = pytest.mark.stack


async def test_a_run_proposes_stores_and_announces_with_reasons(matching: Matching) -> None:
    await matching.hears(mentor("ann"), mentee("ben"))

    answer = await matching.match()

    (pair,) = answer["proposed"]
    assert (pair["mentor"], pair["mentee"]) == (
        {"person_id": "ann", "display_name": "Ann"},
        {"person_id": "ben", "display_name": "Ben"},
    )
    assert (pair["state"], pair["fit"], answer["unmatched"]) == ("proposed", 0.999, [])
    assert [reason["words"] for reason in pair["reasons"]] == [
        "The mentor offers what the mentee is looking for: python.",
        "What the mentor knows is close to what the mentee is looking for.",
        "They have a language in common: en.",
        "They have 40 h a week free at the same time.",
    ]
    (event,) = await matching.announced()
    assert isinstance(event.fact, PairProposed)
    assert event.key == f"acme/{pair['pair_id']}"
    assert (event.fact.fit, event.fact.programme_id) == (0.999, "spring")
    assert [ground.code for ground in event.fact.grounds] == [
        each["code"] for each in pair["reasons"]
    ]
    assert sum(ground.weight for ground in event.fact.grounds) == pytest.approx(0.999)
    assert {reason.code for reason in event.fact.reasons} == {
        "shared_goals",
        "shared_languages",
        "shared_hours",
    }
    assert event.fact.answer_until == START + timedelta(days=14)


async def test_a_second_run_proposes_only_what_is_new(matching: Matching) -> None:
    await matching.hears(mentor("ann", capacity=2), mentee("ben"))
    await matching.match()
    await matching.hears(mentee("cara"))

    again = await matching.match()

    assert [pair["mentee"]["person_id"] for pair in again["proposed"]] == ["cara"]
    assert await matching.match() == {"proposed": [], "unmatched": []}


async def test_two_runs_at_once_do_not_propose_twice(matching: Matching) -> None:
    await matching.hears(mentor("ann", capacity=5), mentee("ben"), mentee("cara"))

    answers = await asyncio.gather(*(matching.match() for _ in range(4)))

    assert sum(len(answer["proposed"]) for answer in answers) == 2
    assert await matching.announced_types() == ["pair.proposed"] * 2


async def test_open_pairs_take_a_mentors_places(matching: Matching) -> None:
    await matching.hears(mentor("ann"), mentee("ben"), mentee("cara"))

    answer = await matching.match()

    assert answer["unmatched"] == [{"person_id": "cara", "reason": "no_mentor_capacity"}]
    assert (await matching.match())["unmatched"] == answer["unmatched"]


async def test_a_no_frees_both_but_not_for_each_other(matching: Matching) -> None:
    path = await matching.proposed_pair()
    assert (await matching.post(f"{path}/decline", as_="ben")).status_code == 200

    answer = await matching.match()

    assert answer["proposed"] == []
    assert answer["unmatched"] == [{"person_id": "ben", "reason": "no_candidate_left"}]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"manager_id": "ann"}, "only_manager", id="the only mentor is the manager"),
        pytest.param({"languages": ["fi"]}, "no_common_language", id="no common language"),
        pytest.param(
            {"participation": {"roles": ["mentee"], "goals": ["singing"]}},
            "no_shared_goal",
            id="nobody offers the goal",
        ),
        pytest.param(
            {"timezone": "Pacific/Auckland"}, "no_overlapping_hours", id="the other end of the day"
        ),
    ],
)
async def test_an_unmatched_mentee_comes_with_the_reason(
    matching: Matching, changes: dict[str, object], reason: str
) -> None:
    await matching.hears(mentor("ann"), mentee("ben", **changes))
    assert (await matching.match())["unmatched"] == [{"person_id": "ben", "reason": reason}]


async def test_two_hundred_people_are_matched_and_announced_quickly(matching: Matching) -> None:
    await matching.hears(*(mentor(f"m{n:03}", capacity=2) for n in range(80)))
    await matching.hears(*(mentee(f"n{n:03}") for n in range(120)))

    began = time.perf_counter()
    answer = await matching.match()

    assert len(answer["proposed"]) == 120
    assert time.perf_counter() - began < 3
    assert len(await matching.announced()) == 120
