"""The best matching there is: minimum-cost flow by OR-tools, in whole numbers.

A mentee is a source of one, a mentor a way to the sink that is as wide as there are free places.
Cost scaling by push and relabel (Goldberg 1997), the same answer for the same arcs every time.
"""

from __future__ import annotations

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from services.matching.engine.candidates import Edges
from services.matching.engine.matched import Matched
from services.matching.engine.side import Ints, Longs, Progress

STAGE = "solve"


def worths(edges: Edges, kept: Ints | None) -> Longs:
    """What each edge is worth, in thousandths: its fit, and the bonus of a proposal that stands."""
    worth = edges.fit.astype(np.int64)
    return worth if kept is None else worth + kept


def solve(edges: Edges, places: Ints, kept: Ints | None, progress: Progress) -> Matched:
    """As many people as possible, and of those matchings one with the best total worth.

    `places` (mentors,) are free places, `kept` (edges,) what a proposal that stands is worth
    beside its fit, in thousandths. Deterministic: what is still equal is decided by the order of
    the arcs, which is that of the ids. (A third aim, the highest places in people's lists, made
    the mean rank 2 % better and the solution take 45 % longer.) It cannot be stopped between its
    first and its last progress. Raises RuntimeError for costs that OR-tools cannot count.
    """
    progress(STAGE, 0, 1)
    if not len(edges):
        return Matched(edges, np.empty(0, np.int32))
    flow = SimpleMinCostFlow()
    sink = edges.mentees + edges.mentors
    mentees = np.arange(edges.mentees, dtype=np.int32)
    mentors = np.arange(edges.mentees, sink, dtype=np.int32)
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        edges.mentee,
        edges.mentees + edges.mentor,
        np.ones(len(edges), np.int64),
        -worths(edges, kept),
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        mentors,
        np.full(edges.mentors, sink, np.int32),
        np.maximum(places, 0).astype(np.int64),
        np.zeros(edges.mentors, np.int64),
    )
    flow.set_nodes_supplies(mentees, np.ones(edges.mentees, np.int64))
    flow.set_node_supply(sink, -edges.mentees)
    status = flow.solve_max_flow_with_min_cost()
    if status != SimpleMinCostFlow.OPTIMAL:
        raise RuntimeError(f"min-cost flow ended with {status}")
    chosen = np.flatnonzero(flow.flows(arcs))
    progress(STAGE, 1, 1)
    return Matched(edges, chosen.astype(np.int32))
