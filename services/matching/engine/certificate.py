"""Proof that a matching is the best there is, by prices that anybody can check. Solves nothing.

Every mentor's place gets a price. A mentee's own gain is the best that an edge is worth beyond its
mentor's price, or nothing. By weak duality no matching is worth more than all gains and all prices
of places together, whatever the prices are: where that is what the matching is worth, it is best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.matching.engine.candidates import Edges
from services.matching.engine.flow import worths
from services.matching.engine.matched import Matched
from services.matching.engine.side import Ints, Longs


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """`place` (mentors,) is what one more place of each would add: exactly, where the gap is 0.

    In thousandths, a person placed counting `per_person`, which outweighs all fits together.
    """

    place: Longs
    per_person: int

    @property
    def people(self) -> Longs:
        """(mentors,): how many more people one more place would place, 0 or 1."""
        return np.asarray((self.place + self.per_person // 2) // self.per_person)

    @property
    def fit(self) -> Longs:
        """(mentors,): the thousandths of fit that come or go with it."""
        return np.asarray(self.place - self.people * self.per_person)


@dataclass(frozen=True, slots=True)
class Certificate:
    """`objective` is what the matching is worth, `dual` what none can be worth more than.

    Both in thousandths, a person placed counting `per_person`. `violations` counts mentees with
    two mentors and places given twice. `is_optimal` needs a gap of 0 and none of those.
    """

    objective: int
    dual: int
    per_person: int
    violations: int

    @property
    def gap(self) -> int:
        return self.dual - self.objective

    @property
    def is_optimal(self) -> bool:
        return self.gap == 0 and self.violations == 0


def prices(matched: Matched, kept: Ints | None = None) -> Prices:
    """The lowest prices that leave nobody a better mentor than their own for the money.

    Bellman and Ford on the residual graph, over mentors alone: whoever has a mentor's place could
    move, so every other mentor on their list costs at least what the move would gain. Only those
    whose price rose are looked at again. For a matching that is not the best prices rise without
    end; it stops after as many rounds as there are mentors, and `verify` shows a gap.
    """
    edges = matched.edges
    worth, per_person = _worth(edges, kept)
    tail, head, gain = _moves(matched, worth)
    place = np.zeros(edges.mentors + 1, np.int64)
    starts = np.searchsorted(tail, np.arange(edges.mentors + 2))
    risen = np.arange(edges.mentors + 1)
    for _ in range(edges.mentors + 1):
        at = _ranges(starts[risen], starts[risen + 1])
        to, price = head[at], place[tail[at]] + gain[at]
        higher = price > place[to]
        if not higher.any():
            break
        np.maximum.at(place, to[higher], price[higher])
        risen = np.unique(to[higher])
    return Prices(place[:-1], per_person)


def verify(
    edges: Edges, places: Ints, matched: Matched, prices: Prices, kept: Ints | None = None
) -> Certificate:
    """Whether the matching keeps to the places and is worth as much as any could be."""
    worth, per_person = _worth(edges, kept)
    left = worth - prices.place[edges.mentor]
    gain = np.zeros(edges.mentees, np.int64)
    np.maximum.at(gain, edges.mentee, left)
    free = np.maximum(places, 0).astype(np.int64)
    too_many = np.maximum(matched.taken - free, 0).sum()
    twice = len(matched) - len(np.unique(matched.mentee))
    return Certificate(
        objective=int(worth[matched.chosen].sum()),
        dual=int(gain.sum() + (prices.place * free).sum()),
        per_person=per_person,
        violations=int(too_many) + twice + int((prices.place < 0).sum()),
    )


def _worth(edges: Edges, kept: Ints | None) -> tuple[Longs, int]:
    """Each edge in thousandths, a person placed included, and what a person placed counts."""
    worth = worths(edges, kept)
    per_person = 2 * (edges.mentees + 1) * (int(np.abs(worth).max(initial=0)) + 1)
    return worth + per_person, per_person


def _moves(matched: Matched, worth: Longs) -> tuple[Longs, Longs, Longs]:
    """From a mentor, to a mentor, and the most that somebody's move would gain; by the first.

    The number behind the last mentor stands for having none.
    """
    edges = matched.edges
    nobody = edges.mentors
    mine, now = np.full(edges.mentees, nobody, np.int64), np.zeros(edges.mentees, np.int64)
    mine[matched.mentee], now[matched.mentee] = matched.mentor, worth[matched.chosen]
    other = edges.mentor != mine[edges.mentee]
    key = mine[edges.mentee[other]] * (nobody + 1) + edges.mentor[other]
    gain = (worth - now[edges.mentee])[other]
    order = np.argsort(key, kind="stable")
    key, gain = key[order], gain[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    if len(first):
        key, gain = key[first], np.maximum.reduceat(gain, first)
    return key // (nobody + 1), key % (nobody + 1), gain


def _ranges(starts: Longs, ends: Longs) -> Longs:
    """All positions from each start up to its end, one range after the other."""
    counts = ends - starts
    before = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return np.repeat(starts - before, counts) + np.arange(counts.sum())
