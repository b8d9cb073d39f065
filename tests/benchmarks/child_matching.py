"""One matching of a whole organisation in a fresh process, and what OR-tools takes without us.

Prints JSON. `bare` is SimpleMinCostFlow on the same arcs, in turn with ours; of two rounds the
better one of each counts.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from services.matching.domain.programme import Settings
from services.matching.engine.acceptance import accept
from services.matching.engine.candidates import Edges, find
from services.matching.engine.features import Problem
from services.matching.engine.flow import solve
from services.matching.engine.report import Context, report
from services.matching.engine.side import Ints
from tests.benchmarks.organisation import organisation

T = TypeVar("T")
NOBODY_APART: frozenset[Any] = frozenset()
KIB = 1024
ROUNDS = 2


def main() -> None:
    """Everything that is measured, in the order in which a run does it."""
    asked = json.loads(sys.argv[1])
    mentees, mentors = asked["mentees"], asked["mentors"]
    sides = organisation(mentees, mentors, asked["seed"])
    settings, places = Settings(candidates=asked["candidates"]), sides.mentors.places
    problem = Problem(sides.mentees, sides.mentors, settings, NOBODY_APART)
    before, spent = _rss_mib(), time.process_time()
    found = _timed(
        lambda: find(sides.mentees, sides.mentors, settings, NOBODY_APART, None, _silent)
    )
    cpu_s, edges = time.process_time() - spent, found[0]
    rounds = [
        (_bare(edges, places), _timed(lambda: solve(edges, places, None, _silent)))
        for _ in range(ROUNDS)
    ]
    bare, solved = min(each for each, _ in rounds), min((each for _, each in rounds), key=_second)
    told = _timed(lambda: report(problem, solved[0], Context(), is_flow=True, progress=_silent))
    peak = _rss_mib()
    stable = _timed(lambda: accept(edges, places, None, _silent))
    judged = _timed(lambda: report(problem, stable[0], Context(), is_flow=False, progress=_silent))
    answer: dict[str, Any] = {
        "edges": len(edges),
        "candidates_s": found[1],
        "candidates_cpu_s": cpu_s,
        "solve_s": solved[1],
        "bare_s": bare,
        "report_s": told[1],
        "accept_s": stable[1],
        "before_mib": before,
        "peak_mib": peak,
        "gap": told[0].certificate.gap,
        "violations": told[0].certificate.violations + told[0].broken_rules,
        "flow": asdict(told[0].measures),
        "stable": asdict(judged[0].measures),
        "judged_s": judged[1],
        "left_out": len(judged[0].unmatched),
    }
    if asked["peer"]:
        peer = _timed(lambda: _scipy(edges, places))
        answer |= {"scipy_s": peer[1], "scipy": peer[0], "ours": _worth(edges, solved[0].chosen)}
    print(json.dumps(answer))


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def _second(timed: tuple[Any, float]) -> float:
    return timed[1]


def _silent(stage: str, done: int, total: int) -> None:
    """Nobody watches."""


def _rss_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB


def _bare(edges: Edges, places: Ints) -> float:
    """As the documentation of OR-tools shows it, with arrays."""
    started = time.perf_counter()
    flow, sink = SimpleMinCostFlow(), edges.mentees + edges.mentors
    mentors = np.arange(edges.mentees, sink, dtype=np.int32)
    flow.add_arcs_with_capacity_and_unit_cost(
        edges.mentee, edges.mentees + edges.mentor, np.ones(len(edges), np.int64), -edges.fit
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        mentors, np.full(len(mentors), sink), places, np.zeros(len(mentors), np.int64)
    )
    flow.set_nodes_supplies(
        np.arange(edges.mentees, dtype=np.int32), np.ones(edges.mentees, np.int64)
    )
    flow.set_node_supply(sink, -edges.mentees)
    assert flow.solve_max_flow_with_min_cost() == SimpleMinCostFlow.OPTIMAL
    return time.perf_counter() - started


def _scipy(edges: Edges, places: Ints) -> list[int]:
    """The same by SciPy: a column for every place, and one of last resort for every mentee."""
    first = np.concatenate([[0], np.cumsum(places)])
    width = places[edges.mentor]
    rows = np.repeat(edges.mentee, width)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(width) - width, width)
    columns = np.repeat(first[edges.mentor], width) + within
    costs = np.repeat(1_001.0 - edges.fit, width)
    everybody = np.arange(edges.mentees)
    last = 2_000.0 * edges.mentees
    shape = (edges.mentees, int(first[-1]) + edges.mentees)
    whole = csr_array(
        (
            np.concatenate([costs, np.full(edges.mentees, last)]),
            (np.concatenate([rows, everybody]), np.concatenate([columns, first[-1] + everybody])),
        ),
        shape=shape,
    )
    row, column = min_weight_full_bipartite_matching(whole)
    cost = whole[row, column]
    placed = cost < last
    return [int(placed.sum()), int((1_001 - cost[placed]).sum())]


def _worth(edges: Edges, chosen: Ints) -> list[int]:
    return [len(chosen), int(edges.fit[chosen].sum(dtype=np.int64))]


if __name__ == "__main__":
    main()
