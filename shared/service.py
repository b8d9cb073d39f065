"""What a service is made of. `shared.runtime` runs it; nothing here does I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import FastAPI

from shared.events.topics import Group
from shared.kafka.ends import End
from shared.kafka.per_fact import Apply
from shared.postgres.pool import Connection


@dataclass(frozen=True, slots=True)
class Loop:
    """Background work: `step` is called again and again, `every_s` seconds after it returned.

    A step that did something (returns a true value) is called again at once; while the consumer
    beside it is far behind, only so soon that it takes at most `share` of the time. One that did
    not is called before `every_s` is over when `wake` is set, but not sooner than `gather_s` after
    it began. One instance of the step runs per process; a step that must run once in the whole
    network takes a lock itself.
    """

    name: str
    every_s: float
    step: Callable[[], Awaitable[object]]
    share: float = 1.0
    wake: asyncio.Event | None = None
    gather_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Service:
    """One service, wired: who it is, what it consumes and how, its API and its loops.

    `committed` is called after each transaction of `apply`, `note_ends` once a second with how far
    the log goes; both in workers, as is `measure`, every few seconds in a transaction that sees all
    tenants. `serve` runs beside the API until the event is set, and then ends
    what would keep a connection open. `close` is called once, in whatever role, after everything
    else has ended and before the pool does: for what the service itself keeps open.
    """

    name: str
    group: Group
    apply: Apply
    api: FastAPI
    loops: tuple[Loop, ...] = ()
    committed: Callable[[], None] | None = None
    note_ends: Callable[[Sequence[End]], Awaitable[None]] | None = None
    measure: Callable[[Connection, datetime], Awaitable[None]] | None = None
    serve: Callable[[asyncio.Event], Coroutine[Any, Any, None]] | None = None
    close: Callable[[], Awaitable[None]] | None = None
