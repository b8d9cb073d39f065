"""Erasing a person, as every service does it: statements, dead letters, and saying so.

Which statements is the service's own: its `queries/erasure.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from shared.events.envelope import Event, new_event
from shared.events.erasures import Erased, ErasureCompleted, Service
from shared.events.people import PersonErased
from shared.events.topics import GROUPS, PEOPLE, dead_letter_topic
from shared.ids import PersonId, TenantId, derived_id
from shared.postgres import outbox
from shared.postgres.pool import Connection

# A record about them that could not be read has their name in it all the same. Its key is theirs,
# with the name of a leave behind it or not.
_DEAD_LETTERS = f"""
    DELETE FROM dead_letter
    WHERE topic LIKE '%{PEOPLE.name}' AND starts_with(
        encode(key, 'hex') || '2f', encode(convert_to($1::text || '/' || $2 || '/', 'UTF8'), 'hex')
    )
    RETURNING group_name, key
"""
_COPIES = {group.name: dead_letter_topic(PEOPLE, group).name for group in GROUPS}
ALL = ("*",)


class Erasing(NamedTuple):
    """What a statement with tenant and person deletes or empties. `ALL` columns: the whole row."""

    table: str
    columns: tuple[str, ...]
    statement: str


# Erased by `erase` itself, in every service.
DEAD_LETTERS = Erasing("dead_letter", ("key", "value"), _DEAD_LETTERS)


async def erase(
    conn: Connection, service: Service, statements: Iterable[Erasing], event: Event, now: datetime
) -> None:
    """Erase whom a `person.erased` is about, and say so.

    As often as one likes: what comes again finds nothing, and says the same under the same id. The
    caller holds the person, if anybody else could write about them meanwhile.
    """
    assert isinstance(event.fact, PersonErased)
    tenant, person, done = event.tenant, event.fact.person_id, Counter[str]()
    for each in statements:
        said = await conn.execute(each.statement, tenant, person)
        done[each.table] += int(said.rpartition(" ")[2])
    done[DEAD_LETTERS.table] += await _erase_letters(conn, tenant, person, now)
    await _say(conn, service, event, done, now)


async def _erase_letters(
    conn: Connection, tenant: TenantId, person: PersonId, now: datetime
) -> int:
    rows = await conn.fetch(_DEAD_LETTERS, tenant, person)
    # The relay has copied them, or will have by the time it comes to these.
    copies = {(_COPIES.get(row["group_name"], ""), _text(row["key"])) for row in rows}
    known = [(topic, key) for topic, key in sorted(copies) if topic and key]
    await outbox.append_tombstones(conn, tenant, known, now)
    return len(rows)


def _text(key: bytes) -> str:
    # What is no text has a beginning of the person's and an end of nobody's.
    return key.decode(errors="ignore") if key.isascii() else ""


async def _say(
    conn: Connection, service: Service, event: Event, done: Mapping[str, int], now: datetime
) -> None:
    assert isinstance(event.fact, PersonErased)
    fact = ErasureCompleted(
        person_id=event.fact.person_id,
        erasure_id=event.event_id,
        service=service,
        done=tuple(Erased(table=table, rows=rows) for table, rows in sorted(done.items())),
    )
    said = new_event(
        fact,
        event_id=derived_id("erased", str(event.event_id), service),
        tenant=event.tenant,
        service=service,
        now=now,
        cause=event,
    )
    await outbox.append(conn, [said])
