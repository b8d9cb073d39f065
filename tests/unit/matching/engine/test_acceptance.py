"""Deferred acceptance: stable, and of all stable matchings the best for every mentee."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.engine.acceptance import Ranks, accept, by_fit, strict
from services.matching.engine.candidates import Edges
from services.matching.engine.measures import blocking_pairs
from services.matching.engine.side import Ints
from tests.unit.matching.engine.sides import edges, markets, nothing
from tests.unit.matching.engine.test_flow import every_matching

RANKS = st.lists(st.integers(1, 3), min_size=40, max_size=40)


def ranked(market: Edges, drawn: list[int]) -> Ranks:
    """Ranks with many equals, other on the two sides."""
    count = len(market)
    return Ranks(np.array(drawn[:count], np.int32), np.array(drawn[::-1][:count], np.int32))


def stable(market: Edges, places: Ints, ranks: Ranks, chosen: list[int]) -> bool:
    """By the book: no two prefer each other, in the strict order, to what they have."""
    wish = strict(market.mentee, ranks.mentee, market.fit, market.mentor)
    order = strict(market.mentor, ranks.mentor, market.fit, market.mentee)
    has = {int(market.mentee[at]): at for at in chosen}
    for at in set(range(len(market))) - set(chosen):
        mentee, mentor = int(market.mentee[at]), int(market.mentor[at])
        held = [other for other in chosen if market.mentor[other] == mentor]
        would_go = mentee not in has or wish[at] < wish[has[mentee]]
        would_take = len(held) < places[mentor] or any(order[at] < order[o] for o in held)
        if would_go and would_take and places[mentor] > 0:
            return False
    return True


@settings(deadline=None, max_examples=150)
@given(markets(), RANKS, st.booleans())
def test_it_is_stable_and_no_mentee_does_better_in_any_stable_matching(
    market: tuple[Edges, Ints], drawn: list[int], own: bool
) -> None:
    edges_, places = market
    ranks = ranked(edges_, drawn) if own else by_fit(edges_)
    matched = accept(edges_, places, ranks if own else None, nothing)
    assert (matched.taken <= places).all()
    assert len(set(matched.mentee.tolist())) == len(matched)
    assert stable(edges_, places, ranks, matched.chosen.tolist())
    assert len(blocking_pairs(matched, places, ranks)) == 0
    wish = strict(edges_.mentee, ranks.mentee, edges_.fit, edges_.mentor)
    has = dict(zip(matched.mentee.tolist(), matched.chosen.tolist(), strict=True))
    for other in every_matching(edges_, places):
        if stable(edges_, places, ranks, other):
            # The same people are placed in all of them (rural hospitals), none of them better.
            assert {int(edges_.mentee[at]) for at in other} == set(has)
            assert all(wish[has[int(edges_.mentee[at])]] <= wish[at] for at in other)


def test_what_people_ranked_comes_before_what_fits() -> None:
    market = edges([(0, 0, 900), (0, 1, 100)], 1, 2)
    places = np.ones(2, np.int32)
    said = Ranks(np.array([2, 1], np.int32), np.array([1, 1], np.int32))
    assert accept(market, places, None, nothing).mentor.tolist() == [0]
    assert accept(market, places, said, nothing).mentor.tolist() == [1]


def test_an_edge_that_somebody_struck_out_is_never_chosen() -> None:
    market = edges([(0, 0, 900), (0, 1, 100)], 1, 2)
    left = market.keeping(market.mentor != 0)
    assert accept(left, np.ones(2, np.int32), None, nothing).mentor.tolist() == [1]


def test_twenty_thousand_people_take_a_moment() -> None:
    draw = np.random.default_rng(2)
    fits = [(r, int(c), int(draw.integers(1, 1001))) for r in range(15_000)
            for c in draw.choice(5_000, 8, replace=False)]  # fmt: skip
    market = edges(fits, 15_000, 5_000)
    places = np.full(5_000, 3, np.int32)
    matched = accept(market, places, None, nothing)
    assert len(blocking_pairs(matched, places, by_fit(market))) == 0
    assert len(matched) > 14_000
