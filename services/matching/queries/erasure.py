"""Statements that erase a person: every place where matching keeps their words or their data.

A new table with a person's words or choices has its statement here. That two people were a pair
stays, under ids that nobody knows any longer.
"""

from __future__ import annotations

from shared.events import topics
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

# A record about them that could not be read has their name in it all the same.
_DEAD_LETTERS = f"""
    DELETE FROM dead_letter
    WHERE topic LIKE '%{topics.PEOPLE.name}' AND starts_with(
        encode(key, 'hex') || '2f', encode(convert_to($1::text || '/' || $2 || '/', 'UTF8'), 'hex')
    )
"""
ERASED = (
    "DELETE FROM person_leave WHERE tenant = $1 AND person_id = $2",
    "DELETE FROM profile WHERE tenant = $1 AND person_id = $2",
    """UPDATE profile SET avoid = array_remove(avoid, $2), revision = revision + 1
       WHERE tenant = $1 AND $2 = ANY(avoid)""",
    "DELETE FROM request WHERE tenant = $1 AND person_id = $2",
    _DEAD_LETTERS,
)


async def erase(conn: Connection, tenant: TenantId, person_id: PersonId) -> None:
    """Erase what is kept of a person beside the tombstone that queries.people leaves."""
    for statement in ERASED:
        await conn.execute(statement, tenant, person_id)
