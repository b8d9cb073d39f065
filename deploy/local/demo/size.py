"""How large a demo is. The small one of the tests and the full one run the same code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# A Monday, so that weeks of the story are weeks of the calendar.
START = datetime(2026, 1, 5, 8, tzinfo=UTC)
MENTORS_PER_PAIR = 0.55
UNPLACED_PER_PAIR = 0.05


@dataclass(frozen=True, slots=True)
class DemoSize:
    """People that HR sends, pairs that start, and weeks of their life from a Monday morning on."""

    people: int = 200
    pairs: int = 80
    weeks: int = 26
    starts_at: datetime = START

    def __post_init__(self) -> None:
        if min(self.pairs, self.people - self.mentees - self.mentors) < 1 or self.weeks < 2:
            raise ValueError("a demo needs a pair, somebody who takes no part, and two weeks")

    @property
    def unplaced(self) -> int:
        """Mentees for whom there is no mentor, each for a reason that matching has to name."""
        return max(1, round(self.pairs * UNPLACED_PER_PAIR))

    @property
    def mentees(self) -> int:
        return self.pairs + self.unplaced

    @property
    def mentors(self) -> int:
        return max(3, round(self.pairs * MENTORS_PER_PAIR))

    @property
    def ends_at(self) -> datetime:
        """When the story is over."""
        return self.starts_at + timedelta(weeks=self.weeks)


FULL = DemoSize()
