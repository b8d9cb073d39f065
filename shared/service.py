"""What a service is made of. `shared.runtime` runs it; nothing here does I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import FastAPI

from shared.events.topics import Group
from shared.kafka.per_fact import Apply


@dataclass(frozen=True, slots=True)
class Loop:
    """Background work: `step` is called again and again, `every_s` seconds after it returned.

    A step that did something (returns a true value) is called again at once; while the consumer
    beside it is behind, only so soon that it takes at most `share` of the time. One instance of
    the step runs per process; a step that must run once in the whole network takes a lock itself.
    """

    name: str
    every_s: float
    step: Callable[[], Awaitable[object]]
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Service:
    """One service, wired: who it is, what it consumes and how, its API and its loops."""

    name: str
    group: Group
    apply: Apply
    api: FastAPI
    loops: tuple[Loop, ...] = ()
