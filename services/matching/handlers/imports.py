"""What a file changes of people: looked at, then done, some rows at a time. Holds no rule.

Looking and doing decide alike, by the same code; doing decides anew, in the transaction that tells.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from services.matching.handlers.door import take_in_held
from services.matching.people_file.changes import (
    Cells,
    Change,
    Known,
    Reading,
    Refusal,
    change_of,
    leaving,
    person_of,
)
from services.matching.queries import door, imports
from shared.asking import Ask
from shared.events.envelope import new_event
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for, reading_for


async def look(
    pool: Pool, tenant: TenantId, rows: Sequence[Cells], how: Reading
) -> list[Change | Refusal]:
    """What each row would change. Nothing is changed. No person twice among the rows."""
    async with reading_for(pool, tenant) as conn:
        return _changes(rows, await _known(conn, tenant, rows), how)


async def take(pool: Pool, ask: Ask, rows: Sequence[Cells], how: Reading) -> list[Change | Refusal]:
    """Tell the network what each row changes; all of it commits together."""
    async with acting_for(pool, ask.tenant) as conn:
        await door.hold(conn, ask.tenant)
        known = await _known(conn, ask.tenant, rows)
        changes = _changes(rows, known, how)
        await _tell(conn, ask, [each for each in changes if isinstance(each, Change)], known)
    return changes


async def missing(pool: Pool, tenant: TenantId, named: Set[PersonId]) -> list[PersonId]:
    """Everybody who is here and whom nobody named."""
    async with reading_for(pool, tenant) as conn:
        return [each async for each in imports.active(conn, tenant) if each not in named]


async def count_active(pool: Pool, tenant: TenantId) -> int:
    """How many people are here."""
    async with reading_for(pool, tenant) as conn:
        return await imports.count_active(conn, tenant)


async def let_go(pool: Pool, ask: Ask, people: Sequence[PersonId], how: Reading) -> int:
    """Tell the network that these people left; how many had not."""
    async with acting_for(pool, ask.tenant) as conn:
        await door.hold(conn, ask.tenant)
        known = await imports.known(conn, ask.tenant, people)
        changes = [leaving(each, known.get(each), how.today) for each in people]
        return await _tell(conn, ask, changes, known)


def _changes(
    rows: Sequence[Cells], known: dict[PersonId, Known], how: Reading
) -> list[Change | Refusal]:
    return [
        change_of(row, known.get(PersonId(row.fields["person_id"].strip())), how) for row in rows
    ]


async def _known(
    conn: Connection, tenant: TenantId, rows: Sequence[Cells]
) -> dict[PersonId, Known]:
    named = [each for row in rows if not isinstance(each := person_of(row), Refusal)]
    return await imports.known(conn, tenant, named)


async def _tell(
    conn: Connection, ask: Ask, changes: Sequence[Change], known: dict[PersonId, Known]
) -> int:
    """How many of the facts are new: what a run before this one told is not told again."""
    events = [
        new_event(
            each.fact,
            event_id=each.event_id(ask.tenant, known.get(each.person_id)),
            tenant=ask.tenant,
            service="matching",
            now=ask.now,
        )
        for each in changes
        if each.fact is not None
    ]
    fates = await take_in_held(conn, ask, events)
    return fates.count("accepted")
