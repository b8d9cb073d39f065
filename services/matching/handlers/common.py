"""What every handler of matching begins and ends with. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from services.matching.domain.pair import Actor
from shared.asking import Ask
from shared.events.envelope import Event, new_event
from shared.events.fact import Fact
from shared.http import Role
from shared.ids import TenantId, new_id
from shared.postgres import outbox
from shared.postgres.pool import Connection

SERVICE = "matching"
OVERSEERS: tuple[Role, ...] = ("manager", "service")


def actor(ask: Ask) -> Actor:
    """The one who asks, as the rules see them."""
    return Actor(ask.person, oversees=ask.role in OVERSEERS)


async def announce(
    conn: Connection,
    tenant: TenantId,
    facts: Iterable[Fact],
    at: datetime,
    cause: Event | None = None,
) -> None:
    """Publish facts with the transaction, in this order, as having happened at `at`.

    The caller holds the rows they are about, so the outbox has the facts of a pair in commit order.
    """
    events = [
        new_event(fact, event_id=new_id(), tenant=tenant, service=SERVICE, now=at, cause=cause)
        for fact in facts
    ]
    if events:
        await outbox.append(conn, events)
