"""Earlier pairs counted by goal and by mentor, for what is learned from them. Draws no conclusion.

Sums are exactly rounded (`math.fsum`), so neither the order of rows nor the numbers that stand for
people change a bit of them.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

# Nothing is said about fewer pairs, mentors or mentees than this; nor about a rest of fewer.
AT_LEAST = 5

Floats: TypeAlias = NDArray[np.float64]
Row: TypeAlias = tuple[int, int, tuple[str, ...], bool]
# A pair of one mentor: which of the goals that are spoken of it has, how many it has, the outcome.
PairOf: TypeAlias = tuple[tuple[int, ...], int, bool]
Partners: TypeAlias = dict[str, defaultdict[int, set[int]]]


@dataclass(frozen=True, slots=True)
class Counts:
    """Columns by goal. A mentor's pairs weigh one together: `weight` and `steady` are sums of it,
    `squares` the sum of each mentor's weight squared. `people` is (n, 3): pairs, mentors, mentees.
    `base` is the share that became steady, a mentor counting once.
    """

    base: float
    weight: Floats
    steady: Floats
    squares: Floats
    people: NDArray[np.int64]

    @property
    def enough(self) -> NDArray[np.bool_]:
        """Which goals enough pairs, mentors and mentees stand behind."""
        return np.asarray((self.people >= AT_LEAST).all(axis=1))


@dataclass(frozen=True, slots=True)
class Tally:
    """Everything counted. `goals` are those that may be spoken of, in alphabetical order.

    `own` holds, by mentor, which columns of `all` are partly theirs, and how much of them.
    """

    goals: tuple[str, ...]
    all: Counts
    pairs_of: tuple[tuple[PairOf, ...], ...]
    mentees_of: tuple[tuple[int, ...], ...]
    own: tuple[tuple[NDArray[np.int64], Counts], ...]

    @property
    def enough(self) -> bool:
        """Whether there are enough pairs, mentors and mentees to say anything at all."""
        every = [(m, pair) for m, pairs in enumerate(self.pairs_of) for pair in range(len(pairs))]
        return self.enough_of(every)

    def enough_of(self, pairs: Sequence[tuple[int, int]]) -> bool:
        """Whether enough stand behind these, each named by its mentor and its number there."""
        mentors = {mentor for mentor, _ in pairs}
        mentees = {self.mentees_of[mentor][pair] for mentor, pair in pairs}
        return min(len(pairs), len(mentors), len(mentees)) >= AT_LEAST

    def without(self, mentor: int) -> Counts:
        """The counts as if this mentor had never had a pair."""
        number = len(self.pairs_of)
        columns, own = self.own[mentor]
        weight, steady = self.all.weight.copy(), self.all.steady.copy()
        squares, people = self.all.squares.copy(), self.all.people.copy()
        weight[columns] -= own.weight
        steady[columns] -= own.steady
        squares[columns] -= own.squares
        people[columns] -= own.people
        base = (self.all.base * number - own.base) / (number - 1)
        return Counts(min(max(base, 0.0), 1.0), weight, steady, squares, people)


def tally(rows: Sequence[Row]) -> Tally:
    """Count the rows. People may have any numbers; a goal named twice in a row counts once."""
    mentors = {mentor: at for at, mentor in enumerate(sorted({row[0] for row in rows}))}
    by_mentor: list[list[Row]] = [[] for _ in mentors]
    for row in rows:
        by_mentor[mentors[row[0]]].append(row)
    goals = _spoken_of(rows)
    at = {goal: number for number, goal in enumerate(goals)}
    partners = _partners(rows, at)
    own = tuple(_own(each, at, partners) for each in by_mentor)
    return Tally(
        goals=goals,
        all=_sum(own, [len(partners[goal]) for goal in goals]),
        pairs_of=tuple(
            tuple((_columns(row[2], at), len(set(row[2])), row[3]) for row in each)
            for each in by_mentor
        ),
        mentees_of=tuple(tuple(row[1] for row in each) for each in by_mentor),
        own=own,
    )


def _spoken_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """Goals with enough behind them, and enough behind the rest: no difference is about fewer."""
    pairs: Counter[str] = Counter()
    # By goal, and for mentors and mentees apart: how many of each one's pairs have it.
    having: tuple[dict[str, Counter[int]], ...] = (defaultdict(Counter), defaultdict(Counter))
    every = (Counter(row[0] for row in rows), Counter(row[1] for row in rows))
    for row in rows:
        for goal in set(row[2]):
            pairs[goal] += 1
            having[0][goal][row[0]] += 1
            having[1][goal][row[1]] += 1
    spoken = []
    for goal, number in pairs.items():
        with_it, rest = [number], [len(rows) - number]
        for side, of_all in zip(having, every, strict=True):
            has = side[goal]
            with_it.append(len(has))
            rest.append(len(of_all) - sum(has[one] == of_all[one] for one in has))
        if min(with_it) >= AT_LEAST and (not rest[0] or min(rest) >= AT_LEAST):
            spoken.append(goal)
    return tuple(sorted(spoken))


def _partners(rows: Sequence[Row], at: Mapping[str, int]) -> Partners:
    """By goal and mentee: the mentors they had it in common with."""
    found: Partners = {goal: defaultdict(set) for goal in at}
    for mentor, mentee, goals, _ in rows:
        for goal in goals:
            if goal in at:
                found[goal][mentee].add(mentor)
    return found


def _columns(goals: Sequence[str], at: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(sorted({at[goal] for goal in goals if goal in at}))


def _own(
    rows: Sequence[Row], at: Mapping[str, int], partners: Partners
) -> tuple[NDArray[np.int64], Counts]:
    """One mentor's part of the counts: columns, and what is theirs of each."""
    pairs: dict[str, int] = defaultdict(int)
    steady: dict[str, int] = defaultdict(int)
    lone: dict[str, set[int]] = defaultdict(set)
    for _, mentee, goals, is_steady in rows:
        for goal in set(goals) & at.keys():
            pairs[goal] += 1
            steady[goal] += is_steady
            if len(partners[goal][mentee]) == 1:
                lone[goal].add(mentee)
    names = sorted(pairs, key=at.__getitem__)
    weight = np.array([pairs[name] / len(rows) for name in names], dtype=np.float64)
    counts = Counts(
        base=sum(row[3] for row in rows) / len(rows),
        weight=weight,
        steady=np.array([steady[name] / len(rows) for name in names], dtype=np.float64),
        squares=weight**2,
        people=np.array(
            [[pairs[name], 1, len(lone[name])] for name in names], dtype=np.int64
        ).reshape(-1, 3),
    )
    return np.array([at[name] for name in names], dtype=np.int64), counts


def _sum(own: Sequence[tuple[NDArray[np.int64], Counts]], mentees: Sequence[int]) -> Counts:
    """All mentors' parts together; by goal, `mentees` is how many different ones there are."""
    goals = range(len(mentees))
    parts: tuple[list[list[float]], ...] = tuple([[] for _ in goals] for _ in range(3))
    people = np.zeros((len(mentees), 3), dtype=np.int64)
    for columns, counts in own:
        people[columns] += counts.people
        for into, values in zip(parts, (counts.weight, counts.steady, counts.squares), strict=True):
            for column, value in zip(columns.tolist(), values.tolist(), strict=True):
                into[column].append(value)
    weight, steady, squares = (np.array([math.fsum(each) for each in part]) for part in parts)
    # One mentee of two mentors is one, and leaves with neither: theirs are not summed up.
    people[:, 2] = mentees
    base = math.fsum(counts.base for _, counts in own) / max(len(own), 1)
    return Counts(base, weight, steady, squares, people)
