"""Statements on people as a file finds them. Opens no transaction, holds no rule."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import orjson

from services.matching.people_file.changes import Known
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

PAGE = 5_000
_KNOWN = """
    SELECT person_id, event_id, active, erased, said FROM person
    WHERE tenant = $1 AND person_id = ANY($2::text[])
"""
_COUNT = "SELECT count(*) FROM person WHERE tenant = $1 AND active"
_ACTIVE = """
    SELECT person_id FROM person WHERE tenant = $1 AND active AND person_id > $2
    ORDER BY person_id LIMIT $3
"""


async def known(
    conn: Connection, tenant: TenantId, people: Sequence[PersonId]
) -> dict[PersonId, Known]:
    """Those of these people whom the network knows, or knew."""
    rows = await conn.fetch(_KNOWN, tenant, people)
    return {
        row["person_id"]: Known(
            row["event_id"],
            row["active"],
            row["erased"],
            orjson.loads(row["said"]) if row["said"] else None,
        )
        for row in rows
    }


async def count_active(conn: Connection, tenant: TenantId) -> int:
    return int(await conn.fetchval(_COUNT, tenant))


async def active(conn: Connection, tenant: TenantId) -> AsyncIterator[PersonId]:
    """Everybody who has not left, by id."""
    last = ""
    while rows := await conn.fetch(_ACTIVE, tenant, last, PAGE):
        for row in rows:
            yield row["person_id"]
        last = rows[-1]["person_id"]
