"""Candidates: the best few of each side, exactly; the same for the same people in any order."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.fit import barrier, parts
from services.matching.domain.programme import Rules, Settings
from services.matching.engine import blocks, nearest
from services.matching.engine.candidates import Edges, find, with_pairs
from services.matching.engine.features import Problem
from services.matching.engine.side import Side
from shared.ids import PersonId
from tests.unit.matching.engine.sides import nothing, problems, shuffled, side


def found(problem: Problem) -> Edges:
    return find(
        problem.mentees, problem.mentors, problem.settings, problem.apart, problem.lift, nothing
    )


def named(problem: Problem, edges: Edges) -> list[tuple[str, str, int]]:
    return [
        (problem.mentees.ids[row], problem.mentors.ids[column], fit)
        for row, column, fit in zip(
            edges.mentee.tolist(), edges.mentor.tolist(), edges.fit.tolist(), strict=True
        )
    ]


def allowed(problem: Problem) -> dict[tuple[str, str], int]:
    """Every pair that may meet and has a place, with its fit, by the slow rules."""
    return {
        (mentee.person_id, mentor.person_id): sum(
            parts(mentor, mentee, problem.shares, problem.learned)
        )
        for column in range(len(problem.mentors))
        for row in range(len(problem.mentees))
        for mentor, mentee in [(problem.mentors.candidate(column), problem.mentees.candidate(row))]
        if problem.mentors.places[column] > 0
        and barrier(mentor, mentee, problem.settings.rules, problem.apart) is None
    }


@settings(deadline=None, max_examples=150)
@given(problems())
def test_each_side_has_its_best_few_and_every_edge_is_wanted_by_one_of_the_two(
    problem: Problem,
) -> None:
    everybody, most = allowed(problem), problem.settings.candidates
    edges = named(problem, found(problem))
    chosen = {(mentee, mentor): fit for mentee, mentor, fit in edges}
    assert len(chosen) == len(edges)
    assert all(everybody[pair] == fit for pair, fit in chosen.items())
    for side_at in (0, 1):
        for person in {pair[side_at] for pair in everybody}:
            theirs = sorted((f for p, f in everybody.items() if p[side_at] == person), reverse=True)
            kept = sorted((f for p, f in chosen.items() if p[side_at] == person), reverse=True)
            assert kept[: len(theirs[:most])] == theirs[:most]
    for pair, fit in chosen.items():
        better = [sum(f > fit for p, f in everybody.items() if p[at] == pair[at]) for at in (0, 1)]
        assert min(better) < most


@settings(deadline=None, max_examples=60)
@given(problems(), st.randoms(use_true_random=False))
def test_the_same_people_in_any_order_have_the_same_edges(
    problem: Problem, order: random.Random
) -> None:
    edges, again = found(problem), found(shuffled(problem, order))
    for column in ("mentee", "mentor", "fit", "parts"):
        assert np.array_equal(getattr(edges, column), getattr(again, column))


@settings(deadline=None, max_examples=40)
@given(problems())
def test_edges_stand_by_mentee_then_fit_then_mentor_and_their_parts_add_up(
    problem: Problem,
) -> None:
    edges = found(problem)
    rows = list(zip(edges.mentee, -edges.fit, edges.mentor, strict=True))
    assert rows == sorted(rows)
    assert np.array_equal(edges.parts.sum(axis=1), edges.fit)
    assert (edges.fit >= 0).all()
    assert (edges.fit <= 1000).all()


def test_small_blocks_and_full_baskets_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = crowd(70, 45)
    whole = found(problem)
    monkeypatch.setattr(blocks, "BLOCK_CELLS", 100)
    monkeypatch.setattr(nearest, "_WAITING", 1)
    again = found(problem)
    assert np.array_equal(whole.mentee, again.mentee)
    assert np.array_equal(whole.mentor, again.mentor)


def test_equals_are_spread_over_equals_and_not_all_shown_the_same_few() -> None:
    problem = alike(200, 200, candidates=5)
    edges = found(problem)
    shown = np.bincount(edges.mentor, minlength=200)
    assert (shown > 0).all()
    assert shown.max() < 40


def test_a_mentor_without_a_place_is_nobodys_candidate() -> None:
    mentors = side([{"id": "full", "places": 0}, {"id": "open"}])
    problem = Problem(side([{"id": "b"}]), mentors, Settings(), frozenset())
    assert [mentor for _, mentor, _ in named(problem, found(problem))] == ["open"]


def test_a_proposal_that_stands_stays_among_the_edges() -> None:
    problem = alike(9, 9, candidates=1)
    edges = found(problem)
    had = set(zip(edges.mentee.tolist(), edges.mentor.tolist(), strict=True))
    row, column = next((r, c) for r in range(9) for c in range(9) if (r, c) not in had)
    pairs = [(problem.mentors.ids[column], problem.mentees.ids[row])] * 2
    more = with_pairs(edges, problem, [*pairs, (PersonId("gone"), PersonId("b-000"))])
    assert len(more) == len(edges) + 1
    assert (row, column) in set(zip(more.mentee.tolist(), more.mentor.tolist(), strict=True))


def test_nobody_on_one_side_is_no_edge() -> None:
    problem = alike(3, 3, candidates=2)
    assert len(found(replace(problem, mentees=side([])))) == 0
    assert len(found(replace(problem, mentors=side([])))) == 0


def test_progress_is_told_and_what_it_raises_ends_the_search() -> None:
    told: list[tuple[str, int, int]] = []
    problem = alike(30, 30, candidates=2)

    def look(progress: Callable[[str, int, int], None]) -> None:
        find(problem.mentees, problem.mentors, problem.settings, frozenset(), None, progress)

    look(lambda *step: told.append(step))
    assert told[-1] == ("candidates", 30, 30)

    def stop(stage: str, done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        look(stop)


def crowd(mentees: int, mentors: int) -> Problem:
    draw = random.Random(3)

    def some(role: str, count: int) -> Side:
        return side(
            [
                {
                    "id": f"{role}-{n:03}",
                    "topics": tuple(draw.sample(("data", "python", "talking", "law"), 2)),
                    "vector": [draw.gauss(0, 1) for _ in range(8)],
                    "places": 2,
                }
                for n in range(count)
            ]
        )

    return Problem(some("b", mentees), some("a", mentors), Settings(candidates=4), frozenset())


def alike(mentees: int, mentors: int, candidates: int) -> Problem:
    return Problem(
        side([{"id": f"b-{n:03}"} for n in range(mentees)]),
        side([{"id": f"a-{n:03}"} for n in range(mentors)]),
        Settings(rules=Rules(), candidates=candidates),
        frozenset(),
    )
