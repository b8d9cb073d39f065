"""Statements on mentors' free places, and on the late promises that take some of them up.

`PLACES_AT` is for statements that need many mentors' places at once: a relation of (tenant,
person_id, capacity, open_pairs, late, places) over the two arguments that it is written with.
Whether a mentor is there, or pauses, is for the caller to say. Opens no transaction, holds no rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from services.matching.domain.load import LatePromise, Load, Settled
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

PLACES_AT = "mentor_places({at}::timestamptz, {cap}::int)"

_ALL_FREE = f"""
    SELECT person_id, least(capacity, $3::int) - open_pairs - late AS left_
    FROM {PLACES_AT.format(at="$2", cap="$3")} WHERE tenant = $1
"""
# A statement of its own: an OR would make of a hundred lookups one look at everybody.
_FREE = _ALL_FREE + " AND person_id = ANY($4::text[])"
_LOAD = f"""
    SELECT capacity, open_pairs, late FROM {PLACES_AT.format(at="$3", cap="NULL")}
    WHERE tenant = $1 AND person_id = $2
"""
_OPEN = """
    INSERT INTO late_promise (tenant, commitment_id, pair_id, person_id, since)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
"""
_CLOSE = """
    DELETE FROM late_promise WHERE tenant = $1 AND commitment_id = $2 AND person_id IS NOT NULL
"""
_CLOSE_FOR_GOOD = """
    INSERT INTO late_promise (tenant, commitment_id, pair_id, since) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant, commitment_id) DO UPDATE SET (person_id, since) = (NULL, excluded.since)
"""
_FORGET = """
    DELETE FROM late_promise WHERE (tenant, commitment_id) IN (
        SELECT late.tenant, late.commitment_id
        FROM late_promise AS late LEFT JOIN pair USING (tenant, pair_id)
        WHERE late.since <= $1 OR pair.state IS DISTINCT FROM 'started' LIMIT $2
    )
"""


async def free_places(
    conn: Connection,
    tenant: TenantId,
    person_ids: Sequence[PersonId] | None,
    cap: int | None,
    now: datetime,
    given_back: Mapping[PersonId, int] = MappingProxyType({}),
) -> dict[PersonId, int]:
    """Free places at `now` of these mentors, or of all; whoever is no mentor is not in it.

    max(0, min(capacity, cap) - open pairs - late promises), as `domain.load.Load.places` has it.
    `given_back` is how many of a mentor's open pairs are not to count, being weighed anew: a place
    that a late promise takes up does not come back with them.
    """
    if person_ids is None:
        rows = await conn.fetch(_ALL_FREE, tenant, now, cap)
    else:
        rows = await conn.fetch(_FREE, tenant, now, cap, person_ids)
    return {
        row["person_id"]: max(0, row["left_"] + given_back.get(row["person_id"], 0)) for row in rows
    }


async def load_of(
    conn: Connection, tenant: TenantId, person_id: PersonId, now: datetime
) -> Load | None:
    """What takes up a mentor's places, for their own eyes; None for somebody who is no mentor."""
    row = await conn.fetchrow(_LOAD, tenant, person_id, now)
    return Load(row["capacity"], row["open_pairs"], row["late"]) if row else None


async def open_late(conn: Connection, tenant: TenantId, promise: LatePromise) -> None:
    """Set a place aside, unless the promise is known to be late or settled."""
    await conn.execute(
        _OPEN, tenant, promise.commitment_id, promise.pair_id, promise.person_id, promise.since
    )


async def close_late(conn: Connection, tenant: TenantId, settled: Settled) -> None:
    """Give the place back. What can only be said of a late promise holds against news to come."""
    if settled.was_late:
        await conn.execute(
            _CLOSE_FOR_GOOD, tenant, settled.commitment_id, settled.pair_id, settled.at
        )
    else:
        await conn.execute(_CLOSE, tenant, settled.commitment_id)


async def forget_late(conn: Connection, before: datetime, limit: int) -> int:
    """Forget at most `limit` that are as old as `before`, or of no running pair; how many."""
    status = await conn.execute(_FORGET, before, limit)
    return int(status.split()[-1])
