"""What is done when a person is erased, and how they stay so. Holds no rule and no SQL.

What they wrote and what was known of them goes. What happened stays, as do the partner's words: the
facts name ids, and nobody knows any longer whose the erased one's was.
"""

from __future__ import annotations

from datetime import datetime

from services.sessions.queries import erasure, leaves
from shared.erasing import erase
from shared.events.envelope import Event
from shared.events.fact import PersonFact
from shared.events.people import PersonErased
from shared.kafka.per_fact import Handler
from shared.postgres.pool import Connection


async def on_person_erased(conn: Connection, event: Event, now: datetime) -> None:
    """Forget the person, and every word of theirs. What is open is left to time."""
    fact = event.fact
    assert isinstance(fact, PersonErased)
    await leaves.hold(conn, event.tenant, fact.person_id)
    if not await erasure.is_erased(conn, event.tenant, fact.person_id):
        await erasure.hold_pairs(conn, event.tenant, fact.person_id)
    await erase(conn, "sessions", erasure.ERASED, event, now)
    await erasure.mark(conn, event.tenant, fact.person_id, fact.erased_on)


def unless_erased(handler: Handler) -> Handler:
    """The handler of a fact about a person, for persons who are not erased.

    The person is held first: no two facts about one are handled at the same time, and none that
    came before the erasure, comes again, or comes after it brings anything back.
    """

    async def handle(conn: Connection, event: Event, now: datetime) -> None:
        fact = event.fact
        assert isinstance(fact, PersonFact)
        await leaves.hold(conn, event.tenant, fact.person_id)
        if not await erasure.is_erased(conn, event.tenant, fact.person_id):
            await handler(conn, event, now)

    return handle
