"""The Kafka edge: which fact goes to which handler. Decides nothing and opens no transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.sessions.handlers import facts
from shared.events.envelope import Event
from shared.events.fact import Fact
from shared.events.insights import TrustChanged
from shared.events.matching import PairEnded, PairStarted
from shared.events.people import PersonChanged, PersonJoined, PersonLeft
from shared.kafka.per_fact import Handler
from shared.postgres.pool import Connection
from shared.postgres.tenancy import act_for


def _for_its_tenant(handler: Handler) -> Handler:
    """The handler, in a transaction that sees no more than the fact's own tenant."""

    async def handle(conn: Connection, event: Event, now: datetime) -> None:
        await act_for(conn, event.tenant)
        await handler(conn, event, now)

    return handle


_OF_FACT: Mapping[type[Fact], Handler] = {
    PairStarted: facts.on_pair_started,
    PairEnded: facts.on_pair_ended,
    TrustChanged: facts.on_trust_changed,
    PersonJoined: facts.on_person_state,
    PersonChanged: facts.on_person_state,
    PersonLeft: facts.on_person_left,
}
HANDLERS = {fact: _for_its_tenant(handler) for fact, handler in _OF_FACT.items()}
