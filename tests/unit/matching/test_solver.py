"""The solver against trying everything: same coverage, same fit."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.solver import assign

FITS = st.integers(1, 4).flatmap(
    lambda columns: st.lists(
        st.lists(st.sampled_from([0, 0, 300, 301, 999, 1000]), min_size=columns, max_size=columns),
        min_size=1,
        max_size=4,
    )
)


@settings(deadline=None, max_examples=150)
@given(FITS, st.lists(st.integers(0, 2), min_size=4, max_size=4))
def test_it_places_as_many_as_can_be_and_then_as_well_as_can_be(
    fits: list[list[int]], places: list[int]
) -> None:
    free = places[: len(fits[0])]
    chosen = assign(fits, free)
    assert len({row for row, _ in chosen}) == len(chosen)
    assert all(
        sum(column == wanted for _, column in chosen) <= free[wanted] for wanted in range(len(free))
    )
    assert all(fits[row][column] > 0 for row, column in chosen)
    assert worth(fits, chosen) == best_by_trying_everything(fits, free)


def test_nobody_or_no_place_is_an_empty_answer() -> None:
    assert assign([], [1]) == []
    assert assign([[]], []) == []
    assert assign([[500]], [0]) == []


def worth(fits: list[list[int]], chosen: list[tuple[int, int]]) -> tuple[int, int]:
    return len(chosen), sum(fits[row][column] for row, column in chosen)


def best_by_trying_everything(fits: list[list[int]], free: list[int]) -> tuple[int, int]:
    nobody = len(free)
    best = (0, 0)
    for choice in product(range(nobody + 1), repeat=len(fits)):
        chosen = [(row, column) for row, column in enumerate(choice) if column != nobody]
        allowed = all(choice.count(column) <= free[column] for column in range(nobody))
        if allowed and all(fits[row][column] > 0 for row, column in chosen):
            best = max(best, worth(fits, chosen))
    return best
