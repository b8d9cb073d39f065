"""Who was chosen for whom, as positions in the edges. Holds no rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.matching.engine.candidates import Edges
from services.matching.engine.side import Ints


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """`chosen` are positions in the edges, ascending: at most one for each mentee."""

    edges: Edges
    chosen: Ints

    def __len__(self) -> int:
        return len(self.chosen)

    @property
    def mentee(self) -> Ints:
        """The mentees who were placed, ascending."""
        return self.edges.mentee[self.chosen]

    @property
    def mentor(self) -> Ints:
        """Their mentors."""
        return self.edges.mentor[self.chosen]

    @property
    def edge_of(self) -> Ints:
        """(mentees,): the position of each one's edge, -1 for nobody."""
        found = np.full(self.edges.mentees, -1, np.int32)
        found[self.mentee] = self.chosen
        return found

    @property
    def unmatched(self) -> Ints:
        """The mentees who were not placed, ascending."""
        return np.flatnonzero(self.edge_of < 0).astype(np.int32)

    @property
    def taken(self) -> Ints:
        """(mentors,): how many places of each are taken."""
        return np.bincount(self.mentor, minlength=self.edges.mentors).astype(np.int32)

    @property
    def total_fit(self) -> int:
        """The sum of all fits, in thousandths."""
        return int(self.edges.fit[self.chosen].sum(dtype=np.int64))
