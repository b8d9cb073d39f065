"""What more mentors would change: for the goals that those left out ask for most. Exact.

One virtual mentor offers the goal and suits all who want it; how many more people a matching with
them could place is a maximum flow. Recommends nothing about who.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from ortools.graph.python.max_flow import SimpleMaxFlow

from services.matching.engine.matched import Matched
from services.matching.engine.side import Bools, Ints, Progress, Side

STAGE = "wanted"
MOST_GOALS = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """`asking` of those left out want this goal; mentors who offer it could place up to `most`
    more people, directly or by setting free the mentor of somebody else who wants it.

    `places_each` is what a new mentor is counted with: the median of those there are.
    """

    goal: str
    asking: int
    most: int
    places_each: int

    @property
    def mentors(self) -> int:
        """How many new mentors that takes."""
        return -(-self.most // self.places_each)

    def placed_by(self, mentors: int) -> int:
        """How many more people so many new mentors would place, exactly.

        Each further place adds one person or none, and none from then on (augmenting paths).
        """
        return min(mentors * self.places_each, self.most)


def wanted(best: Matched, mentees: Side, places: Ints, progress: Progress) -> tuple[Wanted, ...]:
    """The goals that most of those left out ask for, most first. `best` places as many as can be.

    Assumes that the new mentors are kept from nobody who wants the goal by another rule.
    """
    left_out = best.unmatched
    asked = Counter(goal for row in left_out.tolist() for goal in set(mentees.topics[row]))
    goals = sorted(asked, key=lambda goal: (-asked[goal], goal))[:MOST_GOALS]
    free = places[places > 0]
    each = max(1, int(np.median(free))) if len(free) else 1
    inside = _reached(best) if goals else np.empty(0, np.bool_)
    found = []
    for at, goal in enumerate(goals):
        wants = np.array([goal in topics for topics in mentees.topics], np.bool_)
        found.append(Wanted(goal, asked[goal], _more(best, places, inside, wants), each))
        progress(STAGE, at + 1, len(goals))
    return tuple(found)


def _reached(best: Matched) -> Bools:
    """(mentees,): those left out, and all whose place they could have if those moved elsewhere.

    Only among these can somebody new make room for somebody left out.
    """
    edges, starts = best.edges, best.edges.starts
    inside = np.zeros(edges.mentees, np.bool_)
    seen = np.zeros(edges.mentors, np.bool_)
    news = best.unmatched.astype(np.int64)
    while len(news):
        inside[news] = True
        counts = starts[news + 1] - starts[news]
        before = np.concatenate([[0], np.cumsum(counts)[:-1]])
        at = np.repeat(starts[news] - before, counts) + np.arange(counts.sum())
        seen[edges.mentor[at]] = True
        news = best.mentee[seen[best.mentor] & ~inside[best.mentee]].astype(np.int64)
    return inside


def _more(best: Matched, places: Ints, inside: Bools, wants: Bools) -> int:
    """How many more of those inside have a mentor if whoever wants the goal may have a new one."""
    edges = best.edges
    used = inside[edges.mentee]
    people = np.flatnonzero(inside).astype(np.int32)
    new, source, sink = (edges.mentees + edges.mentors + n for n in range(3))
    eager = people[wants[people]]
    mentors = np.arange(edges.mentors, dtype=np.int32)
    flow = SimpleMaxFlow()
    for tail, head, width in (
        (np.full(len(people), source), people, np.ones(len(people))),
        (edges.mentee[used], edges.mentees + edges.mentor[used], np.ones(int(used.sum()))),
        (edges.mentees + mentors, np.full(len(mentors), sink), np.maximum(places, 0)),
        (eager, np.full(len(eager), new), np.ones(len(eager))),
        (np.array([new]), np.array([sink]), np.array([len(people)])),
    ):
        flow.add_arcs_with_capacity(
            tail.astype(np.int32), head.astype(np.int32), width.astype(np.int64)
        )
    if not len(people) or flow.solve(source, sink) != SimpleMaxFlow.OPTIMAL:
        return 0
    return int(flow.optimal_flow()) - int(inside[best.mentee].sum())
