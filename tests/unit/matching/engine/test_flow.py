"""The flow: most people, then the best total; proved by its prices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from services.matching.engine.acceptance import accept
from services.matching.engine.candidates import Edges
from services.matching.engine.certificate import prices, verify
from services.matching.engine.flow import solve
from services.matching.engine.matched import Matched
from services.matching.engine.side import Ints
from tests.unit.matching.engine.sides import edges, markets, nothing

Worth = tuple[int, int]


def every_matching(market: Edges, places: Ints) -> Iterator[list[int]]:
    """All of them, as lists of edge positions."""
    starts, room = market.starts.tolist(), places.tolist()

    def from_mentee(row: int) -> Iterator[list[int]]:
        if row == market.mentees:
            yield []
            return
        yield from from_mentee(row + 1)
        for at in range(starts[row], starts[row + 1]):
            mentor = int(market.mentor[at])
            if room[mentor] > 0:
                room[mentor] -= 1
                yield from ([at, *others] for others in from_mentee(row + 1))
                room[mentor] += 1

    return from_mentee(0)


def worth(market: Edges, chosen: list[int], kept: Ints | None = None) -> Worth:
    fits = market.fit if kept is None else market.fit + kept
    return (
        len(chosen),
        int(fits[chosen].sum()) if chosen else 0,
    )


@settings(deadline=None, max_examples=200)
@given(markets(), st.lists(st.sampled_from([0, 0, 100]), min_size=20, max_size=20))
def test_it_is_the_best_of_all_matchings(market: tuple[Edges, Ints], kept: list[int]) -> None:
    edges_, places = market
    bonus = np.array(kept[: len(edges_)], np.int32)
    matched = solve(edges_, places, bonus, nothing)
    best = max(worth(edges_, each, bonus) for each in every_matching(edges_, places))
    assert worth(edges_, matched.chosen.tolist(), bonus) == best
    assert (matched.taken <= places).all()
    assert len(set(matched.mentee.tolist())) == len(matched)


@settings(deadline=None, max_examples=150)
@given(markets(6))
def test_its_prices_prove_it_and_say_what_one_more_place_adds(market: tuple[Edges, Ints]) -> None:
    edges_, places = market
    matched = solve(edges_, places, None, nothing)
    priced = prices(matched)
    proof = verify(edges_, places, matched, priced)
    assert (proof.gap, proof.violations, proof.is_optimal) == (0, 0, True)
    for mentor in range(edges_.mentors):
        more = places.copy()
        more[mentor] += 1
        after = solve(edges_, more, None, nothing)
        assert priced.people[mentor] == len(after) - len(matched)
        assert priced.fit[mentor] == after.total_fit - matched.total_fit


@settings(deadline=None, max_examples=100)
@given(markets())
def test_a_matching_that_is_not_the_best_is_not_proved(market: tuple[Edges, Ints]) -> None:
    edges_, places = market
    best = solve(edges_, places, None, nothing)
    for each in every_matching(edges_, places):
        worse = Matched(edges_, np.array(each, np.int32))
        same = worth(edges_, each) == worth(edges_, best.chosen.tolist())
        assert verify(edges_, places, worse, prices(worse)).is_optimal == same
        # Nor by the prices of the best.
        assert verify(edges_, places, worse, prices(best)).is_optimal == same


def test_a_place_given_twice_is_a_violation() -> None:
    market = edges([(0, 0, 500), (1, 0, 500)], 2, 1)
    both = Matched(market, np.array([0, 1], np.int32))
    proof = verify(market, np.array([1], np.int32), both, prices(both))
    assert (proof.violations, proof.is_optimal) == (1, False)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 12), st.integers(0, 10_000))
def test_it_agrees_with_scipy_where_everybody_may_have_everybody(size: int, seed: int) -> None:
    fits = np.random.default_rng(seed).integers(0, 1001, (size, size))
    market = edges([(r, c, int(fits[r, c])) for r, c in np.ndindex(size, size)], size, size)
    matched = solve(market, np.ones(size, np.int32), None, nothing)
    assert matched.total_fit == fits[linear_sum_assignment(fits, maximize=True)].sum()


@settings(deadline=None, max_examples=100)
@given(markets(6), st.integers(0, 5))
def test_more_places_never_place_fewer_nor_make_it_worse(
    market: tuple[Edges, Ints], which: int
) -> None:
    edges_, places = market
    more = places.copy()
    more[which % edges_.mentors] += 2
    before, after = solve(edges_, places, None, nothing), solve(edges_, more, None, nothing)
    assert worth(edges_, before.chosen.tolist()) <= worth(edges_, after.chosen.tolist())
    stable, wider = accept(edges_, places, None, nothing), accept(edges_, more, None, nothing)
    assert len(stable) <= len(wider)
    # What each mentee has is no worse either (comparative statics of the stable matching).
    has = dict(zip(wider.mentee.tolist(), edges_.position[wider.chosen], strict=True))
    had = zip(stable.mentee.tolist(), edges_.position[stable.chosen], strict=True)
    assert all(has[mentee] <= position for mentee, position in had)


def test_nobody_is_left_out_so_that_another_fits_better() -> None:
    market = edges([(0, 0, 1000), (0, 1, 1), (1, 0, 2)], 2, 2)
    matched = solve(market, np.ones(2, np.int32), None, nothing)
    assert list(zip(matched.mentee, matched.mentor, strict=True)) == [(0, 1), (1, 0)]


def test_a_standing_proposal_gives_way_only_to_what_is_better_by_more_than_its_bonus() -> None:
    market = edges([(0, 0, 700), (0, 1, 600)], 1, 2)
    places = np.ones(2, np.int32)
    for bonus, mentor in ((99, 0), (101, 1)):
        kept = np.array([0, bonus], np.int32)
        assert solve(market, places, kept, nothing).mentor.tolist() == [mentor]


def test_nobody_and_no_place_is_an_empty_matching_with_a_proof() -> None:
    for market, places in (
        (edges([], 0, 0), np.zeros(0, np.int32)),
        (edges([], 2, 1), np.ones(1, np.int32)),
        (edges([(0, 0, 5)], 1, 1), np.zeros(1, np.int32)),
    ):
        matched = solve(market, places, None, nothing)
        assert len(matched) == 0
        assert verify(market, places, matched, prices(matched)).is_optimal
