"""What is said of an expected wait, in words. Pure; works nothing out."""

from __future__ import annotations

from math import ceil, floor, isinf
from typing import Protocol

TOO_EARLY = "It is too early to say how long the wait is: too little has happened here yet."
NEVER_PROMISED = "It is no promise: who is next depends on whom they suit."


class Days(Protocol):
    """A median and an interval that 8 of 10 fall into, in days; `inf` is beyond what is known."""

    @property
    def low_days(self) -> float: ...
    @property
    def median_days(self) -> float: ...
    @property
    def high_days(self) -> float: ...


def rounded(wait: Days) -> tuple[int, int | None, int | None]:
    """Low, median and high in whole days, never closer than they are; None is beyond two years."""
    return floor(min(wait.low_days, 730.0)), _up(wait.median_days), _up(wait.high_days)


def words_of(wait: Days | None) -> str:
    """The wait in a sentence or two."""
    if wait is None:
        return TOO_EARLY
    low, median, high = rounded(wait)
    half = "Half of those who wait have a yes later than in two years"
    if median is not None:
        half = f"Half of those who wait have a yes within {_days(median)}"
    most = f"8 of 10 after {low} days or more" if high is None else f"8 of 10 after {low} to {high}"
    return f"{half}, {most}. {NEVER_PROMISED}"


def _up(days: float) -> int | None:
    return None if isinf(days) else max(1, ceil(days))


def _days(number: int) -> str:
    return "a day" if number == 1 else f"{number} days"
