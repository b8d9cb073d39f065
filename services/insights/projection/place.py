"""Where a rebuild happens, who is told how far it is, and why it may be refused. Does nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.clock import Clock
from shared.errors import TrustfoldError
from shared.events.topics import INSIGHTS
from shared.kafka.reaching import Reached

# Called with (phase, done, of how many).
Progress = Callable[[str, int, int], None]
GROUP = INSIGHTS.name


class RebuildRefused(TrustfoldError):
    """The projection was left as it is."""


@dataclass(frozen=True, slots=True)
class Place:
    """The service's database (by its own role, and by a superuser's) and its broker."""

    dsn: str
    admin_dsn: str
    kafka: Reached
    clock: Clock


@dataclass(frozen=True, slots=True)
class Effort:
    """How a projection is built: so many processes, so many records at once."""

    readers: int = 4
    batch: int = 10_000
