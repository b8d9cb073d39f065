"""From facts to what is sent to tenants' endpoints. Runs inside the transaction of the facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson

from services.notifications.domain.webhook import TYPES, wanted
from services.notifications.queries import deliveries
from services.notifications.queries.deliveries import Kept, Subscribed
from shared.events.envelope import OWN_SOURCE_PREFIX, Event, attributes, encode_value
from shared.ids import TenantId
from shared.postgres.pool import Connection

SOURCE = OWN_SOURCE_PREFIX + "notifications"


async def fan_out(conn: Connection, events: Sequence[Event], now: datetime) -> int:
    """Keep what may go out for tenants that have an endpoint, and line it up where it is wanted.

    One query for a batch of which nobody wants anything. In a line, events are sent in the order
    they have here; an event that comes again changes nothing. Returns how many were kept.
    """
    public = [event for event in events if event.fact.type in TYPES]
    if not public:
        return 0
    found: dict[TenantId, list[Subscribed]] = {}
    for each in await deliveries.subscribed(conn, list({event.tenant for event in public})):
        found.setdefault(each.tenant, []).append(each)
    kept = [_kept(event, found[event.tenant]) for event in public if event.tenant in found]
    if kept:
        await deliveries.keep(conn, kept, now)
    return len(kept)


def _kept(event: Event, endpoints: Sequence[Subscribed]) -> Kept:
    fact = event.fact
    return Kept(
        event.tenant,
        event.event_id,
        fact.type,
        fact.subject,
        structured(event).decode(),
        # What a disabled one misses is there to be replayed.
        [
            each.endpoint_id
            for each in endpoints
            if each.is_enabled and wanted(each.types, fact.type)
        ],
    )


def structured(event: Event) -> bytes:
    """The event as one JSON object (CloudEvents 1.0.2, JSON format), as it goes out."""
    return orjson.dumps(
        {
            **attributes(event),
            "datacontenttype": "application/json",
            "data": orjson.Fragment(encode_value(event.fact)),
        }
    )
