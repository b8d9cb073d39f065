"""Whether a matching went as well for one group as for another: by unit and by language alone.

Never by gender, ethnicity or age, which matching does not know. Groups of fewer than five people
are not shown: their figures would be about persons.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from services.matching.engine.matched import Matched
from services.matching.engine.measures import TOP, share
from services.matching.engine.side import Ints, Side

# Name, people, placed, placed with one of their first three, and the sum of all ranks.
Figures: TypeAlias = tuple[str, int, int, int, int]
AT_LEAST = 5
MOST_SHOWN = 50
# Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D: four fifths of the group
# that fares best, where that is more than chance; 1607.15 A: groups of 2 % and more.
FOUR_FIFTHS = 0.8
SIZEABLE = 0.02
BEYOND_CHANCE = 1.96


@dataclass(frozen=True, slots=True)
class Group:
    """Mentees who share a unit or a language. `mean_rank` is of those placed, None for nobody.

    `of_best` is its share with one of the first three of their own list, against that of the group
    that fared best among those of 2 % and more of all groups' people. It is `flagged` where that
    is below four fifths and further from everybody's share than chance explains (95 %).
    """

    name: str
    people: int
    coverage: float
    top3_share: float
    mean_rank: float | None
    of_best: float
    flagged: bool


@dataclass(frozen=True, slots=True)
class Gaps:
    """All groups of one kind: those that fared worst first, at most fifty of `groups`."""

    by: Literal["org_unit", "language"]
    groups: int
    flagged: int
    shown: tuple[Group, ...]


def gaps(matched: Matched, ranks: Ints, mentees: Side) -> tuple[Gaps, Gaps]:
    """By unit and by language; somebody with two languages is in two groups.

    `ranks` (edges,) are those of measures.own_ranks.
    """
    rank = np.zeros(len(mentees), np.int32)
    rank[matched.mentee] = ranks[matched.chosen]
    units = [() if unit is None else (unit,) for unit in mentees.units]
    languages = [tuple(set(spoken)) for spoken in mentees.languages]
    return _gaps("org_unit", units, rank), _gaps("language", languages, rank)


def _gaps(
    by: Literal["org_unit", "language"], named: Sequence[tuple[str, ...]], rank: Ints
) -> Gaps:
    rows = np.repeat(np.arange(len(named)), [len(each) for each in named])
    names, code = np.unique([name for each in named for name in each], return_inverse=True)
    got = rank[rows]

    def count(which: np.ndarray) -> np.ndarray:
        return np.bincount(code, weights=which.astype(np.float64), minlength=len(names))

    people, placed, top = count(got >= 0), count(got > 0), count((got > 0) & (got <= TOP))
    figures = zip(names, people, placed, top, count(got), strict=True)
    shown: list[Figures] = [
        (str(name), int(numbers[0]), int(numbers[1]), int(numbers[2]), int(numbers[3]))
        for name, *numbers in figures
        if numbers[0] >= AT_LEAST
    ]
    reference = _reference(shown)
    found = [_group(reference, *each) for each in shown]
    found.sort(key=lambda group: (group.of_best, -group.people, group.name))
    flagged = sum(group.flagged for group in found)
    return Gaps(by, len(found), flagged, tuple(found[:MOST_SHOWN]))


def _reference(shown: Sequence[Figures]) -> tuple[float, float]:
    """The share of the group that fared best, and that of everybody."""
    whole = sum(people for _, people, *_ in shown)
    rates = [top / n for _, n, _, top, _ in shown if n >= SIZEABLE * whole]
    return max(rates, default=0.0), share(sum(top for *_, top, _ in shown), whole)


def _group(
    reference: tuple[float, float], name: str, people: int, placed: int, top: int, ranks: int
) -> Group:
    best, of_all = reference
    rate = top / people
    by_chance = BEYOND_CHANCE * math.sqrt(of_all * (1 - of_all) / people)
    return Group(
        name=name,
        people=people,
        coverage=placed / people,
        top3_share=rate,
        mean_rank=round(ranks / placed, 2) if placed else None,
        of_best=rate / best if best else 1.0,
        flagged=rate < FOUR_FIFTHS * best and of_all - rate > by_chance,
    )
