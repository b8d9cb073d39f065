"""What becomes of a message after an attempt to hand it over. Pure: time is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, assert_never

from services.notifications.domain.message import State

# accepted: it is the receiving server's now.   deferred: not now; counts as an attempt.
# refused: never, as the server said.           unreachable: no fault of the message; not counted.
# withdrawn: must not be said any more.
Fate: TypeAlias = Literal["accepted", "deferred", "refused", "unreachable", "withdrawn"]

GAVE_UP = "gave_up"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended; `reason` is a code for people who look into it."""

    fate: Fate
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a message is tried again."""

    max_attempts: int
    first_wait: timedelta
    longest_wait: timedelta
    unreachable_wait: timedelta


@dataclass(frozen=True, slots=True)
class Next:
    """The state to write, how many attempts count now, and when the message may be taken."""

    state: State
    attempt: int
    due_at: datetime
    reason: str | None = None


def after(outcome: Outcome, attempt: int, now: datetime, policy: RetryPolicy) -> Next:
    """The message's next state, where `attempt` is the number of the one that has just ended."""
    match outcome.fate:
        case "accepted":
            return Next("sent", attempt, now)
        case "refused":
            return Next("failed", attempt, now, outcome.reason)
        case "withdrawn":
            return Next("suppressed", attempt, now, outcome.reason)
        case "deferred" if attempt >= policy.max_attempts:
            return Next("failed", attempt, now, GAVE_UP)
        case "deferred":
            return Next("queued", attempt, now + wait(attempt, policy), outcome.reason)
        case "unreachable":
            # The expiry of the message is what ends this, not the number of tries.
            return Next("queued", attempt - 1, now + policy.unreachable_wait, outcome.reason)
        case _:
            assert_never(outcome.fate)


def wait(attempt: int, policy: RetryPolicy) -> timedelta:
    """Twice as long after each attempt, up to the longest."""
    doubled: timedelta = policy.first_wait * 2 ** min(attempt - 1, 30)
    return min(doubled, policy.longest_wait)
