"""Who comes into question for whom: hard rules, then the best of each side, united. Exact.

Every pair of the two sides is looked at. Solves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from services.matching.domain.fit import Apart
from services.matching.domain.programme import WHOLE, Settings
from services.matching.engine.blocks import Blocks, Workspace
from services.matching.engine.features import Encoded, Problem, encode
from services.matching.engine.nearest import BestOfColumns, BestOfRows
from services.matching.engine.pairwise import parts_of
from services.matching.engine.side import Bools, Ints, Lift, Longs, Progress, Shorts, Side
from shared.ids import PersonId

# NumPy lets go of the interpreter's lock in all that takes long here.
THREADS = 2
STAGE = "candidates"


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Pairs that may be proposed, by (mentee, -fit, mentor); numbers are rows of the two sides.

    `fit` is thousandths, 0 to 1,000; `parts` (m, 5) are PARTS, and add up to it exactly.
    """

    mentee: Ints
    mentor: Ints
    fit: Ints
    parts: Shorts
    mentees: int
    mentors: int

    def __len__(self) -> int:
        return len(self.mentee)

    @property
    def starts(self) -> Longs:
        """(mentees + 1,): where each mentee's list begins."""
        return np.searchsorted(self.mentee, np.arange(self.mentees + 1))

    @property
    def position(self) -> Ints:
        """Each edge's place in its mentee's list, from 0."""
        return (np.arange(len(self)) - self.starts[self.mentee]).astype(np.int32)

    def keeping(self, kept: Bools) -> Edges:
        """Only these, for instance those that nobody struck from a list."""
        return Edges(
            self.mentee[kept],
            self.mentor[kept],
            self.fit[kept],
            self.parts[kept],
            self.mentees,
            self.mentors,
        )


def find(
    mentees: Side,
    mentors: Side,
    settings: Settings,
    apart: Apart,
    lift: Lift | None,
    progress: Progress,
) -> Edges:
    """The `settings.candidates` best mentors of each mentee and mentees of each mentor, united.

    Mentors without a free place are left out. Equal fits are told apart by a draw from the ids,
    other for everybody. Memory is that of some blocks of 1.3 million cells a thread, the edges,
    and both sides once more as numbers.
    """
    free = np.flatnonzero(mentors.places > 0).astype(np.int32)
    problem = Problem(mentees, mentors.taking(free), settings, apart, lift)
    encoded = encode(problem)
    rows, columns = _search(problem, encoded, progress)
    found = _edges(problem, encoded, rows, columns)
    return replace(found, mentor=free[found.mentor], mentors=len(mentors))


def with_pairs(edges: Edges, problem: Problem, pairs: Iterable[tuple[PersonId, PersonId]]) -> Edges:
    """The edges with these (mentor, mentee) too, whatever the rules say of them.

    For proposals that stand: they may have fallen behind others, and are to be weighed all the
    same. Unknown people are passed over.
    """
    row = {person: at for at, person in enumerate(problem.mentees.ids)}
    column = {person: at for at, person in enumerate(problem.mentors.ids)}
    known = [(row[b], column[a]) for a, b in pairs if a in column and b in row]
    more = np.array(known, np.int32).reshape(-1, 2)
    rows = np.concatenate([edges.mentee, more[:, 0]])
    columns = np.concatenate([edges.mentor, more[:, 1]])
    return _edges(problem, encode(problem), rows, columns)


def _search(problem: Problem, encoded: Encoded, progress: Progress) -> tuple[Ints, Ints]:
    """Mentee and mentor of every pair that either would choose; some twice."""
    nothing = np.empty(0, np.int32)
    if not len(problem.mentees) or not len(problem.mentors):
        return nothing, nothing
    blocks = Blocks(problem, encoded)
    order = blocks.order()
    parts = [order[at : at + blocks.block_rows] for at in range(0, len(order), blocks.block_rows)]
    searches = [_Search(problem, blocks) for _ in range(min(THREADS, len(parts)))]
    done = 0
    with ThreadPoolExecutor(THREADS) as pool:
        # Each thread has its own search, and so no lock; blocks come in turn.
        running: list[Future[None]] = [pool.submit(_nothing) for _ in searches]
        try:
            for at, block in enumerate(parts):
                which = at % len(searches)
                running[which].result()
                running[which] = pool.submit(searches[which].look, block)
                done += len(block)
                progress(STAGE, done, len(order))
            for each in running:
                each.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    first, *others = searches
    for other in others:
        first.columns.merge(other.columns)
    rows = [pair for search in searches for pair in search.found]
    of_mentors = first.columns.chosen()
    return (
        np.concatenate([of_mentors[0], *(mentee for mentee, _ in rows)]),
        np.concatenate([of_mentors[1], *(mentor for _, mentor in rows)]),
    )


def _nothing() -> None:
    return None


class _Search:
    """What one thread has found so far."""

    def __init__(self, problem: Problem, blocks: Blocks) -> None:
        most = problem.settings.candidates
        self._blocks = blocks
        self._room: Workspace = blocks.workspace()
        self._rows = BestOfRows(problem.mentees.ids, problem.mentors.ids, most)
        self.columns = BestOfColumns(problem.mentees.ids, problem.mentors.ids, most)
        self.found: list[tuple[Ints, Ints]] = []

    def look(self, mentees: Ints) -> None:
        """One block: the best of each row, and whatever may be among the best of a column."""
        count = len(mentees)
        fits = self._blocks.fits(mentees, self._room)
        keys, ties = self._room.keys[:count], self._room.ties[:count]
        self.columns.see(mentees, fits, keys, ties)
        self.found.append(self._rows.choose(mentees, fits, keys, ties))


def _edges(problem: Problem, encoded: Encoded, rows: Ints, columns: Ints) -> Edges:
    """Each pair once, weighed and in order."""
    width = max(1, len(problem.mentors))
    pairs = rows.astype(np.int64) * width + columns
    pairs.sort()
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    mentee, mentor = (pairs // width).astype(np.int32), (pairs % width).astype(np.int32)
    parts = parts_of(problem, encoded, mentee, mentor)
    fit = parts.sum(axis=1, dtype=np.int32)
    # Pairs ascend by mentee and mentor, so a stable order by the fit below the mentee is enough.
    order = np.argsort(mentee.astype(np.int64) * (WHOLE + 1) + (WHOLE - fit), kind="stable")
    return Edges(
        mentee[order],
        mentor[order],
        fit[order],
        parts[order],
        len(problem.mentees),
        len(problem.mentors),
    )
