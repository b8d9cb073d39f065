"""What earlier pairs teach: a known effect is found, none is not made up, and nobody is in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.engine.effect import effect
from services.matching.engine.lift import NOTHING, Lift, Past, _permille, learn
from services.matching.engine.tally import AT_LEAST, tally

GOALS = tuple(f"g{number}" for number in range(6))
KNOWN = {"g0": 0.25, "g1": -0.25}


def programme(
    seed: int,
    effects: Mapping[str, float],
    *,
    pairs: int,
    mentors: int,
    of_mentor: float = 0.0,
    goals_each: int = 2,
) -> list[Past]:
    """A programme in which 65 % become steady, more or less by goal, and by mentor."""
    random = Random(seed)
    offers = [random.sample(GOALS, 3) for _ in range(mentors)]
    skill = [random.gauss(0, of_mentor) if of_mentor else 0.0 for _ in range(mentors)]
    rows = []
    for mentee in range(pairs):
        mentor = random.randrange(mentors)
        goals = tuple(random.sample(offers[mentor], random.randint(1, goals_each)))
        mean = sum(effects.get(goal, 0.0) for goal in goals) / len(goals)
        rows.append(Past(mentor, mentee, goals, random.random() < 0.65 + mean + skill[mentor]))
    return rows


def known_programme() -> list[Past]:
    return programme(1, KNOWN, pairs=1500, mentors=300)


def test_a_known_effect_is_found_with_its_sign_and_nothing_else_is() -> None:
    found = [
        learn(programme(seed, KNOWN, pairs=1500, mentors=300, of_mentor=0.1)) for seed in range(20)
    ]

    right = [
        one.used and one.permille.get("g0", 0) > 0 > one.permille.get("g1", 0) for one in found
    ]
    print(f"found in {sum(right)} of {len(right)} programmes of 1,500 pairs")
    assert sum(right) >= 18
    for one in found:
        if one.used:
            assert one.brier is not None
            assert one.brier_base is not None
            assert one.brier < one.brier_base
            least = min(abs(one.permille.get(goal, 0)) for goal in KNOWN)
            assert all(abs(one.permille.get(goal, 0)) < least for goal in GOALS[2:])


@pytest.mark.parametrize("of_mentor", [0.0, 0.15], ids=["mentors alike", "mentors differ much"])
def test_where_there_is_no_effect_none_is_made_up(of_mentor: float) -> None:
    runs = 150
    learned = [
        learn(programme(seed, {}, pairs=300, mentors=60, of_mentor=of_mentor))
        for seed in range(runs)
    ]

    false = sum(one.used for one in learned)
    print(f"false positives: {false} of {runs} programmes of 300 pairs")
    assert false <= 0.05 * runs
    assert all(not one.permille for one in learned if not one.used)
    assert all(cell.permille == 0 for one in learned if not one.used for cell in one.cells)


def test_to_learn_from_chance_alone_costs_next_to_nothing() -> None:
    learned = [learn(programme(seed, {}, pairs=300, mentors=60)) for seed in range(60)]

    worse = [one.brier - one.brier_base for one in learned if one.brier and one.brier_base]
    assert len(worse) == 60
    assert sum(worse) / len(worse) < 0.0005


def test_what_few_say_counts_for_less_than_what_many_say() -> None:
    # All of the few became steady: 35 in 100 more than others, where g0 has half as much.
    few = [Past(2000 + one, 5000 + one, ("new",), True) for one in range(6)]

    lifts = learn([*known_programme(), *few]).permille

    assert 0 < lifts["new"] < lifts["g0"]


@pytest.mark.parametrize("seed", [724, 1058])
def test_what_stands_out_and_foretells_nobody_is_not_used(seed: int) -> None:
    rows = programme(seed, {}, pairs=300, mentors=60)
    assert _permille(tally_of(rows).all).any(), "by chance, some goals stand out"

    learned = learn(rows)

    assert (learned.used, dict(learned.permille)) == (False, {})
    assert {cell.permille for cell in learned.cells} == {0}


def test_what_was_expected_is_what_was_seen() -> None:
    table = learn(programme(3, KNOWN, pairs=4000, mentors=800, goals_each=1)).reliability

    assert len(table) >= 3
    assert [one.said for one in table] == sorted(one.said for one in table)
    assert all(abs(one.said - one.seen) <= 0.1 for one in table)
    assert sum(one.pairs for one in table) > 3900


@pytest.mark.parametrize("seed", range(3))
def test_of_several_goals_in_common_too_little_is_expected_and_never_too_much(seed: int) -> None:
    table = learn(programme(seed, KNOWN, pairs=4000, mentors=800)).reliability

    for one in (each for each in table if each.pairs >= 200):
        assert abs(one.said - 0.65) <= abs(one.seen - 0.65) + 0.05, "overstated"
        assert (one.said - 0.65) * (one.seen - 0.65) >= -0.05 * 0.05, "the wrong way"


def test_a_lift_is_at_most_a_tenth_in_steps_of_a_hundredth() -> None:
    lifts = learn(programme(4, {"g0": 0.35, "g1": -0.6}, pairs=3000, mentors=500)).permille

    assert lifts["g1"] == -100
    assert all(-100 <= each <= 100 and each % 10 == 0 for each in lifts.values())


def test_the_same_for_any_order_and_any_numbers_of_people() -> None:
    rows, random = known_programme(), Random(5)
    mentors, mentees = (random.sample(range(10_000), 2_000) for _ in range(2))
    others = [
        replace(row, mentor=mentors[row.mentor], mentee=mentees[row.mentee], goals=row.goals[::-1])
        for row in rows
    ]
    random.shuffle(others)

    assert learn(others) == learn(rows)
    assert learn(rows).used


def test_one_mentor_with_many_pairs_teaches_no_more_than_one_mentor() -> None:
    rows = programme(6, {}, pairs=300, mentors=60)
    star = [Past(1000, 5000 + number, ("g0",), True) for number in range(500)]

    learned = learn([*rows, *star])

    assert not learned.used
    known, one = tally_of([*rows, *star]), tally_of([*rows, star[0]])
    assert known.all.base == pytest.approx(one.all.base)
    assert known.all.weight == pytest.approx(one.all.weight)


def tally_of(rows: Iterable[Past]):  # type: ignore[no-untyped-def]
    return tally([(row.mentor, row.mentee, row.goals, row.steady) for row in rows])


def small_rows() -> st.SearchStrategy[list[Past]]:
    row = st.builds(
        Past,
        st.integers(0, 9),
        st.integers(0, 14),
        st.lists(st.sampled_from(GOALS[:3]), max_size=2).map(tuple),
        st.booleans(),
    )
    return st.lists(row, max_size=40)


@given(small_rows())
@settings(max_examples=300)
def test_nothing_is_shown_about_fewer_than_five_whoever_is_taken_away(rows: list[Past]) -> None:
    without = [[row for row in rows if row.mentor != one] for one in range(10)]
    without += [[row for row in rows if row.mentee != one] for one in range(15)]
    for left in (rows, *without):
        learned = learn(left)
        for cell in learned.cells:
            having = [row for row in left if cell.goal in row.goals]
            assert enough(having)
            rest = [row for row in left if cell.goal not in row.goals]
            assert not rest or enough(rest), "nor does a difference show fewer"
        if not enough(left):
            assert learned == NOTHING


def enough(rows: Sequence[Past]) -> bool:
    counts = (len(rows), len({row.mentor for row in rows}), len({row.mentee for row in rows}))
    return min(counts) >= AT_LEAST


def test_a_goal_of_few_leaves_no_trace_in_what_is_said() -> None:
    rows = known_programme()
    few = [replace(row, goals=(*row.goals, "rare")) for row in rows[:4]]

    learned = learn([*few, *rows[4:]])

    assert "rare" not in {cell.goal for cell in learned.cells}
    assert [cell.goal for cell in learned.cells] == [cell.goal for cell in learn(rows).cells]


@given(small_rows().filter(lambda rows: len({row.mentor for row in rows}) > 1), st.data())
def test_what_is_expected_of_a_mentor_is_what_all_others_say(
    rows: list[Past], data: st.DataObject
) -> None:
    mentors = sorted({row.mentor for row in rows})
    number = data.draw(st.integers(0, len(mentors) - 1))
    known = tally_of(rows)
    others = tally_of(row for row in rows if row.mentor != mentors[number])

    folded = known.without(number)

    assert folded.base == pytest.approx(others.all.base)
    for column, goal in enumerate(known.goals):
        if goal in others.goals:
            there = others.goals.index(goal)
            assert folded.weight[column] == pytest.approx(others.all.weight[there])
            assert folded.steady[column] == pytest.approx(others.all.steady[there])
            assert folded.squares[column] == pytest.approx(others.all.squares[there])
            assert np.array_equal(folded.people[column], others.all.people[there])


@pytest.mark.parametrize("steady", [True, False])
def test_where_all_or_none_became_steady_there_is_nothing_to_tell_apart(steady: bool) -> None:
    rows = [replace(row, steady=steady) for row in programme(7, {}, pairs=100, mentors=30)]

    learned = learn(rows)

    assert (learned.used, learned.base_rate) == (False, float(steady))


def test_nothing_is_learned_from_nothing() -> None:
    assert learn([]) == NOTHING
    assert (NOTHING.used, NOTHING.base_rate, NOTHING.permille) == (False, None, {})


def test_the_report_says_how_many_pairs_differ_and_what_became_of_their_fit() -> None:
    told = effect(
        Lift({"g0": 50}, used=True),
        {1: (10, 800), 2: (11, 600), 4: (12, 500)},
        {1: (10, 800), 2: (12, 700), 3: (11, 400)},
    )

    assert (told.pairs, told.pairs_without, told.differ) == (3, 3, 3)
    assert (told.fit, told.fit_without, told.fit_change) == (1900, 1900, 0)
    assert effect(NOTHING, {1: (10, 800)}, {1: (10, 800)}).differ == 0
