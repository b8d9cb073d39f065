"""How often one side did lately what it can do at will: enough to say what once more counts. Pure.

Twin of the weekly cap in `weights` for evidence that comes one by one, in time order.
"""

from __future__ import annotations

from services.insights.domain.model import Model
from services.insights.domain.seen import NEVER
from services.insights.domain.weights import cap_halvings, week_of

_MANY = 2**15


class Capped:
    """Of one side: its newest week, how many in it and in the week before, and the last of all."""

    __slots__ = ("before", "in_week", "newest_us", "week")

    def __init__(self) -> None:
        self.week = self.in_week = self.before = 0
        self.newest_us = NEVER

    def count(self, at_us: int, model: Model) -> int:
        """Count one more; how often its weight is halved, or -1 if it is not the newest."""
        if at_us < self.newest_us:
            return -1
        week = week_of(at_us)
        if week != self.week or self.newest_us == NEVER:
            self.before = self.in_week if week == self.week + 1 else 0
            self.in_week, self.week = 0, week
        self.newest_us = at_us
        self.in_week = min(self.in_week + 1, _MANY)
        return cap_halvings(model, self.before, self.in_week)
