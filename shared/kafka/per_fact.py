"""From a batch to one handler per fact, each event counted once. Opens no transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from shared.events.envelope import Event
from shared.events.fact import Fact
from shared.postgres import inbox
from shared.postgres.pool import Connection
from shared.postgres.tenancy import act_for

# Called inside the delivery's open transaction with events of many keys, in order per key.
Apply: TypeAlias = Callable[[Connection, Sequence[Event], datetime], Awaitable[None]]
Handler: TypeAlias = Callable[[Connection, Event, datetime], Awaitable[None]]


def per_fact(handlers: Mapping[type[Fact], Handler]) -> Apply:
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
        for event in wanted:
            if event.event_id in new:
                new.discard(event.event_id)  # a duplicate inside the batch is a duplicate too
                if event.tenant != acting_for:
                    await act_for(conn, event.tenant)
                    acting_for = event.tenant
                await handlers[type(event.fact)](conn, event, now)

    return apply
