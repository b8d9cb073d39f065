"""Weekly hours in real time: one bit per quarter of an hour of the UTC week. Pure arithmetic.

The offset of a zone is the one in force at `now`, so a match made in winter uses winter's hours.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from shared.events.people import WeeklyHours

SLOT_MINUTES = 15
DAY_MINUTES = 24 * 60
WEEK_SLOTS = 7 * DAY_MINUTES // SLOT_MINUTES
_WHOLE_WEEK = (1 << WEEK_SLOTS) - 1


def free_slots(hours: Iterable[WeeklyHours], timezone: str, now: datetime) -> int:
    """The quarters of the UTC week that lie wholly inside the windows, as a bit set.

    A window that ends before it begins runs past midnight; one of no length is nothing.
    """
    offset = _offset_minutes(timezone, now)
    slots = 0
    for window in hours:
        start = (window.weekday - 1) * DAY_MINUTES + window.from_minute - offset
        length = window.until_minute - window.from_minute
        end = start + (length if length >= 0 else length + DAY_MINUTES)
        for slot in range(-(-start // SLOT_MINUTES), end // SLOT_MINUTES):
            slots |= 1 << slot % WEEK_SLOTS
    return slots


def minutes(slots: int) -> int:
    """How long the slots are together."""
    return slots.bit_count() * SLOT_MINUTES


def minutes_to_meet(slots: int) -> int:
    """How long the pieces of at least half an hour are together: the week is a ring."""
    starts = slots & _later(slots)
    earlier = starts >> 1 | (starts & 1) << (WEEK_SLOTS - 1)
    return minutes(starts | earlier)


def _later(slots: int) -> int:
    """Every quarter moved on by one; the last of Sunday becomes the first of Monday."""
    return (slots << 1 | slots >> (WEEK_SLOTS - 1)) & _WHOLE_WEEK


# Asked of many people at one instant, who live in few zones.
@lru_cache(maxsize=1024)
def _offset_minutes(timezone: str, now: datetime) -> int:
    offset = now.astimezone(ZoneInfo(timezone)).utcoffset() or timedelta()
    return int(offset.total_seconds()) // 60
