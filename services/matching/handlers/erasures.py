"""Erasing people: asked for, told by every service, finished. What goes is said in queries.

    person.erased -> each service erases and says so (erasure.completed) -> tombstones -> receipt

The record of `person.erased` has the key of the person's state. A tombstone under that key takes it
away as well: it is sent when all services have acted on it, and not before. A broker compacts a
segment of its log once a later one has begun, and a quiet partition begins none: so the tombstones
are sent a second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import get_args

from services.matching.handlers.common import SERVICE
from services.matching.queries import door, erasures
from services.matching.queries.erasures import Erasure
from shared.asking import Ask
from shared.events.envelope import Event, new_event
from shared.events.erasures import ErasureCompleted, Service
from shared.events.people import PersonErased
from shared.events.topics import COMPACTED_WITHIN, GROUPS, PEOPLE, dead_letter_topic
from shared.ids import PersonId, TenantId, new_id
from shared.postgres import outbox
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for, reading_for

# A copy of what could not be read; each has one partition, and so one segment that is open.
_COPIES = tuple(dead_letter_topic(PEOPLE, group).name for group in GROUPS)
SERVICES: tuple[Service, ...] = get_args(Service)


async def ask_for(pool: Pool, ask: Ask, person: PersonId) -> Erasure:
    """Have a person erased everywhere; once, however often it is asked for."""
    async with acting_for(pool, ask.tenant) as conn:
        await door.hold(conn, ask.tenant)
        known = await erasures.find(conn, ask.tenant, person)
        if known is not None:
            return known
        fact = PersonErased(person_id=person, erased_on=ask.now.date())
        event = new_event(fact, event_id=new_id(), tenant=ask.tenant, service=SERVICE, now=ask.now)
        await erasures.begin(conn, ask.tenant, person, event.event_id, ask.now)
        await outbox.append(conn, [event])
        return Erasure(event.event_id, ask.now, None, ())


async def find(pool: Pool, ask: Ask, person: PersonId) -> Erasure | None:
    """How far the erasure of a person is."""
    async with reading_for(pool, ask.tenant) as conn:
        return await erasures.find(conn, ask.tenant, person)


def waiting_for(erasure: Erasure) -> list[str]:
    """The services that have not said yet that they are done."""
    done = {each["service"] for each in erasure.done}
    return [service for service in SERVICES if service not in done]


async def on_completed(conn: Connection, event: Event, now: datetime) -> None:
    """Note what a service has done; after the last, take the person off the topic."""
    fact = event.fact
    assert isinstance(fact, ErasureCompleted)
    await erasures.note(conn, event.tenant, fact, event.occurred_at)
    found = await erasures.find(conn, event.tenant, fact.person_id)
    assert found is not None
    if found.tombstoned_at is None and not waiting_for(found):
        await _take_off(conn, event.tenant, [fact.person_id], now)
        await erasures.mark_tombstoned(conn, event.tenant, fact.person_id, now)


async def settle_due(conn: Connection, now: datetime, limit: int) -> int:
    """Send the tombstones again of whom they were sent long enough ago; of how many."""
    found = await erasures.settle(conn, now, now - COMPACTED_WITHIN, limit)
    for tenant, person in found:
        await _take_off(conn, tenant, [person], now)
        copies = [(topic, f"{tenant}/{person}") for topic in _COPIES]
        await outbox.append_tombstones(conn, tenant, copies, now)
    return len(found)


async def keep_off(
    conn: Connection, tenant: TenantId, people: Sequence[PersonId], now: datetime
) -> None:
    """Take off the topic again whom somebody has told of after they were erased."""
    await _take_off(conn, tenant, await erasures.gone(conn, tenant, people), now)


async def _take_off(
    conn: Connection, tenant: TenantId, people: Sequence[PersonId], now: datetime
) -> None:
    keys = [(PEOPLE.name, f"{tenant}/{person}") for person in people]
    await outbox.append_tombstones(conn, tenant, keys, now)
