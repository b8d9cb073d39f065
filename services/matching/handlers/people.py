"""What matching does about HR's facts, inside the delivery's transaction. Holds no rule, no SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.matching.domain import pair as life
from services.matching.domain.person import from_fact, leave_of
from services.matching.handlers.common import announce
from services.matching.handlers.erasures import keep_off
from services.matching.queries import erasure, erasures, pairs, people
from services.matching.queries.people import Told
from shared.erasing import erase
from shared.events.envelope import Event
from shared.events.fact import Fact
from shared.events.people import (
    PersonErased,
    PersonLeaveEnded,
    PersonLeaveStarted,
    PersonLeft,
    PersonState,
)
from shared.ids import PersonId
from shared.postgres.pool import Connection


async def on_states(conn: Connection, events: Sequence[Event], now: datetime) -> None:
    """Keep people as the facts describe them; an older fact than the known one is nothing."""
    told = []
    for event in events:
        assert isinstance(event.fact, PersonState)
        said = event.fact.model_dump(mode="json")
        told.append(Told(from_fact(event.fact), said, event.occurred_at, event.event_id))
    await people.save_people(conn, events[0].tenant, told)
    await keep_off(conn, events[0].tenant, [each.person.person_id for each in told], now)


async def on_leave(conn: Connection, event: Event, _now: datetime) -> None:
    """Keep the leave: who is away is proposed to nobody, and their pairs go on."""
    assert isinstance(event.fact, PersonLeaveStarted | PersonLeaveEnded)
    leave = leave_of(event.fact)
    await people.save_leave(conn, event.tenant, leave, event.occurred_at, event.event_id)


async def on_left(conn: Connection, event: Event, now: datetime) -> None:
    """Withdraw the leaver's proposals and end their running pairs."""
    assert isinstance(event.fact, PersonLeft)
    tenant, leaver = event.tenant, event.fact.person_id
    await people.lock_people(conn, tenant)
    if await people.save_leaver(conn, tenant, leaver, event.occurred_at, event.event_id):
        await _close_pairs(conn, event, leaver, now)


async def on_erased(conn: Connection, event: Event, now: datetime) -> None:
    """Forget the person, for ever, and close their pairs as those of a leaver."""
    assert isinstance(event.fact, PersonErased)
    tenant, erased = event.tenant, event.fact.person_id
    await people.lock_people(conn, tenant)
    await erasures.begin(conn, tenant, erased, event.event_id, event.occurred_at)
    if await people.erase(conn, tenant, erased, event.event_id):
        await _close_pairs(conn, event, erased, now)
    await erase(conn, "matching", erasure.ERASED, event, now)


async def _close_pairs(conn: Connection, event: Event, leaver: PersonId, now: datetime) -> None:
    facts: list[Fact] = []
    for pair in await pairs.lock_open_pairs_of(conn, event.tenant, leaver):
        decision = life.close_for_leaver(pair, now)
        await pairs.save(conn, event.tenant, decision.thing)
        facts.extend(decision.facts)
    await announce(conn, event.tenant, facts, now, cause=event)
