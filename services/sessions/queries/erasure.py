"""Statements that erase a person: every place at which sessions keeps their words or their data.

A new column with words has its statement here. tests/integration/sessions/test_erasure.py fails for
one that has none, and is not explained there either.
"""

from __future__ import annotations

from datetime import date

from services.sessions.queries.agreements import ERASE as _AGREEMENT_WORDS
from shared.erasing import ALL, Erasing
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection


def _rows(table: str, whose: str) -> Erasing:
    return Erasing(table, ALL, f"DELETE FROM {table} WHERE tenant = $1 AND {whose} = $2")


def _word(table: str, column: str, whose: str) -> Erasing:
    # The revision goes up: who read the words has not read the thing without them.
    return Erasing(
        table,
        (column,),
        f"""UPDATE {table} SET {column} = NULL, revision = revision + 1
            WHERE tenant = $1 AND {whose} = $2 AND {column} IS NOT NULL""",
    )


# A tombstone is left: infinitely new, so that nothing told of the person ever counts again.
_PERSON = """
    UPDATE person SET timezone = 'UTC', country = NULL, display_name = NULL, away = '{}',
        as_of = 'infinity'
    WHERE tenant = $1 AND person_id = $2
"""
# The same instants, in nobody's zone.
_SERIES = """
    UPDATE series SET starts_at_local = (starts_at_local AT TIME ZONE zone) AT TIME ZONE 'UTC',
        zone = 'UTC', revision = revision + 1
    WHERE tenant = $1 AND made_by = $2 AND zone <> 'UTC'
"""
# How far it was stays; a step never changes, so it counts no revisions.
_GOAL_STEP = "UPDATE goal_step SET note = NULL WHERE tenant = $1 AND noted_by = $2"


ERASED = (
    Erasing("person", ("timezone", "country", "display_name"), _PERSON),
    _rows("leave", "person_id"),
    _rows("calendar", "person_id"),
    _rows("request", "person_id"),
    _rows("feedback", "given_by"),
    _word("commitment", "title", "made_by"),
    _word("repair", "words", "promised_by"),
    Erasing("agreement", ("goals", "topics_off_limits"), _AGREEMENT_WORDS),
    Erasing("series", ("zone",), _SERIES),
    _word("goal", "words", "words_by"),
    _word("goal", "measure", "measure_by"),
    Erasing("goal_step", ("note",), _GOAL_STEP),
    _rows("agenda_item", "written_by"),
    _rows("note", "written_by"),
)

# Whoever waits for one of the rows sees by `redated` that what was read with it is older.
_HOLD = """
    WITH theirs AS (
        SELECT pair_id FROM pair WHERE tenant = $1 AND (mentor_id = $2 OR mentee_id = $2)
        ORDER BY pair_id FOR UPDATE
    )
    UPDATE pair SET redated = redated + 1 FROM theirs
    WHERE pair.tenant = $1 AND pair.pair_id = theirs.pair_id
"""
_MARK = "UPDATE person SET erased_on = $3 WHERE tenant = $1 AND person_id = $2"
_IS_ERASED = """
    SELECT erased_on IS NOT NULL FROM person WHERE tenant = $1 AND person_id = $2
"""


async def hold_pairs(conn: Connection, tenant: TenantId, person: PersonId) -> None:
    """Let no command go on in the person's pairs, running or ended, until the transaction ends.

    One that has read their words would write them back. The caller holds the person.
    """
    await conn.execute(_HOLD, tenant, person)


async def mark(conn: Connection, tenant: TenantId, person: PersonId, erased_on: date) -> None:
    """Remember that the person is erased. The caller holds them."""
    await conn.execute(_MARK, tenant, person, erased_on)


async def is_erased(conn: Connection, tenant: TenantId, person: PersonId) -> bool:
    """Whether the person was erased. The caller holds them."""
    return bool(await conn.fetchval(_IS_ERASED, tenant, person))
