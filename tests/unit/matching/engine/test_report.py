"""The report: a reason for everybody left out, what lifting a rule gives, what mentors would."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.fit import Barrier
from services.matching.domain.programme import Rules, Settings
from services.matching.engine.acceptance import accept
from services.matching.engine.candidates import Edges, find
from services.matching.engine.features import Problem
from services.matching.engine.flow import solve
from services.matching.engine.matched import Matched
from services.matching.engine.report import Context, Report, broken_rules, report
from services.matching.engine.side import Ints
from services.matching.engine.wanted import wanted
from shared.ids import PersonId
from tests.unit.matching.engine.sides import edges, markets, nothing, problems, shuffled, side

OPEN = Settings(rules=Rules(common_language=False, shared_goal=False, min_overlap_minutes=0))


def problem(mentees: list[dict[str, Any]], mentors: list[dict[str, Any]], **more: Any) -> Problem:
    given_settings = more.pop("settings", Settings())
    return Problem(side(mentees), side(mentors), given_settings, more.pop("apart", frozenset()))


def candidates(of: Problem) -> Edges:
    return find(of.mentees, of.mentors, of.settings, of.apart, of.lift, nothing)


def reported(of: Problem) -> Report:
    matched = solve(candidates(of), of.mentors.places, None, nothing)
    return report(of, matched, Context(), is_flow=True, progress=nothing)


def reasons(found: Report) -> dict[str, Barrier]:
    return {one.person_id: one.reason for one in found.unmatched}


def test_everybody_left_out_is_told_the_rule_that_came_last() -> None:
    found = reported(
        problem(
            [
                {"id": "managed", "manager": "boss", "languages": ("pt",)},
                {"id": "foreign", "languages": ("fr",)},
                {"id": "second", "topics": ("python", "law")},
                {"id": "first", "topics": ("python",)},
            ],
            [{"id": "boss", "languages": ("pt",)}, {"id": "only"}],
        )
    )
    assert reasons(found) == {
        "managed": Barrier.NO_COMMON_LANGUAGE,
        "foreign": Barrier.NO_COMMON_LANGUAGE,
        "second": Barrier.NO_MENTOR_CAPACITY,
    }
    managed = next(one for one in found.unmatched if one.person_id == "managed")
    assert managed.lost == {Barrier.ONLY_MANAGER: 1, Barrier.NO_COMMON_LANGUAGE: 1}


def test_nobody_is_told_of_a_manager_when_there_is_no_mentor_at_all() -> None:
    assert reasons(reported(problem([{"id": "a"}], []))) == {"a": Barrier.NO_MENTORS}
    alone = problem([{"id": "a"}], [{"id": "a"}])
    assert reasons(reported(alone)) == {"a": Barrier.NO_MENTORS}


def test_a_mentor_who_is_full_is_no_place_and_says_so() -> None:
    full = problem([{"id": "a"}], [{"id": "m", "places": 0}])
    assert reasons(reported(full)) == {"a": Barrier.NO_MENTOR_CAPACITY}
    assert reported(full).measures.shortage == 1


def test_who_struck_everybody_from_the_list_has_no_candidate_left() -> None:
    of = problem([{"id": "a"}], [{"id": "m"}])
    nobody = candidates(of).keeping(np.array([False]))
    matched = solve(nobody, of.mentors.places, None, nothing)
    found = report(of, matched, Context(), is_flow=True, progress=nothing)
    assert reasons(found) == {"a": Barrier.NO_CANDIDATE_LEFT}


def test_a_rule_that_bars_everybody_is_named_with_what_lifting_it_would_give() -> None:
    found = reported(
        problem(
            [{"id": f"n{row}", "unit": "sea"} for row in range(4)]
            + [{"id": "n9", "unit": "sea", "languages": ("fr",)}],
            [{"id": "m", "unit": "land", "places": 9}],
            settings=Settings(rules=Rules(org_units="same")),
        )
    )
    by_rule = {figure.rule: (figure.bars_all, figure.would_help) for figure in found.rules}
    # Without the unit rule four have a mentor; the fifth still has no language in common.
    assert by_rule == {Barrier.ORG_UNIT: (5, 4), Barrier.NO_COMMON_LANGUAGE: (1, 0)}


@settings(deadline=None, max_examples=60)
@given(problems())
def test_lifting_a_rule_gives_as_many_people_a_candidate_as_was_said(of: Problem) -> None:
    before = candidates(of)
    said = {figure.rule: figure.would_help for figure in reported(of).rules}
    rules = of.settings.rules
    for rule, lifted in (
        (Barrier.KEPT_APART, replace(of, apart=frozenset())),
        (Barrier.NO_COMMON_LANGUAGE, with_rules(of, replace(rules, common_language=False))),
        (Barrier.NO_SHARED_GOAL, with_rules(of, replace(rules, shared_goal=False))),
        (Barrier.NO_OVERLAPPING_HOURS, with_rules(of, replace(rules, min_overlap_minutes=0))),
        (Barrier.REPORT_LINE, with_rules(of, replace(rules, report_line=False))),
        (Barrier.ORG_UNIT, with_rules(of, replace(rules, org_units="any"))),
        (
            Barrier.GRADE_GAP,
            with_rules(of, replace(rules, min_grade_gap=None, max_grade_gap=None)),
        ),
    ):
        after = candidates(lifted)
        gained = set(after.mentee.tolist()) - set(before.mentee.tolist())
        assert len(gained) == said.get(rule, 0)


def with_rules(of: Problem, rules: Rules) -> Problem:
    return replace(of, settings=replace(of.settings, rules=rules))


@settings(deadline=None, max_examples=100)
@given(markets(6), st.lists(st.sampled_from(["law", "data"]), min_size=6, max_size=6))
def test_more_mentors_for_a_goal_place_exactly_as_many_more_as_was_said(
    market: tuple[Edges, Ints], goals: list[str]
) -> None:
    edges_, places = market
    mentees = side([{"id": f"n{row}", "topics": (goals[row],)} for row in range(edges_.mentees)])
    best = solve(edges_, places, None, nothing)
    for each in wanted(best, mentees, places, nothing):
        assert each.asking <= each.most
        for mentors in (1, 2, each.mentors):
            more = [
                (row, edges_.mentors + new, 1)
                for row in range(edges_.mentees)
                for new in range(mentors)
                if goals[row] == each.goal
            ]
            before = zip(
                edges_.mentee.tolist(), edges_.mentor.tolist(), edges_.fit.tolist(), strict=True
            )
            after = edges([*before, *more], edges_.mentees, edges_.mentors + mentors)
            wider = np.append(places, np.full(mentors, each.places_each)).astype(np.int32)
            assert len(solve(after, wider, None, nothing)) - len(best) == each.placed_by(mentors)


@settings(deadline=None, max_examples=60)
@given(problems())
def test_no_rule_is_broken_and_the_best_is_proved_by_either_policy(of: Problem) -> None:
    edges_ = candidates(of)
    flow = solve(edges_, of.mentors.places, None, nothing)
    stable = accept(edges_, of.mentors.places, None, nothing)
    for matched, is_flow in ((flow, True), (stable, False)):
        found = report(of, matched, Context(), is_flow=is_flow, progress=nothing)
        assert found.broken_rules == 0
        assert found.certificate.is_optimal
        assert found.is_best or not is_flow
        assert len(found.unmatched) + found.measures.placed == len(of.mentees)
        assert json.loads(json.dumps(asdict(found)))["measures"]["placed"] == len(matched)
    assert (
        report(of, stable, Context(), is_flow=False, progress=nothing).measures.blocking_pairs == 0
    )


@settings(deadline=None, max_examples=40)
@given(problems(), st.randoms(use_true_random=False))
def test_the_same_people_in_any_order_have_the_same_matching_and_report(
    of: Problem, order: random.Random
) -> None:
    again = shuffled(of, order)
    for policy in (solve, accept):
        one = policy(candidates(of), of.mentors.places, None, nothing)
        other = policy(candidates(again), again.mentors.places, None, nothing)
        assert np.array_equal(one.chosen, other.chosen)
        is_flow = policy is solve
        assert report(of, one, Context(), is_flow=is_flow, progress=nothing) == report(
            again, other, Context(), is_flow=is_flow, progress=nothing
        )


def test_a_pair_that_a_rule_forbids_is_found_by_the_check() -> None:
    of = problem([{"id": "n", "manager": "m"}], [{"id": "m"}])
    forbidden = Matched(edges([(0, 0, 500)], 1, 1), np.array([0], np.int32))
    assert broken_rules(of, forbidden) == 1


def test_a_shortage_is_a_figure_and_a_scarce_mentor_is_counted() -> None:
    of = problem([{"id": f"n{row}"} for row in range(5)], [{"id": "m", "places": 2}], settings=OPEN)
    found = reported(of)
    assert (found.measures.shortage, found.measures.placed) == (3, 2)
    assert found.scarce_mentors == 1
    assert [(each.goal, each.people, each.mentors) for each in found.wanted] == [("python", 3, 2)]


def test_churn_is_told_where_there_was_a_matching_before() -> None:
    of = problem([{"id": "n"}], [{"id": "m"}])
    matched = solve(candidates(of), of.mentors.places, None, nothing)
    before = Context(earlier={PersonId("n"): PersonId("m")})
    found = report(of, matched, before, is_flow=True, progress=nothing)
    assert found.churn is not None
    assert (found.churn.stayed, found.churn.share) == (1, 0.0)
