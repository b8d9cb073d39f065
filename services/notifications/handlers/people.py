"""The address book, and who is away. Runs inside the delivery's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.notifications.queries import (
    attention,
    endpoints,
    erasure,
    messages,
    people,
    suppression,
)
from services.notifications.queries.attention import KeptLeave
from services.notifications.queries.people import Told
from shared.erasing import erase
from shared.events.envelope import Event
from shared.events.people import (
    PersonLeaveEnded,
    PersonLeaveStarted,
    PersonLeft,
    PersonState,
)
from shared.postgres.pool import Connection


async def on_states(conn: Connection, events: Sequence[Event], now: datetime) -> None:
    """Keep names and addresses. What waited for them is found by the sending loop."""
    told = []
    for event in events:
        assert isinstance(event.fact, PersonState)
        told.append(Told(event.fact, event.occurred_at))
    tenant = events[0].tenant
    moved = await people.save_people(conn, tenant, told)
    await messages.look_again(conn, tenant, moved, now)


async def on_leave(conn: Connection, event: Event, _now: datetime) -> None:
    """Keep the leave as the newest fact tells it; what is held is looked at when it is due."""
    fact = event.fact
    assert isinstance(fact, PersonLeaveStarted | PersonLeaveEnded)
    back_on = fact.back_on if isinstance(fact, PersonLeaveEnded) else None
    leave = KeptLeave(fact.person_id, fact.leave_id, fact.started_on, back_on)
    await attention.save_leave(conn, event, leave)
    if back_on is not None:
        await messages.look_again(conn, event.tenant, [fact.person_id], event.occurred_at)


async def on_erased(conn: Connection, event: Event, now: datetime) -> None:
    """Erase the person for ever, whatever was told of them later."""
    await erase(conn, "notifications", erasure.ERASED, event, now)


async def on_left(conn: Connection, event: Event, _now: datetime) -> None:
    """Delete name, address and choices, and take back what has not been sent yet."""
    fact = event.fact
    assert isinstance(fact, PersonLeft)
    if await people.forget_person(conn, event.tenant, fact.person_id, event.occurred_at):
        for keeper in (attention, endpoints, suppression):
            await keeper.forget(conn, event.tenant, fact.person_id)
        await messages.suppress_person(conn, event.tenant, fact.person_id)
