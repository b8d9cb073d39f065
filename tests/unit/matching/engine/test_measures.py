"""The measures of a matching, worked out by hand, and against counting one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.engine.acceptance import Ranks, by_fit
from services.matching.engine.candidates import Edges
from services.matching.engine.groups import gaps
from services.matching.engine.matched import Matched
from services.matching.engine.measures import (
    Churn,
    blocking_pairs,
    churn,
    gini,
    measure,
    own_ranks,
)
from services.matching.engine.side import Ints
from shared.ids import PersonId
from tests.unit.matching.engine.sides import edges, markets, side
from tests.unit.matching.engine.test_flow import every_matching

# Three mentees, two mentors: 0 got their second, 1 their first (shared), 2 nobody.
MARKET = edges([(0, 0, 900), (0, 1, 500), (1, 0, 700), (1, 1, 700), (2, 0, 100)], 3, 2)
PLACES = np.array([1, 2], np.int32)


def chosen(*pairs: tuple[int, int]) -> Matched:
    all_pairs = list(zip(MARKET.mentee.tolist(), MARKET.mentor.tolist(), strict=True))
    return Matched(MARKET, np.array(sorted(all_pairs.index(pair) for pair in pairs), np.int32))


def test_a_matching_in_figures() -> None:
    found = measure(chosen((0, 1), (1, 0)), PLACES, None, optimum_fit=1_600)
    assert (found.mentees, found.places, found.placed, found.shortage) == (3, 3, 2, 0)
    assert found.coverage == pytest.approx(2 / 3)
    assert found.standing.first_share == pytest.approx(1 / 3)
    assert found.standing.top3_share == pytest.approx(2 / 3)
    assert (found.standing.mean_rank, found.standing.worst_rank) == (1.5, 2)
    assert (found.total_fit, found.fit_of_optimum) == (1_200, 0.75)
    # 0 would rather have mentor 0, who would rather have 0 than 1; 2 is nobody's better choice.
    assert (found.blocking_pairs, found.blocked_share) == (1, 2 / 5)
    assert found.load_gini == 0.0
    assert found.seat_use == pytest.approx(2 / 3)


def test_nobody_placed_is_a_figure_and_no_fault() -> None:
    found = measure(chosen(), np.zeros(2, np.int32), None, optimum_fit=0)
    assert (found.coverage, found.seat_use, found.shortage) == (0.0, 0.0, 3)
    assert (found.standing.mean_rank, found.fit_of_optimum) == (None, None)


def test_equals_share_the_better_rank() -> None:
    assert own_ranks(MARKET, by_fit(MARKET)).tolist() == [1, 2, 1, 1, 1]


def test_ranks_that_people_gave_are_the_ones_that_count() -> None:
    said = Ranks(np.array([5, 2, 1, 3, 1], np.int32), np.ones(5, np.int32))
    assert own_ranks(MARKET, said).tolist() == [2, 1, 1, 2, 1]


@settings(deadline=None, max_examples=100)
@given(markets(4), st.integers(0, 10_000))
def test_blocking_pairs_are_those_that_counting_one_by_one_finds(
    market: tuple[Edges, Ints], which: int
) -> None:
    edges_, places = market
    every = list(every_matching(edges_, places))
    matched = Matched(edges_, np.array(every[which % len(every)], np.int32))
    has = dict(zip(matched.mentee.tolist(), edges_.fit[matched.chosen].tolist(), strict=True))
    expected = []
    for at in range(len(edges_)):
        mentee, mentor, fit = edges_.mentee[at], edges_.mentor[at], edges_.fit[at]
        held = edges_.fit[matched.chosen][matched.mentor == mentor]
        takes = len(held) < places[mentor] or (held < fit).any()
        if fit > has.get(mentee, -1) and takes:
            expected.append(at)
    assert blocking_pairs(matched, places, by_fit(edges_)).tolist() == expected


@pytest.mark.parametrize(
    ("loads", "expected"),
    [
        pytest.param([], 0.0, id="nobody"),
        pytest.param([0, 0], 0.0, id="nothing to carry"),
        pytest.param([3, 3, 3], 0.0, id="all the same"),
        pytest.param([0, 0, 0, 4], 0.75, id="one carries all"),
        pytest.param([1, 3], 0.25, id="one carries three times as much"),
    ],
)
def test_gini(loads: list[int], expected: float) -> None:
    assert gini(np.array(loads, np.int32)) == pytest.approx(expected)


def test_churn_counts_what_became_of_those_who_still_look() -> None:
    mentees = side([{"id": f"n{row}"} for row in range(3)])
    mentors = side([{"id": f"m{column}"} for column in range(2)])
    earlier = {"n0": "m1", "n1": "m1", "n2": "m0", "left": "m0"}
    found = churn(
        chosen((0, 1), (1, 0)),
        mentees,
        mentors,
        {PersonId(mentee): PersonId(mentor) for mentee, mentor in earlier.items()},
    )
    assert found == Churn(stayed=1, moved=1, lost=1, new=0, share=2 / 3)


def test_a_group_that_fared_worse_than_four_fifths_is_flagged_and_a_small_one_not_shown() -> None:
    units = ["sea"] * 40 + ["land"] * 40 + ["moon"] * 4
    mentees = side(
        [
            {"id": f"n{row:02}", "unit": unit, "languages": ("en", "de") if row % 2 else ("en",)}
            for row, unit in enumerate(units)
        ]
    )
    market = edges([(row, 0, 500) for row in range(84)], 84, 1)
    # Everybody on land, a quarter at sea.
    placed = [row for row in range(84) if row >= 40 or row % 4 == 0]
    by_unit, by_language = gaps(
        Matched(market, np.array(placed, np.int32)), np.ones(84, np.int32), mentees
    )
    assert [(group.name, group.people, group.flagged) for group in by_unit.shown] == [
        ("sea", 40, True),
        ("land", 40, False),
    ]
    assert (by_unit.groups, by_unit.flagged) == (2, 1)
    sea = by_unit.shown[0]
    assert (sea.coverage, sea.top3_share, sea.mean_rank, sea.of_best) == (0.25, 0.25, 1.0, 0.25)
    assert {group.name for group in by_language.shown} == {"en", "de"}


def test_a_few_people_far_from_the_rest_by_chance_are_not_flagged() -> None:
    units = ["sea"] * 5 + ["land"] * 40
    mentees = side([{"id": f"n{row:02}", "unit": unit} for row, unit in enumerate(units)])
    market = edges([(row, 0, 500) for row in range(45)], 45, 1)
    placed = [0, 1, 2, *range(5, 37)]
    by_unit, _ = gaps(Matched(market, np.array(placed, np.int32)), np.ones(45, np.int32), mentees)
    assert by_unit.shown[0].name == "sea"
    assert by_unit.shown[0].of_best < 0.8
    assert not by_unit.shown[0].flagged
