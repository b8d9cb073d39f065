"""Taking in what HR says over HTTP: each event once, with its claim, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from services.matching.domain.door import digest_of
from services.matching.queries import door
from shared.asking import Ask
from shared.events.envelope import Event
from shared.postgres import outbox
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import act_for_all, acting_for

# A sender that repeats an event later than this has it published again; readers drop it.
REMEMBERED = timedelta(days=30)
FORGET_BATCH = 5_000

Fate = Literal["accepted", "duplicate", "conflict"]


async def take_in(pool: Pool, ask: Ask, events: Sequence[Event]) -> list[Fate]:
    """Publish the events that are new, in their order; what became of each.

    A `conflict` is another event under a name that was used before: of those in one call the first
    counts. All of it commits together.
    """
    async with acting_for(pool, ask.tenant) as conn:
        await door.hold(conn, ask.tenant)
        return await take_in_held(conn, ask, events)


async def take_in_held(conn: Connection, ask: Ask, events: Sequence[Event]) -> list[Fate]:
    """As `take_in`, in the caller's transaction, which holds the tenant's people."""
    if not events:
        return []
    sent: dict[UUID, tuple[int, bytes]] = {}
    for at, event in enumerate(events):
        sent.setdefault(event.event_id, (at, digest_of(event)))
    claims = [(event_id, digest) for event_id, (_, digest) in sent.items()]
    new = await door.claim(conn, ask.tenant, claims, ask.now)
    known = [event_id for event_id in sent if event_id not in new]
    before = await door.digests(conn, ask.tenant, known) if known else {}
    firsts = [at for event_id, (at, _) in sent.items() if event_id in new]
    await outbox.append(conn, [events[at] for at in firsts])
    digests = {event_id: digest for event_id, (_, digest) in sent.items()} | before
    return _fates(events, set(firsts), digests)


def _fates(events: Sequence[Event], firsts: set[int], digests: Mapping[UUID, bytes]) -> list[Fate]:
    fates: list[Fate] = []
    for at, event in enumerate(events):
        if at in firsts:
            fates.append("accepted")
        else:
            same = digests[event.event_id] == digest_of(event)
            fates.append("duplicate" if same else "conflict")
    return fates


async def forget(pool: Pool, now: datetime) -> int:
    """Forget old claims, some at a time; how many."""
    async with pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        return await door.forget(conn, now - REMEMBERED, FORGET_BATCH)
