"""Matching's Kafka edge: which fact goes to which handler. Opens no transaction, holds no rule."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.matching.handlers import facts, people
from shared.events.envelope import Event
from shared.events.fact import Fact
from shared.events.insights import TrustChanged
from shared.events.people import (
    PersonChanged,
    PersonErased,
    PersonJoined,
    PersonLeaveEnded,
    PersonLeaveStarted,
    PersonLeft,
)
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
    PersonJoined: people.on_state,
    PersonChanged: people.on_state,
    PersonLeaveStarted: people.on_leave,
    PersonLeaveEnded: people.on_leave,
    PersonLeft: people.on_left,
    PersonErased: people.on_erased,
    TrustChanged: facts.on_trust_changed,
}
HANDLERS: Mapping[type[Fact], Handler] = {
    fact: _for_its_tenant(handler) for fact, handler in _OF_FACT.items()
}
