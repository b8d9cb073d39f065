"""A channel that writes down what was handed over and when, in the place of a mail server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from services.notifications.channels import Letter
from services.notifications.composing import Composer
from services.notifications.domain.attempt import Outcome, RetryPolicy
from services.notifications.domain.message import Channel
from services.notifications.rendering import Templates
from services.notifications.sending import Limits, Sender, Ways
from services.notifications.settling import Settler
from tests.integration.notifications.rig import Rig
from tests.unit.notifications.builders import DAY

MINUTE = DAY / 1440


@dataclass
class Recording:
    """Takes everything; the time is that at which it was handed over."""

    carries: Sequence[Channel] = ("email", "calendar")
    taken: list[tuple[datetime, Letter]] = field(default_factory=list)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Recording]:
        yield self

    async def deliver(self, letter: Letter, now: datetime, /) -> Outcome:
        self.taken.append((now, letter))
        return Outcome("accepted")


def sender(rig: Rig, channel: Recording) -> Sender:
    """A sender of the rig's service over another channel."""
    limits = Limits(batch=500, lease=5 * MINUTE, attempt=MINUTE / 3, at_once=4)
    policy = RetryPolicy(
        max_attempts=4, first_wait=MINUTE, longest_wait=60 * MINUTE, unreachable_wait=MINUTE
    )
    settler = Settler(rig.pool, rig.clock)
    composer = Composer(Templates(), link=None)
    return Sender(Ways(rig.pool, rig.clock, composer, settler, limits, policy), channel)
