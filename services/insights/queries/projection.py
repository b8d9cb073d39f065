"""The projection as a whole: where it stands in the log, and its tables as tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from services.insights.domain.replay import PairOf
from shared.ids import PairId, TenantId
from shared.kafka.offsets import Partition
from shared.postgres.pool import Connection

# The tables that are a projection of the log, and nothing else: whatever else is in the schema is
# not told by the log and stays where it is when these are swapped.
PROJECTION = ("pair", "evidence", "leave", "person", "consumer_offset")

_OFFSETS = "SELECT topic, partition, next_offset FROM consumer_offset WHERE group_name = $1"
# A letter that was redriven has been counted after all.
_PARKED = """
    SELECT topic, partition, record_offset FROM dead_letter
    WHERE group_name = $1 AND status <> 'redriven'
"""
_STORED = """
    SELECT tenant, pair_id, pair_key, state FROM pair
    WHERE $1::text IS NULL OR tenant = $1 ORDER BY tenant, pair_id
"""
# One line a pair: who it is, what the log says of its life, and a digest of its evidence that knows
# no order.
_LINES = """
    SELECT p.pair_key, p.tenant, p.pair_id,
           ROW(p.mentor_id, p.mentee_id, p.programme_id, p.started_at, p.ended_at)::text,
           coalesce(e.facts, 0), coalesce(e.digest, 0), p.state
    FROM pair p LEFT JOIN (
        SELECT pair_key, count(*) AS facts, bit_xor(hash_record_extended(
                   ROW(event_id, at_us, kind, about, detail, ref), 0)) AS digest
        FROM evidence WHERE $1::bigint[] IS NULL OR pair_key = ANY($1) GROUP BY pair_key
    ) AS e USING (pair_key)
    WHERE $1::bigint[] IS NULL OR p.pair_key = ANY($1)
    ORDER BY p.tenant COLLATE "C", p.pair_id
"""
_KEYS = """
    SELECT p.pair_key FROM unnest($1::text[], $2::uuid[]) AS asked (tenant, pair_id)
    JOIN pair p ON p.tenant = asked.tenant AND p.pair_id = asked.pair_id
"""
_EVENTS = "SELECT event_id FROM evidence WHERE pair_key = $1"
_LEAVES = "SELECT tenant, person_id, event_id, at_us, kind, ref FROM leave"
# Whoever was erased has a row where their erasure was heard of, and none in a log that forgot them.
_UNITS = "SELECT tenant, person_id, org_unit, told_at FROM person WHERE told_at < '9999-01-01Z'"
_REDRIVEN = """
    SELECT topic, partition, record_offset, key, value, header_names, header_values
    FROM dead_letter WHERE group_name = $1 AND status = 'redriven'
"""


class Stored(NamedTuple):
    """The packed state of a pair as it is stored, None before its first evidence."""

    key: int
    state: bytes | None


class Line(NamedTuple):
    """A pair as it is compared."""

    key: int
    tenant: TenantId
    pair_id: PairId
    life: str
    facts: int
    digest: int
    state: bytes | None

    @property
    def of(self) -> PairOf:
        return self.tenant, self.pair_id


class Letter(NamedTuple):
    """A redriven dead letter: what was in the log, and where."""

    place: tuple[str, int, int]
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


Parked = Mapping[Partition, frozenset[int]]


async def offsets(conn: Connection, group: str) -> dict[Partition, int]:
    """Where the group stands in each partition it ever read."""
    return {(topic, number): at for topic, number, at in await conn.fetch(_OFFSETS, group)}


async def parked(conn: Connection, group: str) -> Parked:
    """The offsets of records that were read and not counted, by partition."""
    found: dict[Partition, set[int]] = {}
    for topic, number, at in await conn.fetch(_PARKED, group):
        found.setdefault((topic, number), set()).add(at)
    return {partition: frozenset(places) for partition, places in found.items()}


async def stored(conn: Connection, tenant: TenantId | None) -> dict[PairOf, Stored]:
    """The state of every pair of a tenant, or of all."""
    rows = await conn.fetch(_STORED, tenant)
    return {(tenant, pair_id): Stored(key, state) for tenant, pair_id, key, state in rows}


async def lines(conn: Connection, keys: Collection[int] | None = None) -> AsyncIterator[Line]:
    """Every pair (or some), in the order of tenant and id. Inside a transaction."""
    asked = None if keys is None else list(keys)
    async for row in conn.cursor(_LINES, asked, prefetch=1_000):
        yield Line(*row)


async def keys_of(conn: Connection, pairs: Collection[PairOf]) -> list[int]:
    """The keys of pairs, as far as they are there."""
    tenants, ids = [tenant for tenant, _ in pairs], [pair_id for _, pair_id in pairs]
    return [row[0] for row in await conn.fetch(_KEYS, tenants, ids)]


async def events_of(conn: Connection, key: int) -> set[UUID]:
    """The events that count for a pair."""
    return {row[0] for row in await conn.fetch(_EVENTS, key)}


async def leaves(conn: Connection) -> set[tuple[Any, ...]]:
    """Everything that is kept about leaves."""
    return {tuple(row) for row in await conn.fetch(_LEAVES)}


async def units(conn: Connection) -> set[tuple[Any, ...]]:
    """Everything that is kept about people."""
    return {tuple(row) for row in await conn.fetch(_UNITS)}


async def redriven(conn: Connection, group: str) -> list[Letter]:
    """Records that were parked and counted after all."""
    return [
        Letter((topic, number, at), key, value, list(zip(names, values, strict=True)))
        for topic, number, at, key, value, names, values in await conn.fetch(_REDRIVEN, group)
    ]
