"""What each rule and each part of a fit says of one pattern of mentees about all mentors.

Every layer is a row of thousandths for a mentee, with BARRED where its rule says no; layers are
added up by engine/blocks. Sets are compared by matrix products of 0 and 1, which are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from services.matching.domain.fit import ENOUGH_MINUTES, Barrier
from services.matching.domain.hours import SLOT_MINUTES
from services.matching.domain.programme import MOST_LEARNED_PERMILLE
from services.matching.engine.features import Bits, Encoded, Features, Patterns, Problem
from services.matching.engine.side import Floats, Ints, Shorts

# However many layers are added, one of these leaves the sum below 0, and all stay in an int16.
BARRED = -4000
# A layer is worked out once for all patterns where that takes at most so many cells (two bytes).
TABLE_CELLS = 16_000_000
_CHUNK_CELLS = 4_000_000
# OpenBLAS, interface/gemm.c: so many multiplications are done by the caller alone.
_ONE_THREAD = 262_144
_NARROWEST = 8


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """`codes` (mentees,) are the pattern of each; `make` gives (patterns asked for, mentors)."""

    barrier: Barrier
    codes: Ints
    patterns: int
    make: Callable[[Ints], Shorts]
    table: Shorts | None = field(default=None)

    def rows(self, mentees: Ints, out: Shorts) -> Shorts:
        """The layer for these mentees, written to `out` (mentees, mentors)."""
        codes = self.codes[mentees]
        if self.table is not None:
            return np.take(self.table, codes, axis=0, out=out, mode="clip")
        different, which = np.unique(codes, return_inverse=True)
        return np.take(self.make(different), which, axis=0, out=out, mode="clip")


def layers(problem: Problem, encoded: Encoded) -> list[Layer]:
    """Those that say something, in the order of their barriers."""
    rules = problem.settings.rules
    found = [_languages(problem, encoded), _goals(problem, encoded), _hours(problem, encoded)]
    if rules.org_units != "any":
        found.append(_units(encoded, wanted_same=rules.org_units == "same"))
    if rules.min_grade_gap is not None or rules.max_grade_gap is not None:
        found.append(_grades(problem, encoded))
    return [_tabled(layer, len(problem.mentors)) for layer in found]


def _tabled(layer: Layer, columns: int) -> Layer:
    if layer.patterns * columns > TABLE_CELLS:
        return layer
    step = max(1, _CHUNK_CELLS // max(1, columns))
    chunks = [
        layer.make(np.arange(at, min(at + step, layer.patterns), dtype=np.int32))
        for at in range(0, layer.patterns, step)
    ]
    table = np.concatenate(chunks) if chunks else np.zeros((0, columns), np.int16)
    return Layer(layer.barrier, layer.codes, layer.patterns, layer.make, table)


def product(left: Floats, right: Floats, out: Floats | None = None) -> Floats:
    """The matrix product, in strips of columns so narrow that BLAS stays in this thread.

    What is larger OpenBLAS spreads over threads of its own, which spin against those of
    engine/candidates: two such callers at once took five times as long as one after the other.
    """
    rows, depth, columns = len(left), *right.shape
    found = np.empty((rows, columns), np.float32) if out is None else out
    width = max(_NARROWEST, _ONE_THREAD // max(1, rows * depth))
    strips = columns // width
    whole = strips * width
    of_right = right[:, :whole].reshape(depth, strips, width).transpose(1, 0, 2)
    np.matmul(left, of_right, out=found[:, :whole].reshape(rows, strips, width).transpose(1, 0, 2))
    np.matmul(left, right[:, whole:], out=found[:, whole:])
    return found


def _shorts(part: np.ndarray, barred: np.ndarray | None) -> Shorts:
    found = part.astype(np.int16)
    if barred is not None:
        # Arithmetic takes a twentieth of the time that assigning through a mask takes.
        found += barred.view(np.int8) * np.int16(BARRED)
    return found


def _languages(problem: Problem, encoded: Encoded) -> Layer:
    ours, theirs = encoded.mentees.languages, encoded.mentors.languages
    most, is_rule = problem.shares[2], problem.settings.rules.common_language
    left, right = ours.bits(), _columns(theirs, theirs.bits())
    sizes = theirs.sizes[theirs.codes]

    def make(codes: Ints) -> Shorts:
        common = product(left[codes].astype(np.float32), right).astype(np.int32)
        shorter = np.minimum(ours.sizes[codes][:, None], sizes)
        part = most * common // np.maximum(shorter, 1)
        return _shorts(part, common == 0 if is_rule else None)

    return Layer(Barrier.NO_COMMON_LANGUAGE, ours.codes, len(ours.sizes), make)


def _goals(problem: Problem, encoded: Encoded) -> Layer:
    """Goals in common, and what earlier pairs say about them."""
    ours, theirs = encoded.mentees.topics, encoded.mentors.topics
    most, learned = problem.shares[0], problem.shares[4]
    is_rule = problem.settings.rules.shared_goal
    left, right = ours.bits(), _columns(theirs, theirs.bits())

    def make(codes: Ints) -> Shorts:
        bits, sizes = left[codes].astype(np.float32), ours.sizes[codes][:, None]
        common = product(bits, right).astype(np.int32)
        part = most * common // np.maximum(sizes, 1)
        if learned:
            lift = product(bits * encoded.lift, right).astype(np.int32)
            part += learned_part(learned, lift, common)
        return _shorts(part, (common == 0) & (sizes > 0) if is_rule else None)

    return Layer(Barrier.NO_SHARED_GOAL, ours.codes, len(ours.sizes), make)


def learned_part(most: int, lift: Ints, common: Ints) -> Ints:
    """What the sum of the lifts of so many goals in common adds; half of `most` is neutral."""
    mean = np.sign(lift) * (np.abs(lift) // np.maximum(common, 1))
    whole = most * (MOST_LEARNED_PERMILLE + mean) // (2 * MOST_LEARNED_PERMILLE)
    return np.asarray(whole, np.int32)


def _hours(problem: Problem, encoded: Encoded) -> Layer:
    ours, theirs = encoded.mentees.halves, encoded.mentors.halves
    most, least = problem.shares[3], problem.settings.rules.min_overlap_minutes
    left, right = _merged(encoded.mentees, encoded.mentors)
    gave = theirs.sizes[theirs.codes] > 0

    def make(codes: Ints) -> Shorts:
        quarters = product(left[codes].astype(np.float32), right).astype(np.int32)
        part = hours_part(most, quarters * SLOT_MINUTES)
        both = (ours.sizes[codes] > 0)[:, None] & gave
        return _shorts(part, both & (quarters * SLOT_MINUTES < least) if least else None)

    return Layer(Barrier.NO_OVERLAPPING_HOURS, ours.codes, len(ours.sizes), make)


def hours_part(most: int, minutes: Ints) -> Ints:
    """What so much time in common adds."""
    return most * np.minimum(minutes, ENOUGH_MINUTES) // ENOUGH_MINUTES


def _merged(mentees: Features, mentors: Features) -> tuple[Bits, Floats]:
    """Two matrices whose product is the quarters in common that lie in pieces of two or more.

    Every piece of n quarters has n - 1 ends of half an hour and n - 2 of three quarters, so
    2 (n - 1) - (n - 2) counts it, and pieces of one quarter count nothing; around the whole week
    2 n - n does. Quarters that are the same for everybody are one column, their weights added:
    windows of whole hours leave one column an hour instead of eight.
    """
    # The two columns of a side have one pattern for each different week, in the same order.
    left = np.hstack([mentees.halves.bits(), mentees.longer.bits()])
    right = np.hstack([mentors.halves.bits(), mentors.longer.bits()])
    weights: dict[bytes, list[int]] = {}
    packed = np.packbits(np.vstack([left, right]), axis=0).T
    half = left.shape[1] // 2
    used = left.any(axis=0) & right.any(axis=0)
    for column in np.flatnonzero(used).tolist():
        kept = weights.setdefault(packed[column].tobytes(), [column, 0])
        kept[1] += 2 if column < half else -1
    columns = [column for column, weight in weights.values() if weight]
    scale = np.array([weight for _, weight in weights.values() if weight], np.float32)
    chosen = right[:, columns] * scale
    return np.ascontiguousarray(left[:, columns]), _columns(mentors.halves, chosen)


def _columns(patterns: Patterns, bits: np.ndarray) -> Floats:
    """A side's patterns laid out for the right of a product: (bits, people) float32."""
    return np.ascontiguousarray(bits.astype(np.float32).T[:, patterns.codes])


def _units(encoded: Encoded, *, wanted_same: bool) -> Layer:
    theirs = encoded.mentors.units

    def make(codes: Ints) -> Shorts:
        ours = codes[:, None] - 1
        both = (ours >= 0) & (theirs >= 0)
        barred = both & ((ours == theirs) != wanted_same)
        return _shorts(np.zeros(barred.shape, np.int16), barred)

    # Patterns count from 0, and -1 is "not known".
    codes = encoded.mentees.units + 1
    return Layer(Barrier.ORG_UNIT, codes, int(codes.max(initial=-1)) + 1, make)


def _grades(problem: Problem, encoded: Encoded) -> Layer:
    mentees, mentors = encoded.mentees, encoded.mentors
    rules = problem.settings.rules
    known = np.unique(mentees.grades[mentees.has_grade])

    def make(codes: Ints) -> Shorts:
        # The last pattern is "not known".
        has = codes < len(known)
        ours = np.append(known, 0)[codes]
        gap = mentors.grades - ours[:, None]
        barred = np.zeros(gap.shape, np.bool_)
        if rules.min_grade_gap is not None:
            barred |= gap < rules.min_grade_gap
        if rules.max_grade_gap is not None:
            barred |= gap > rules.max_grade_gap
        return _shorts(np.zeros(gap.shape, np.int16), barred & has[:, None] & mentors.has_grade)

    codes = np.searchsorted(known, mentees.grades).astype(np.int32)
    codes[~mentees.has_grade] = len(known)
    return Layer(Barrier.GRADE_GAP, codes, len(known) + 1, make)
