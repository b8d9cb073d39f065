"""The fit of a block of mentees with all mentors at once: every cell exact, BARRED below 0.

Chooses nobody. Sums of whole numbers only, so neither the size of a block nor the order of people
changes a cell.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from services.matching.domain.fit import LENGTH
from services.matching.domain.programme import WHOLE
from services.matching.engine.features import Encoded, Problem, separated
from services.matching.engine.layers import BARRED, Layer, layers
from services.matching.engine.layers import product as multiplied
from services.matching.engine.side import Floats, Ints, Shorts

# What a block holds stays in the processor's cache; a row of it is one mentee.
BLOCK_CELLS = 1_300_000
PER_PERMILLE = LENGTH * LENGTH // WHOLE


@dataclass(slots=True, eq=False)
class Workspace:
    """What one thread writes to, again and again: fresh memory costs more than the arithmetic."""

    rows: int
    columns: int
    fits: Shorts = field(init=False)
    layer: Shorts = field(init=False)
    product: Floats = field(init=False)
    keys: Ints = field(init=False)
    ties: Ints = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.rows, self.columns)
        self.fits, self.layer = np.empty(shape, np.int16), np.empty(shape, np.int16)
        self.product = np.empty(shape, np.float32)
        self.keys, self.ties = np.empty(shape, np.int32), np.empty(shape, np.int32)


class Blocks:
    """All fits of a problem, a block of mentees at a time. May be asked by several threads."""

    def __init__(self, problem: Problem, encoded: Encoded) -> None:
        self._encoded = encoded
        self.layers: list[Layer] = layers(problem, encoded)
        self._separated = separated(problem)
        self._related = problem.shares[1]
        self._vectors = np.ascontiguousarray(self._encoded.mentors.vectors.T)
        said = self._encoded.mentees.vectors.any() and self._vectors.any()
        self._compares = bool(self._related and said)
        self._columns = len(problem.mentors)
        self._starts = np.searchsorted(self._separated[0], np.arange(len(problem.mentees) + 1))
        self.block_rows = max(1, BLOCK_CELLS // max(1, self._columns))

    def order(self) -> Ints:
        """Mentees so that those with the same goals are in one block, in no order of fit."""
        codes = self._encoded.mentees.topics.codes
        # An odd multiplier shuffles the patterns: good and bad ones come in turn.
        shuffled = codes.astype(np.uint32) * np.uint32(2_654_435_761)
        return np.argsort(shuffled, kind="stable").astype(np.int32)

    def workspace(self) -> Workspace:
        return Workspace(self.block_rows, self._columns)

    def fits(self, mentees: Ints, room: Workspace) -> Shorts:
        """(mentees, mentors) int16: the fit in thousandths, below 0 where a rule says no."""
        count = len(mentees)
        fits, layer = room.fits[:count], room.layer[:count]
        fits[:] = 0
        for each in self.layers:
            np.add(fits, each.rows(mentees, layer), out=fits)
        if self._compares:
            np.add(fits, self._cosines(mentees, room), out=fits)
        rows, columns, _ = self.apart(mentees)
        fits[rows, columns] = BARRED
        return fits

    def apart(self, mentees: Ints) -> tuple[Ints, Ints, Ints]:
        """The pairs that are named one by one: row of the block, mentor, BITS."""
        starts, ends = self._starts[mentees], self._starts[mentees + 1]
        counts = ends - starts
        rows = np.repeat(np.arange(len(mentees), dtype=np.int32), counts)
        first = np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        at = first + np.arange(len(rows))
        return rows, self._separated[1][at], self._separated[2][at]

    def _cosines(self, mentees: Ints, room: Workspace) -> Shorts:
        """What related experience adds. All numbers are whole and below 2**24: float32 is exact."""
        product, part = room.product[: len(mentees)], room.layer[: len(mentees)]
        multiplied(self._encoded.mentees.vectors[mentees], self._vectors, out=product)
        # To the nearest thousandth. No quotient comes nearer to the next whole number than
        # 1 / PER_PERMILLE, which float32 tells apart up to WHOLE.
        np.add(product, PER_PERMILLE // 2, out=product)
        np.divide(product, PER_PERMILLE, out=product)
        np.clip(product, 0, WHOLE, out=product)
        np.floor(product, out=product)
        np.multiply(product, self._related, out=product)
        np.divide(product, WHOLE, out=product)
        np.copyto(part, product, casting="unsafe")
        return part
