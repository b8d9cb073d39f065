"""The outbox: facts wait here, in the transaction that made them true. Publishes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared import tracing
from shared.events.envelope import CONTENT_TYPE, Event, encode_value
from shared.events.registry import dataschema
from shared.ids import TenantId, new_id
from shared.postgres.pool import Connection

_COLUMNS = (
    ("id", "uuid"),
    ("aggregatetype", "text"),
    ("aggregateid", "text"),
    ("type", "text"),
    ("payload", "bytea"),
    ("ceid", "text"),
    ("source", "text"),
    ('"time"', "timestamptz"),
    ("subject", "text"),
    ("dataschema", "text"),
    ("tenant", "text"),
    ("correlationid", "text"),
    ("causationid", "text"),
    ("traceparent", "text"),
)
_NAMES = ", ".join(name for name, _ in _COLUMNS)
_ARRAYS = ", ".join(f"${n}::{kind}[]" for n, (_, kind) in enumerate(_COLUMNS, start=1))

# For a statement that does something else with what it returns (a data-modifying WITH).
APPEND = f"""
    INSERT INTO outbox ({_NAMES})
    SELECT {_NAMES} FROM unnest({_ARRAYS}) WITH ORDINALITY AS row({_NAMES}, n) ORDER BY n
"""
# Not a cursor over the last position: a transaction that commits after one with a later position
# would be skipped for ever. What is there has not been published.
_TAKE = f"SELECT position, {_NAMES} FROM outbox WHERE position > $2 ORDER BY position LIMIT $1"
_SETTLE = "DELETE FROM outbox WHERE position = ANY($1::bigint[])"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A fact as it waits: exactly the record it will become."""

    position: int
    topic: str
    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


async def append(conn: Connection, events: Sequence[Event]) -> None:
    """Add facts to be published in this order, if and only if the caller's transaction commits.

    Order per key holds when the caller holds a lock on what the key names (its row): then the
    positions of one key are taken in commit order.
    """
    if not events:
        return
    await conn.execute(APPEND, *columns(events))


async def append_tombstones(
    conn: Connection, tenant: TenantId, keys: Sequence[tuple[str, str]], now: datetime
) -> None:
    """Have what a compacted topic holds under each (topic, key) forgotten, as `append` would."""
    rows = [
        (new_id(), topic, key, "tombstone", None, *("", "", now, "", "", tenant, "", "", ""))
        for topic, key in keys
    ]
    if rows:
        await conn.execute(APPEND, *zip(*rows, strict=True))


def columns(events: Sequence[Event]) -> list[tuple[object, ...]]:
    """The arguments of APPEND for one event and more."""
    return list(zip(*map(_row, events), strict=True))


def _row(event: Event) -> tuple[object, ...]:
    fact = event.fact
    return (
        event.event_id,
        fact.topic.name,
        event.key,
        fact.type,
        encode_value(fact),
        event.ce_id,
        event.source,
        event.occurred_at,
        fact.subject,
        dataschema(type(fact)),
        event.tenant,
        event.correlation_id,
        event.causation_id,
        # What is done for a request belongs to its trace.
        event.traceparent or tracing.current(),
    )


async def take(conn: Connection, limit: int, *, after: int = 0) -> list[Waiting]:
    """The oldest waiting facts, in position order. They stay until `settle`.

    `after` passes over facts that are being sent. Start again from 0 soon: what commits late may
    stand before it.
    """
    return [_waiting(row) for row in await conn.fetch(_TAKE, limit, after)]


async def settle(conn: Connection, positions: Sequence[int]) -> None:
    """Forget facts that the broker has acknowledged."""
    await conn.execute(_SETTLE, positions)


def _waiting(row: Iterable[Any]) -> Waiting:
    position, _id, topic, key, type_, payload, ce_id, source, time, *rest = row
    if payload is None:
        return Waiting(position, topic, key.encode(), None, [])
    subject, schema, tenant, correlation, causation, trace = rest
    named = (
        ("ce_specversion", "1.0"),
        ("ce_id", ce_id),
        ("ce_source", source),
        ("ce_type", type_),
        ("ce_time", time.isoformat().replace("+00:00", "Z")),
        ("ce_subject", subject),
        ("ce_dataschema", schema),
        ("ce_partitionkey", key),
        ("ce_tenant", tenant),
        ("ce_correlationid", correlation),
        ("ce_causationid", causation),
        ("ce_traceparent", trace),
        ("content-type", CONTENT_TYPE),
    )
    headers = [(name, value.encode()) for name, value in named if value]
    return Waiting(position, topic, key.encode(), payload, headers)
