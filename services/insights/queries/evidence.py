"""Evidence: what was observed. Its key is the inbox of insights."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from services.insights.domain.evidence import Evidence
from services.insights.queries.pairs import LockedPair
from shared.postgres.pool import Connection

_ADD = """
    INSERT INTO evidence (pair_key, event_id, at_us, tenant, kind, about, detail, ref)
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::text[],
                         $5::smallint[], $6::smallint[], $7::smallint[], $8::bigint[])
    ON CONFLICT DO NOTHING RETURNING pair_key, event_id
"""
_OF = """
    SELECT pair_key, event_id, at_us, kind, about, detail, ref FROM evidence
    WHERE pair_key = ANY($1::bigint[])
"""


async def add(
    conn: Connection, rows: Collection[tuple[LockedPair, Evidence]]
) -> set[tuple[int, UUID]]:
    """Store evidence; the (pair key, event id) of what was not there before.

    Not by COPY, which rows that belong to tenants refuse (docs/decisions/0037).
    """
    table = [
        (p.key, e.event_id, e.at_us, p.tenant, e.kind, e.about, e.detail, e.ref) for p, e in rows
    ]
    found = await conn.fetch(_ADD, *zip(*table, strict=True))
    return {(row[0], row[1]) for row in found}


async def of_pairs(conn: Connection, keys: Collection[int]) -> dict[int, list[Evidence]]:
    """All stored evidence of pairs, in no particular order; every key asked for is there."""
    found: dict[int, list[Evidence]] = {key: [] for key in keys}
    if keys:
        for key, *columns in await conn.fetch(_OF, list(keys)):
            found[key].append(Evidence(*columns))
    return found
