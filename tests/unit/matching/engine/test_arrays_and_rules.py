"""The arrays say of every pair what the slow and readable rules of domain/fit say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from services.matching.domain.fit import Barrier, barrier, parts
from services.matching.domain.programme import Settings
from services.matching.engine import layers
from services.matching.engine.blocks import Blocks
from services.matching.engine.exclusions import explain
from services.matching.engine.features import Problem, encode
from services.matching.engine.pairwise import parts_of
from services.matching.engine.side import Side
from tests.unit.matching.engine.sides import nothing, problems, side

WHY = list(Barrier)


def oracle(problem: Problem, row: int, column: int) -> tuple[Barrier | None, tuple[int, ...]]:
    mentor, mentee = problem.mentors.candidate(column), problem.mentees.candidate(row)
    return (
        barrier(mentor, mentee, problem.settings.rules, problem.apart),
        parts(mentor, mentee, problem.shares, problem.learned),
    )


@settings(deadline=None, max_examples=150)
@given(problems())
def test_every_cell_of_a_block_is_the_fit_of_the_pair_or_barred(problem: Problem) -> None:
    count = len(problem.mentees)
    blocks = Blocks(problem, encode(problem))
    fits = blocks.fits(np.arange(count, dtype=np.int32), blocks.workspace())
    for row in range(count):
        for column in range(len(problem.mentors)):
            barred, found = oracle(problem, row, column)
            assert (fits[row, column] < 0) == (barred is not None)
            assert barred is not None or fits[row, column] == sum(found)


@settings(deadline=None, max_examples=100)
@given(problems())
def test_the_parts_of_a_pair_are_those_of_the_rules(problem: Problem) -> None:
    shape = (len(problem.mentees), len(problem.mentors))
    rows, columns = (each.astype(np.int32).reshape(-1) for each in np.indices(shape))
    found = parts_of(problem, encode(problem), rows, columns).tolist()
    expected = [oracle(problem, row, column)[1] for row, column in np.ndindex(shape)]
    assert [tuple(each) for each in found] == expected


@settings(deadline=None, max_examples=100)
@given(problems())
def test_what_each_rule_took_from_a_mentee_is_counted_at_the_first_rule(problem: Problem) -> None:
    rows = np.arange(len(problem.mentees), dtype=np.int32)
    found = explain(problem, rows, nothing)
    for row in rows.tolist():
        met = [oracle(problem, row, column)[0] for column in range(len(problem.mentors))]
        full = problem.mentors.places <= 0
        first = [
            why or (Barrier.NO_MENTOR_CAPACITY if full[column] else None)
            for column, why in enumerate(met)
        ]
        assert found.lost[row].tolist() == [first.count(why) for why in WHY]
        assert bool(found.has_open[row]) == (None in first)


def test_tables_and_blocks_of_patterns_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem(_many(9), _many(40), Settings(), frozenset())
    rows = np.arange(9, dtype=np.int32)
    tabled = Blocks(problem, encode(problem))
    monkeypatch.setattr(layers, "TABLE_CELLS", 0)
    bare = Blocks(problem, encode(problem))
    assert all(each.table is None for each in bare.layers)
    assert np.array_equal(
        tabled.fits(rows, tabled.workspace()), bare.fits(rows[::-1].copy(), bare.workspace())[::-1]
    )


@pytest.mark.parametrize(("rows", "depth", "columns"), [(1, 1, 1), (3, 7, 5000), (64, 64, 333)])
def test_a_product_in_strips_is_the_product(rows: int, depth: int, columns: int) -> None:
    draw = np.random.default_rng(5)
    left = draw.integers(-9, 9, (rows, depth)).astype(np.float32)
    right = draw.integers(-9, 9, (depth, columns)).astype(np.float32)
    assert np.array_equal(layers.product(left, right), left @ right)


def test_columns_of_different_lengths_and_people_out_of_order_are_refused() -> None:
    good = side([{"id": "a"}, {"id": "b"}])
    columns = {name: getattr(good, name) for name in Side.__slots__}
    with pytest.raises(ValueError, match="different lengths"):
        Side(**{**columns, "slots": [0]})
    with pytest.raises(ValueError, match="ascending"):
        Side(**{**columns, "ids": ["b", "a"]})
    with pytest.raises(ValueError, match="ascending"):
        Side(**{**columns, "ids": ["a", "a"]})


def _many(count: int) -> Side:
    goals = ("python", "data", "speaking")
    return side(
        [
            {
                "id": f"p{n:02}",
                "topics": goals[: n % 4],
                "languages": ("en", "de")[n % 2 :],
                "slots": 0b1111 << 4 * (n % 5),
                "vector": [(n * k) % 5 - 2.0 for k in range(8)],
            }
            for n in range(count)
        ]
    )
