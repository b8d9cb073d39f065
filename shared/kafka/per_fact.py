"""From a batch to one handler per fact, each event counted once. Opens no transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TypeAlias
from uuid import UUID

from shared.events.envelope import Event
from shared.events.fact import Fact
from shared.postgres import inbox
from shared.postgres.pool import Connection
from shared.postgres.tenancy import act_for

# Called inside the delivery's open transaction with events of many keys, in order per key.
Apply: TypeAlias = Callable[[Connection, Sequence[Event], datetime], Awaitable[None]]
Handler: TypeAlias = Callable[[Connection, Event, datetime], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Together:
    """A handler that takes facts of one tenant that follow each other at once, in their order."""

    handle: Callable[[Connection, Sequence[Event], datetime], Awaitable[None]]


def per_fact(handlers: Mapping[type[Fact], Handler | Together]) -> Apply:
    """An Apply that claims the events a service has handlers for, and calls each new one's.

    Each handler sees the rows of its event's tenant alone. Facts without a handler are passed over:
    the topic carries more than this service needs.
    """

    async def apply(conn: Connection, events: Sequence[Event], now: datetime) -> None:
        wanted = [event for event in events if type(event.fact) in handlers]
        if not wanted:
            return
        new = await inbox.claim(conn, [event.event_id for event in wanted])
        acting_for = None
        for (tenant, handler), group in groupby(
            _once(wanted, new), key=lambda event: (event.tenant, handlers[type(event.fact)])
        ):
            if tenant != acting_for:
                await act_for(conn, tenant)
                acting_for = tenant
            if isinstance(handler, Together):
                await handler.handle(conn, list(group), now)
                continue
            for event in group:
                await handler(conn, event, now)

    return apply


def _once(events: Sequence[Event], new: set[UUID]) -> Iterator[Event]:
    """Those that are new, each once: a duplicate inside the batch is a duplicate too."""
    for event in events:
        if event.event_id in new:
            new.discard(event.event_id)
            yield event
