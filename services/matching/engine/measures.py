"""What a matching is like, in figures: how far down people's lists it went, who would rather swap.

Shares are of 1. Ranks count from 1, equals share the better one. Judges no person: groups are in
engine/groups, and there by unit and language alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from services.matching.engine.acceptance import Ranks, by_fit, rank_within
from services.matching.engine.candidates import Edges
from services.matching.engine.matched import Matched
from services.matching.engine.side import Ints, Side
from shared.ids import PersonId

TOP = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """How far down their own lists people got. Shares are of all mentees, ranks of those placed.

    Without anybody placed the ranks are None.
    """

    first_share: float
    top3_share: float
    mean_rank: float | None
    p95_rank: float | None
    worst_rank: int | None


@dataclass(frozen=True, slots=True)
class Measures:
    """A matching as a whole.

    `fit_of_optimum` is the total fit against that of the best matching, None for no fit at all.
    A blocking pair are two who both prefer each other to what they have; `blocked_share` is the
    share of everybody who is in one. `load_gini` (0 is even) is over mentors with places.
    """

    mentees: int
    places: int
    placed: int
    coverage: float
    standing: Standing
    total_fit: int
    fit_of_optimum: float | None
    blocking_pairs: int
    blocked_share: float
    load_gini: float
    seat_use: float

    @property
    def shortage(self) -> int:
        """How many places too few there are for everybody."""
        return max(0, self.mentees - self.places)


@dataclass(frozen=True, slots=True)
class Churn:
    """What became of an earlier matching: `share` is of those who had a mentor and still look."""

    stayed: int
    moved: int
    lost: int
    new: int
    share: float


def measure(matched: Matched, places: Ints, ranks: Ranks | None, optimum_fit: int) -> Measures:
    """All measures. `ranks` are what people said; None is by fit. `optimum_fit` in thousandths."""
    edges = matched.edges
    free = np.maximum(places, 0)
    ranks = ranks or by_fit(edges)
    blocking = blocking_pairs(matched, places, ranks)
    blocked = len(np.unique(edges.mentee[blocking])) + len(np.unique(edges.mentor[blocking]))
    seats = int(free.sum())
    return Measures(
        mentees=edges.mentees,
        places=seats,
        placed=len(matched),
        coverage=share(len(matched), edges.mentees),
        standing=standing(own_ranks(edges, ranks)[matched.chosen], edges.mentees),
        total_fit=matched.total_fit,
        fit_of_optimum=matched.total_fit / optimum_fit if optimum_fit else None,
        blocking_pairs=len(blocking),
        blocked_share=share(blocked, edges.mentees + int((free > 0).sum())),
        load_gini=gini(matched.taken[free > 0]),
        seat_use=share(len(matched), seats),
    )


def standing(placed: Ints, mentees: int) -> Standing:
    """The figures of so many mentees, of whom those placed got these ranks."""
    if not len(placed):
        return Standing(0.0, 0.0, None, None, None)
    return Standing(
        first_share=share(int((placed == 1).sum()), mentees),
        top3_share=share(int((placed <= TOP).sum()), mentees),
        mean_rank=round(float(placed.mean()), 2),
        p95_rank=float(np.quantile(placed, 0.95, method="higher")),
        worst_rank=int(placed.max()),
    )


def own_ranks(edges: Edges, ranks: Ranks) -> Ints:
    """Each edge's rank in its mentee's list, from 1; equals share the better one."""
    return rank_within(edges.mentee, ranks.mentee)


def blocking_pairs(matched: Matched, places: Ints, ranks: Ranks) -> Ints:
    """The edges whose two members both prefer each other to what they have, strictly."""
    edges = matched.edges
    nothing = np.iinfo(np.int64).max
    mine = np.full(edges.mentees, nothing, np.int64)
    mine[matched.mentee] = ranks.mentee[matched.chosen]
    worst = np.full(edges.mentors, -nothing, np.int64)
    np.maximum.at(worst, matched.mentor, ranks.mentor[matched.chosen].astype(np.int64))
    worst[matched.taken < places] = nothing
    both = (ranks.mentee < mine[edges.mentee]) & (ranks.mentor < worst[edges.mentor])
    return np.flatnonzero(both).astype(np.int32)


def gini(loads: Ints) -> float:
    """How uneven loads are: 0 when all carry the same, towards 1 when one carries all."""
    count, whole = len(loads), int(loads.sum())
    if not whole:
        return 0.0
    ordered = np.sort(loads).astype(np.int64)
    weighted = int((ordered * np.arange(1, count + 1)).sum())
    return max(0.0, 2 * weighted / (count * whole) - (count + 1) / count)


def churn(
    matched: Matched, mentees: Side, mentors: Side, earlier: Mapping[PersonId, PersonId]
) -> Churn:
    """Against the earlier mentor of each mentee; mentees who no longer look do not count."""
    now = {
        mentees.ids[row]: mentors.ids[column]
        for row, column in zip(matched.mentee.tolist(), matched.mentor.tolist(), strict=True)
    }
    looking = set(mentees.ids)
    had = {mentee: mentor for mentee, mentor in earlier.items() if mentee in looking}
    stayed = sum(now.get(mentee) == mentor for mentee, mentor in had.items())
    lost = sum(mentee not in now for mentee in had)
    moved = len(had) - stayed - lost
    new = sum(mentee not in had for mentee in now)
    return Churn(stayed, moved, lost, new, share(moved + lost, len(had)))


def share(part: int, whole: int) -> float:
    """A share of 1; nothing of nothing is 0."""
    return part / whole if whole else 0.0
