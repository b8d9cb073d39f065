"""From everybody to a result: the same for the same people, and nothing about one person in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import pytest

from services.matching.domain.programme import Rules, Settings
from services.matching.domain.run import Result, Run
from services.matching.engine.lift import NOTHING
from services.matching.engine.matchmaking import Crowd, work_out
from shared.ids import PersonId, ProgrammeId
from tests.unit.matching.builders import NOW
from tests.unit.matching.engine.sides import nothing, side

RUN = Run(
    run_id=UUID(int=1),
    programme_id=ProgrammeId("spring"),
    version=1,
    settings=Settings(),
    what_if=False,
    incremental=False,
    at_most=None,
    ranking_id=None,
    asked_at=NOW,
)


def crowd(mentors: list[dict[str, Any]], mentees: list[dict[str, Any]], **known: Any) -> Crowd:
    plain = Crowd(
        mentors=side(mentors),
        mentees=side(mentees),
        apart=frozenset(),
        standing={},
        waited=frozenset(),
        earlier=None,
        ranked=None,
        lift=NOTHING,
    )
    return replace(plain, **known)


def chosen(result: Result) -> dict[str, str]:
    return {pair.mentee_id: pair.mentor_id for pair in result.pairs}


def two(mentor: str, mentee: str) -> tuple[PersonId, PersonId]:
    return PersonId(mentor), PersonId(mentee)


def test_a_result_can_be_written_down_as_it_is() -> None:
    found = work_out(RUN, crowd([{"id": "a"}], [{"id": "m"}, {"id": "n"}]), nothing)
    report = orjson.loads(orjson.dumps(found.report))
    assert report["measures"]["placed"] == 1
    assert report["certificate"]["gap"] == 0
    (left_out,) = found.left_out
    assert (left_out.reason, left_out.person_id) in {
        ("no_mentor_capacity", each) for each in {"m", "n"} - chosen(found).keys()
    }


def test_whom_somebody_is_kept_apart_from_is_told_nobody() -> None:
    kept = frozenset({two("a", "m")})
    found = work_out(RUN, crowd([{"id": "a"}], [{"id": "m"}], apart=kept), nothing)
    (left_out,) = found.left_out
    assert (left_out.reason, dict(left_out.lost)) == ("no_candidate_left", {})
    assert found.report["rules"] == []


def test_how_many_are_kept_apart_is_told_from_five_on() -> None:
    mentees = [{"id": f"m{n}"} for n in range(5)]
    kept = frozenset(two("a", str(each["id"])) for each in mentees)
    found = work_out(RUN, crowd([{"id": "a"}], mentees, apart=kept), nothing)
    assert [(each["rule"], each["bars_all"]) for each in found.report["rules"]] == [
        ("kept_apart", 5)
    ]


@pytest.mark.parametrize("policy", ["flow", "deferred_acceptance"])
def test_who_waits_since_an_earlier_pair_stands_first_among_equals(policy: Any) -> None:
    run = replace(RUN, settings=Settings(policy=policy))
    for waits in ("m", "n"):
        known = crowd(
            [{"id": "a"}], [{"id": "m"}, {"id": "n"}], waited=frozenset({PersonId(waits)})
        )
        assert chosen(work_out(run, known, nothing)) == {waits: "a"}


@pytest.mark.parametrize("policy", ["flow", "deferred_acceptance"])
def test_what_people_said_in_private_goes_before_equal_fits(policy: Any) -> None:
    run = replace(RUN, settings=Settings(policy=policy), ranking_id=UUID(int=2))
    sides = ([{"id": "a"}, {"id": "b"}], [{"id": "m"}, {"id": "n"}])
    ranked = {two("a", "m"): (2, 2), two("b", "m"): (1, 1)} | {
        two("a", "n"): (1, 1),
        two("b", "n"): (2, 2),
    }
    assert chosen(work_out(run, crowd(*sides, ranked=ranked), nothing)) == {"m": "b", "n": "a"}


def test_how_far_down_their_own_lists_people_got_is_told_of_five_and_more() -> None:
    run = replace(RUN, ranking_id=UUID(int=2))
    for many in (4, 5):
        known = crowd([{"id": "a", "places": 9}], [{"id": f"m{n}"} for n in range(many)], ranked={})
        told = work_out(run, known, nothing).report["measures"]["standing"]
        assert (told is None) == (many < 5)


@pytest.mark.parametrize("policy", ["flow", "deferred_acceptance"])
def test_never_is_never(policy: Any) -> None:
    run = replace(RUN, settings=Settings(policy=policy), ranking_id=UUID(int=2))
    known = crowd([{"id": "a"}], [{"id": "m"}], ranked={two("a", "m"): None})
    assert chosen(work_out(run, known, nothing)) == {}


def test_a_proposal_that_stands_goes_only_for_what_is_better_by_the_churn_cost() -> None:
    mentees: list[dict[str, Any]] = [{"id": "m", "topics": ()}, {"id": "n"}]
    standing = {two("a", "m"): UUID(int=9)}
    for churn, stays in ((1000, "m"), (0, "n")):
        run = replace(RUN, settings=Settings(churn_permille=churn), incremental=True)
        found = work_out(run, crowd([{"id": "a"}], mentees, standing=standing), nothing)
        assert chosen(found) == {stays: "a"}
        assert (found.pairs[0].stands is not None) == (stays == "m")


def test_a_proposal_that_a_rule_forbids_by_now_loses() -> None:
    standing = {two("a", "m"): UUID(int=9)}
    kept = frozenset({two("a", "m")})
    run = replace(RUN, settings=Settings(churn_permille=1000), incremental=True)
    known = crowd([{"id": "a"}], [{"id": "m"}], standing=standing, apart=kept)
    found = work_out(run, known, nothing)
    assert (chosen(found), found.taken_back) == ({}, [UUID(int=9)])
    assert found.report["broken_rules"] == 0


def test_what_loses_is_taken_back_and_what_stays_is_not() -> None:
    mentees: list[dict[str, Any]] = [{"id": "m", "topics": ()}, {"id": "n"}]
    standing = {two("a", "m"): UUID(int=9)}
    for churn, back in ((1000, []), (0, [UUID(int=9)])):
        run = replace(RUN, settings=Settings(churn_permille=churn), incremental=True)
        found = work_out(run, crowd([{"id": "a"}], mentees, standing=standing), nothing)
        assert found.taken_back == back


def test_a_limit_is_on_what_is_new_and_takes_no_proposal_away() -> None:
    mentees: list[dict[str, Any]] = [{"id": "m", "topics": ()}, {"id": "n"}, {"id": "o"}]
    standing = {two("a", "m"): UUID(int=9)}
    run = replace(RUN, at_most=1, incremental=True)
    found = work_out(run, crowd([{"id": "a", "places": 3}], mentees, standing=standing), nothing)
    assert [(each.mentee_id, each.stands) for each in found.pairs] == [
        ("n", None),
        ("m", UUID(int=9)),
    ]
    assert found.taken_back == []


def test_whose_new_proposal_is_over_the_limit_keeps_the_old_one() -> None:
    standing = {two("b", "m"): UUID(int=9)}
    mentors: list[dict[str, Any]] = [{"id": "a", "places": 2}, {"id": "b", "topics": ("zz",)}]
    mentees: list[dict[str, Any]] = [{"id": "m"}, {"id": "n"}]
    plain = Settings(churn_permille=0, rules=Rules(shared_goal=False))
    run = replace(RUN, settings=plain, incremental=True)
    known = crowd(mentors, mentees, standing=standing)
    assert work_out(run, known, nothing).taken_back == [UUID(int=9)]

    limited = work_out(replace(run, at_most=0), known, nothing)

    assert (list(limited.pairs), limited.taken_back) == ([], [])


def test_a_proposal_of_a_mentor_who_is_away_goes_only_for_another() -> None:
    standing = {two("b", "m"): UUID(int=9)}
    run = replace(RUN, incremental=True)
    for mentors, back in (([], []), ([{"id": "a"}], [UUID(int=9)])):
        found = work_out(run, crowd(mentors, [{"id": "m"}], standing=standing), nothing)
        assert found.taken_back == back


def test_a_limit_keeps_the_best() -> None:
    mentees: list[dict[str, Any]] = [{"id": "m", "topics": ()}, {"id": "n"}]
    found = work_out(replace(RUN, at_most=1), crowd([{"id": "a", "places": 2}], mentees), nothing)
    assert chosen(found) == {"n": "a"}
    assert [(each.person_id, each.reason) for each in found.left_out] == [("m", "over_limit")]
    assert found.report["over_limit"] == 1
