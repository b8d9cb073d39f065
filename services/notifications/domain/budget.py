"""Who still has attention for a day: so many messages each, first come, first said. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

Day = TypeVar("Day", bound=Hashable)


def allot(
    asking: Sequence[tuple[Day, int]], used: Mapping[Day, int]
) -> tuple[list[bool], dict[Day, int]]:
    """Which of those who ask, each for one place of a day that has so many, get one.

    Asked in the order of what is worth most. Also how many places of each day are used then.
    """
    taken = dict(used)
    got = []
    for day, places in asking:
        got.append(taken.get(day, 0) < places)
        taken[day] = taken.get(day, 0) + got[-1]
    return got, taken


def changed(before: Mapping[Day, int], after: Mapping[Day, int]) -> dict[Day, int]:
    """The days of which more places are used than before."""
    days: Iterable[Day] = after
    return {day: after[day] for day in days if after[day] != before.get(day, 0)}
