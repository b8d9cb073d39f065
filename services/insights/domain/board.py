"""A pair's line on the board: which direction needs more help, and how far the two have come. Pure.

It is made of what a manager may see of the pair and of the sessions that took place, and of nothing
else: a line cannot tell more than the pair's own page does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from services.insights.domain.bands import Band
from services.insights.domain.evidence import Evidence, Kind
from shared.events.insights import Side

# The first needs help most. Who cannot be judged yet comes before who is well.
BY_NEED: tuple[Band, ...] = ("strained", "watch", "too_early", "steady")
HELD = frozenset((Kind.SESSION_HELD_SAID_ONE, Kind.SESSION_HELD_SAID_BOTH))


class Sessions(NamedTuple):
    """How many sessions took place, and when the first and the last did."""

    held: int
    first_us: int | None
    last_us: int | None


def needier(about_mentor: Band, about_mentee: Band) -> Side:
    """The direction that needs more help; of two alike the mentor's."""
    return "mentor" if BY_NEED.index(about_mentor) <= BY_NEED.index(about_mentee) else "mentee"


def sessions_of(evidence: Iterable[Evidence]) -> Sessions:
    """The sessions that took place."""
    times = [item.at_us for item in evidence if item.kind in HELD]
    return Sessions(len(times), min(times, default=None), max(times, default=None))
