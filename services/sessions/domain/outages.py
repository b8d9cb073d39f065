"""When the service was away, and what that excuses. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from services.sessions.domain.presence import Interval
from services.sessions.domain.session import Slot


def outage(alive_at: datetime | None, now: datetime, after: timedelta) -> Interval | None:
    """The time since a sweeper last ran, when that is longer ago than `after`. Else none.

    Before the first sweep ever there was nothing to be away from.
    """
    if alive_at is None or now - alive_at <= after:
        return None
    return Interval(alive_at, now)


def was_away(outages: Iterable[Interval], slot: Slot) -> bool:
    """Whether a whole session lay in an outage: nobody is to blame for not having been there."""
    return any(each.since <= slot.starts_at and slot.ends_at <= each.until for each in outages)
