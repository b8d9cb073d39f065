"""The spans and limits of the domain, in one value. Settings fill it in; this reads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

# A pair plans at most a year ahead, and keeps its open promises few enough to remember.
MAX_AHEAD = timedelta(days=366)
MAX_OPEN_COMMITMENTS = 50
MAX_SCHEDULED_SESSIONS = 50
MAX_FEEDBACK_ITEMS = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """`grace` runs from a promise's due time, `confirm_within` from a session's end."""

    grace: timedelta = timedelta(hours=48)
    confirm_within: timedelta = timedelta(hours=72)
