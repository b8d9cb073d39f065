"""Deferred acceptance, mentees proposing: a matching that no pair has a reason to leave.

Gale and Shapley 1962, with places as in the college admissions problem; the best stable matching
for every mentee. Nobody gains by misstating their own list (Roth 1982, for mentees).
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappush, heapreplace

import numpy as np

from services.matching.engine.candidates import Edges
from services.matching.engine.matched import Matched
from services.matching.engine.side import Ints, Longs, Progress

STAGE = "solve"
_SAY_EVERY = 10_000
_NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """What people said themselves: for each edge its rank, lower is better.

    `mentee` is the mentee's rank of the mentor, `mentor` the mentor's rank of the mentee. Equal
    ranks are told apart by the fit, then by the order of ids. Edges that somebody struck out are
    to be dropped before, with `Edges.keeping`.
    """

    mentee: Ints
    mentor: Ints


def by_fit(edges: Edges) -> Ranks:
    """The ranks of two who prefer whoever fits them better."""
    return Ranks(-edges.fit, -edges.fit)


def accept(edges: Edges, places: Ints, ranks: Ranks | None, progress: Progress) -> Matched:
    """The stable matching that is best for all mentees; `ranks` None is by fit alone.

    Stable in the order that `strict` makes of the ranks, so without a blocking pair even among
    equals. Deterministic.
    """
    progress(STAGE, 0, 1)
    ranks = ranks or by_fit(edges)
    of_mentee = strict(edges.mentee, ranks.mentee, edges.fit, edges.mentor)
    of_mentor = strict(edges.mentor, ranks.mentor, edges.fit, edges.mentee)
    # The edges of each mentee in the order of their own wishes, one after the other.
    wishes = np.argsort(of_mentee, kind="stable").tolist()
    held = _propose(edges, wishes, of_mentor.tolist(), places.tolist(), progress)
    chosen = np.array(sorted(edge for each in held for _, edge in each), np.int32)
    progress(STAGE, 1, 1)
    return Matched(edges, chosen)


def strict(who: Ints, rank: Ints, fit: Ints, whom: Ints) -> Longs:
    """Each edge's place in one order by (who, rank, -fit, whom): no two are equal."""
    order = np.lexsort((whom, -fit, rank, who))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place


def rank_within(who: Ints, rank: Ints) -> Ints:
    """Each edge's rank among those of the same person, from 1; equals share the better one."""
    order = np.lexsort((rank, who))
    person, given = who[order], rank[order]
    begins = np.diff(person, prepend=-1) != 0
    is_new = begins | (np.diff(given, prepend=0) != 0)
    at = np.arange(len(order))
    first = np.maximum.accumulate(np.where(is_new, at, 0))
    found = np.empty(len(order), np.int32)
    found[order] = first - np.maximum.accumulate(np.where(begins, at, 0)) + 1
    return found


def _propose(
    edges: Edges, wishes: list[int], standing: list[int], places: list[int], progress: Progress
) -> list[list[tuple[int, int]]]:
    """What each mentor holds in the end: a heap of (-place in the mentor's order, edge)."""
    mentees, mentors, starts = edges.mentee.tolist(), edges.mentor.tolist(), edges.starts.tolist()
    held: list[list[tuple[int, int]]] = [[] for _ in places]
    next_wish = starts[:-1]
    for first in range(edges.mentees):
        if first % _SAY_EVERY == 0:
            progress(STAGE, first, edges.mentees)
        mentee = first
        while mentee != _NOBODY and next_wish[mentee] < starts[mentee + 1]:
            edge = wishes[next_wish[mentee]]
            next_wish[mentee] += 1
            holds, mine = held[mentors[edge]], (-standing[edge], edge)
            if len(holds) < places[mentors[edge]]:
                heappush(holds, mine)
                mentee = _NOBODY
            elif holds and holds[0] < mine:
                # The one whom the mentor liked least goes on with their own list.
                mentee = mentees[heapreplace(holds, mine)[1]]
    return held
