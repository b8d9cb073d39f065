"""Epochs: the calendar months (UTC) that programmes are measured by, as plain numbers. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

MONTHS = 12
# What was observed in an epoch may be told a little later: clocks and relays are not exact.
SETTLES_AFTER = timedelta(hours=1)


def epoch_of(at: datetime) -> int:
    """The epoch an instant falls in. `at` must be aware."""
    there = at.astimezone(UTC)
    return there.year * MONTHS + there.month - 1


def start_of(epoch: int) -> datetime:
    """The first instant of an epoch; of the next one, it is the end of this."""
    return datetime(epoch // MONTHS, epoch % MONTHS + 1, 1, tzinfo=UTC)


def newest_complete(now: datetime) -> int:
    """The newest epoch that is over and has settled."""
    return epoch_of(now - SETTLES_AFTER) - 1


def name_of(epoch: int) -> str:
    """As it is written: yyyy-mm."""
    return f"{epoch // MONTHS:04d}-{epoch % MONTHS + 1:02d}"


def epoch_named(name: str) -> int:
    """The epoch of a name, which must have the form yyyy-mm."""
    year, month = name.split("-")
    return int(year) * MONTHS + int(month) - 1
