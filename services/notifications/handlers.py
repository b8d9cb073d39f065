"""One function per fact or request. `on_*` run inside the delivery's transaction; none sends.

What is written here is everything that a message will ever need, except for names, addresses and
words. Those are looked up when it is sent or read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.notifications.domain import announcement, rules
from services.notifications.domain.message import first_state
from services.notifications.queries import messages, people, reading
from shared.errors import NotFound
from shared.events.envelope import Event
from shared.events.people import PersonErased, PersonLeft, PersonState
from shared.ids import PersonId, TenantId
from shared.postgres import outbox
from shared.postgres.pool import Connection, Pool


async def on_person_state(conn: Connection, event: Event, _now: datetime) -> None:
    """Keep name and address. What waited for them is found by the sending loop."""
    assert isinstance(event.fact, PersonState)
    await people.save_person(conn, event.tenant, event.fact, event.occurred_at)


async def on_person_left(conn: Connection, event: Event, _now: datetime) -> None:
    """Delete name and address, and take back what has not been sent yet."""
    assert isinstance(event.fact, PersonLeft | PersonErased)
    person = event.fact.person_id
    if await people.forget_person(conn, event.tenant, person, event.occurred_at):
        await messages.suppress_person(conn, event.tenant, person)


async def on_told(conn: Connection, event: Event, now: datetime) -> None:
    """Write the messages that the rule table makes of a fact, each of them once.

    Those for the inbox are delivered by being written, and announced in the same transaction.
    """
    made = rules.messages_for(event)
    standings = await people.standings(conn, event.tenant, [message.to for message in made])
    announced = []
    for message in made:
        state, reason = first_state(message, standings.get(message.to, "unknown"), now)
        is_new = await messages.add_message(conn, message, state, reason, now)
        if is_new and state == "sent":
            announced.append(announcement.sent(message, now))
    await outbox.append(conn, announced)


async def read_inbox(
    pool: Pool, tenant: TenantId, person: PersonId, page: reading.Page, *, unread: bool
) -> tuple[list[reading.Entry], int]:
    """A page of the person's inbox, and how much of all of it is unread."""
    async with pool.acquire() as conn:
        entries = await reading.inbox(conn, tenant, person, page, unread=unread)
        return entries, await reading.count_unread(conn, tenant, person)


async def mark_read(
    pool: Pool, tenant: TenantId, person: PersonId, message_id: UUID, now: datetime
) -> datetime:
    """Mark the person's own message as read; when it first was. Raises NotFound."""
    async with pool.acquire() as conn:
        read_at = await reading.mark_read(conn, tenant, person, message_id, now)
    if read_at is None:
        raise NotFound("your inbox has no such message")
    return read_at


async def timeline(
    pool: Pool, tenant: TenantId, person: PersonId, page: reading.Page
) -> list[reading.Record]:
    """What was said to the person, or not said, and why."""
    async with pool.acquire() as conn:
        return await reading.records(conn, tenant, page, person=person)


async def overview(
    pool: Pool, tenant: TenantId, page: reading.Page
) -> tuple[list[reading.Record], Sequence[reading.Count]]:
    """A page of the tenant's messages, and how many there are of each kind."""
    async with pool.acquire() as conn:
        return await reading.records(conn, tenant, page), await reading.counts(conn, tenant)
