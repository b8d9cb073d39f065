"""Everybody's best few, from both sides: what people are shown to rank. Solves nothing, no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from services.matching.domain.programme import Settings
from services.matching.domain.ranking import SHORTLIST, Listed
from services.matching.domain.ranking import Side as SideName
from services.matching.engine.candidates import Edges, find
from services.matching.engine.side import Bools, Side
from shared.ids import PersonId


def shortlists(
    mentees: Side, mentors: Side, settings: Settings, apart: frozenset[tuple[PersonId, PersonId]]
) -> Iterator[tuple[PersonId, SideName, list[Listed]]]:
    """Each person, their side, and at most SHORTLIST of the other side, the best fit first.

    Whoever has nobody is left out. Exact, and the same for the same people in any order.
    """
    wide = replace(settings, candidates=max(settings.candidates, SHORTLIST))
    edges = find(mentees, mentors, wide, apart, None, _silent)
    by_mentor = np.lexsort((edges.mentee, -edges.fit, edges.mentor))
    yield from _lists(edges, np.arange(len(edges)), (mentees, mentors), "mentee")
    yield from _lists(edges, by_mentor, (mentees, mentors), "mentor")


def _lists(
    edges: Edges, order: np.ndarray, sides: tuple[Side, Side], name: SideName
) -> Iterator[tuple[PersonId, SideName, list[Listed]]]:
    mentees, mentors = sides
    mine = (edges.mentee if name == "mentee" else edges.mentor)[order]
    theirs = (edges.mentor if name == "mentee" else edges.mentee)[order]
    my_ids, their_ids = (mentees.ids, mentors.ids)[:: 1 if name == "mentee" else -1]
    first = np.searchsorted(mine, mine, side="left")
    chosen: Bools = np.arange(len(mine)) - first < SHORTLIST
    mine, theirs, parts = mine[chosen], theirs[chosen], edges.parts[order][chosen].tolist()
    begins = [*np.flatnonzero(np.diff(mine, prepend=-1)).tolist(), len(mine)]
    for begin, end in pairwise(begins):
        listed = [
            Listed(their_ids[other], tuple(parts[at]))
            for at, other in enumerate(theirs[begin:end].tolist(), begin)
        ]
        yield my_ids[int(mine[begin])], name, listed


def _silent(_stage: str, _done: int, _total: int) -> None:
    return None
