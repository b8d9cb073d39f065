"""What is compared of two sides, as sets of bits and whole numbers. Compares nothing itself.

People who said the same share a pattern, so that a rule is worked out once for all of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.fit import Apart, Barrier, Shares, shares
from services.matching.domain.hours import WEEK_SLOTS
from services.matching.domain.programme import Settings
from services.matching.engine.side import Floats, Ints, Lift, Side, whole
from shared.ids import PersonId

Words: TypeAlias = NDArray[np.uint64]
Bits: TypeAlias = NDArray[np.uint8]
T = TypeVar("T", bound=Hashable)
# Which rules keep a pair apart, as one number: the first rule is the lowest bit.
BITS = {barrier: 1 << at for at, barrier in enumerate(Barrier)}
_BYTES = 8
_WEEK = (1 << WEEK_SLOTS) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """A column of sets: `codes` says which pattern a row has, `words` are the patterns as bits.

    `words` is (patterns, w) uint64, lowest bit first; `sizes` counts all members of each set.
    """

    codes: Ints
    words: Words
    sizes: Ints

    def bits(self) -> Bits:
        """The patterns as rows of 0 and 1: (patterns, 64 w) uint8."""
        return np.unpackbits(self.words.view(np.uint8), axis=1, bitorder="little")


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """One side. `halves` and `longer` are its hours: the quarters that end half an hour that is
    free, and those that end three quarters of one; of both, `sizes` counts all free quarters.
    `units` are numbers common to both sides, -1 for none known.
    """

    topics: Patterns
    languages: Patterns
    halves: Patterns
    longer: Patterns
    units: Ints
    grades: Ints
    has_grade: NDArray[np.bool_]
    vectors: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Who is to be matched with whom, and by which rules. `lift` is what was learned, or None."""

    mentees: Side
    mentors: Side
    settings: Settings
    apart: Apart
    lift: Lift | None = None

    @property
    def learned(self) -> Mapping[str, int]:
        """Thousandths by goal; empty when nothing is known or the programme does not learn."""
        if self.lift is None or not self.settings.learn:
            return {}
        return {goal: each for goal, each in self.lift.permille.items() if each}

    @property
    def shares(self) -> Shares:
        """The most each part of a fit can add."""
        return shares(self.settings, learned=bool(self.learned))


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Both sides in one vocabulary; `lift` is (64 w,) float32, what each bit of topics adds."""

    mentees: Features
    mentors: Features
    lift: Floats


def encode(problem: Problem) -> Encoded:
    """Both sides of the problem, ready to be compared."""
    sides = (problem.mentees, problem.mentors)
    topics, languages = _numbered(sides, "topics"), _numbered(sides, "languages")
    named = sorted({unit for side in sides for unit in side.units if unit is not None})
    units = {unit: at for at, unit in enumerate(named)}
    learned = problem.learned
    lift = np.zeros(64 * _words_for(len(topics)), np.float32)
    lift[: len(topics)] = [learned.get(goal, 0) for goal in topics]
    mentees, mentors = (_features(side, topics, languages, units) for side in sides)
    return Encoded(mentees, mentors, lift)


def separated(problem: Problem) -> tuple[Ints, Ints, Ints]:
    """The few pairs that rules name one by one: mentee, mentor, and their barriers as BITS."""
    mentees, mentors = problem.mentees, problem.mentors
    row = {person: at for at, person in enumerate(mentees.ids)}
    column = {person: at for at, person in enumerate(mentors.ids)}
    found: dict[tuple[int, int], int] = {}

    def bar(pairs: Iterable[tuple[PersonId | None, PersonId | None]], barrier: Barrier) -> None:
        for mentor, mentee in pairs:
            if mentor in column and mentee in row:
                cell = row[mentee], column[mentor]
                found[cell] = found.get(cell, 0) | BITS[barrier]

    bar(((person, person) for person in mentees.ids), Barrier.NO_MENTORS)
    bar(zip(mentees.managers, mentees.ids, strict=True), Barrier.ONLY_MANAGER)
    bar(zip(mentors.ids, mentors.managers, strict=True), Barrier.ONLY_MANAGER)
    if problem.settings.rules.report_line:
        bar(_above(mentees), Barrier.REPORT_LINE)
        bar(((mentor, above) for above, mentor in _above(mentors)), Barrier.REPORT_LINE)
    bar(problem.apart, Barrier.KEPT_APART)
    at = np.array([(*cell, bits) for cell, bits in sorted(found.items())], np.int32)
    at = at.reshape(-1, 3)
    return at[:, 0], at[:, 1], at[:, 2]


def _above(side: Side) -> Iterable[tuple[PersonId, PersonId]]:
    return (
        (above, person) for person, line in zip(side.ids, side.lines, strict=True) for above in line
    )


def _features(
    side: Side, topics: Mapping[str, int], languages: Mapping[str, int], units: Mapping[str, int]
) -> Features:
    return Features(
        topics=_sets(side.topics, topics),
        languages=_sets(side.languages, languages),
        halves=_hours(side.slots, 1),
        longer=_hours(side.slots, 2),
        units=np.array([-1 if u is None else units[u] for u in side.units], np.int32),
        grades=np.array([g or 0 for g in side.grades], np.int32),
        has_grade=np.array([g is not None for g in side.grades], np.bool_),
        vectors=whole(side.vectors),
    )


def _numbered(sides: Iterable[Side], column: str) -> dict[str, int]:
    named = {each for side in sides for row in getattr(side, column) for each in row}
    return {each: at for at, each in enumerate(sorted(named))}


def _words_for(bits: int) -> int:
    return max(1, -(-bits // 64))


def _coded(values: Iterable[T]) -> tuple[Ints, list[T]]:
    """A number for each value, equal ones the same, and the different values in that order."""
    seen: dict[T, int] = {}
    codes = np.fromiter((seen.setdefault(value, len(seen)) for value in values), np.int32)
    return codes, list(seen)


def _sets(rows: Sequence[tuple[str, ...]], numbers: Mapping[str, int]) -> Patterns:
    codes, sets = _coded(frozenset(row) for row in rows)
    ints = [sum(1 << numbers[each] for each in one) for one in sets]
    sizes = np.array([len(one) for one in sets], np.int32)
    return Patterns(codes, _as_words(ints, _words_for(len(numbers))), sizes)


def _hours(slots: Sequence[int], quarters_after: int) -> Patterns:
    """The quarters after which so many others are free too: the week is a ring."""
    codes, weeks = _coded(slots)
    sizes = np.array([week.bit_count() for week in weeks], np.int32)
    for _ in range(quarters_after):
        weeks = [week & (week << 1 | week >> (WEEK_SLOTS - 1)) & _WEEK for week in weeks]
    return Patterns(codes, _as_words(weeks, _words_for(WEEK_SLOTS)), sizes)


def _as_words(ints: Sequence[int], words: int) -> Words:
    packed = b"".join(each.to_bytes(words * _BYTES, "little") for each in ints)
    return np.frombuffer(packed, np.dtype("<u8")).reshape(len(ints), words).astype(np.uint64)
