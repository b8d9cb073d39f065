"""The statements that write messages: added, taken, settled. Reading is in `reading`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.notifications.domain.attempt import Next
from services.notifications.domain.message import Channel, Message, State
from services.notifications.domain.planned import Planned
from services.notifications.domain.rules import Settled
from services.notifications.queries.rows import (
    COLUMNS,
    OWN_WORDS,
    columns_of,
    message_of,
    reader_of,
)
from services.notifications.rendering import Reader
from shared.ids import NotificationId, PersonId, TenantId
from shared.postgres.pool import Connection

_NAMES = ", ".join(name for name, _ in COLUMNS)
_ADD = f"""
    INSERT INTO message ({_NAMES}, created_at, sent_at)
    SELECT {", ".join("params::jsonb" if name == "params" else name for name, _ in COLUMNS)},
           $1::timestamptz,
           CASE WHEN state = 'sent' THEN $1::timestamptz END
    FROM unnest({", ".join(f"${n}::{kind}[]" for n, (_, kind) in enumerate(COLUMNS, 2))})
         AS new ({_NAMES})
    ON CONFLICT DO NOTHING RETURNING message_id
"""
# Each thing is looked up by its key, however small the planner thinks that the table is, and what
# is found is changed by its own: a join would read the whole table once it has been planned to.
_DROP_SETTLED = """
    UPDATE message SET state = 'suppressed', reason = 'over'
    WHERE message_id = ANY(ARRAY(
        SELECT found.message_id
        FROM unnest($2::uuid[], $3::text[], $4::text[]) AS settled (about, workflows, person_id)
        CROSS JOIN LATERAL (
            SELECT message_id FROM message
            WHERE tenant = $1 AND about = settled.about
              AND state IN ('waiting_for_address', 'queued', 'gathered')
              AND workflow = ANY(string_to_array(settled.workflows, ','))
              AND (settled.person_id IS NULL OR person_id = settled.person_id)
            OFFSET 0
        ) AS found
    )) AND state IN ('waiting_for_address', 'queued', 'gathered')
    RETURNING message.*
"""
# By person: what somebody was ever told is little, and an index of pairs would cost every message.
_DROP_OF_PAIR = """
    UPDATE message SET state = 'suppressed', reason = 'over'
    WHERE message_id = ANY(ARRAY(
        SELECT found.message_id
        FROM unnest($2::uuid[], $3::text[]) AS ended (pair_id, person_id)
        CROSS JOIN LATERAL (
            SELECT message_id FROM message
            WHERE tenant = $1 AND person_id = ended.person_id AND pair_id = ended.pair_id
              AND state IN ('waiting_for_address', 'queued', 'gathered')
            OFFSET 0
        ) AS found
    )) AND state IN ('waiting_for_address', 'queued', 'gathered')
    RETURNING message.*
"""
_SUPPRESS_PERSON = """
    UPDATE message SET state = 'suppressed', reason = 'person_left'
    WHERE tenant = $1 AND person_id = $2 AND state IN ('waiting_for_address', 'queued', 'gathered')
"""
_LOOK_AGAIN = """
    UPDATE message SET due_at = least(due_at, $3)
    WHERE tenant = $1 AND person_id = ANY($2::text[]) AND state IN ('queued', 'gathered')
      AND reason IN ('leave', 'quiet_hours', 'pair_hours', 'budget')
"""
# A row whose lease is over was taken by a sender that is gone: it is due again like any other.
_DUE = f"""
    WITH due AS (
        SELECT * FROM message
        WHERE channel = ANY($1::text[]) AND state IN ('queued', 'claimed') AND due_at <= $2
          AND expires_at > $2 AND digest_id IS NULL
        ORDER BY is_urgent DESC, value DESC, due_at, message_id LIMIT $3 FOR UPDATE SKIP LOCKED
    )
    SELECT due.*, CASE WHEN due.channel = 'chat' THEN c.url ELSE p.email END AS address,
           p.display_name, p.locale, p.timezone, o.display_name AS other_name, own.words
    FROM due
    LEFT JOIN person p ON p.tenant = due.tenant AND p.person_id = due.person_id
    LEFT JOIN chat_address c ON due.channel = 'chat'
         AND c.tenant = due.tenant AND c.person_id = due.person_id
    LEFT JOIN person o ON o.tenant = due.tenant AND o.person_id =
        CASE WHEN due.person_id = due.mentor_id THEN due.mentee_id ELSE due.mentor_id END
    {OWN_WORDS.format("due")}
    ORDER BY due.is_urgent DESC, due.value DESC, due.due_at, due.message_id
"""
_CLAIM = """
    UPDATE message SET state = 'claimed', attempt = attempt + 1, due_at = $1, reason = NULL,
                       counted_on = coalesce(message.counted_on, claimed.counted_on)
    FROM unnest($2::uuid[], $3::date[]) AS claimed (message_id, counted_on)
    WHERE message.message_id = claimed.message_id
"""
_PUT_ASIDE = """
    UPDATE message SET state = aside.state, reason = aside.reason, due_at = aside.due_at,
                       digest_id = coalesce(aside.digest_id, message.digest_id)
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::uuid[])
         AS aside (message_id, state, reason, due_at, digest_id)
    WHERE message.message_id = aside.message_id
"""
# That the server took it is true whoever holds the claim by now: this is not tied to the attempt.
_SETTLE_SENT = """
    UPDATE message SET state = 'sent', sent_at = $2, reason = NULL
    WHERE message_id = ANY($1::uuid[]) AND state IN ('claimed', 'queued', 'gathered')
    RETURNING message_id
"""
# Anything else counts only if nobody has claimed the message since.
_SETTLE_OTHERS = """
    UPDATE message SET state = next.state, reason = next.reason, attempt = next.attempt,
                       due_at = next.due_at
    FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::int[], $6::timestamptz[])
         AS next (message_id, claimed, state, reason, attempt, due_at)
    WHERE message.message_id = next.message_id AND message.state = 'claimed'
      AND message.attempt = next.claimed
    RETURNING message.message_id
"""
_RELEASE = """
    UPDATE message SET state = found.state, reason = found.reason, due_at = $1
    FROM (SELECT m.message_id, CASE WHEN p.has_left THEN 'suppressed' ELSE 'queued' END AS state,
                 CASE WHEN p.has_left THEN 'person_left' END AS reason
          FROM message m JOIN person p ON p.tenant = m.tenant AND p.person_id = m.person_id
          WHERE m.state = 'waiting_for_address' AND m.expires_at > $1
          LIMIT $2 FOR UPDATE OF m SKIP LOCKED) found
    WHERE message.message_id = found.message_id
"""
_EXPIRE = """
    UPDATE message SET state = 'expired', reason = 'too_late'
    WHERE message_id IN (
        SELECT message_id FROM message
        WHERE expires_at <= $1 AND (state IN ('waiting_for_address', 'queued', 'gathered')
                                    OR (state = 'claimed' AND due_at <= $1))
        LIMIT $2 FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A message whose time has come, held until the transaction ends. No `address`: they left.

    `attempt` are the attempts so far; `counted_on` is the day it was counted on, if it was.
    """

    message: Message
    attempt: int
    address: str | None
    reader: Reader
    counted_on: date | None


class Aside(NamedTuple):
    """What is not said now after all; the digest it joins, where it joins one."""

    message_id: NotificationId
    state: State
    reason: str | None
    due_at: datetime
    digest_id: UUID | None = None


class Settling(NamedTuple):
    """How the attempt that was claimed as number `claimed` ended."""

    message_id: NotificationId
    claimed: int
    then: Next


async def add(conn: Connection, rows: Sequence[Planned], now: datetime) -> set[UUID]:
    """Add the messages that are not there already; their ids."""
    if not rows:
        return set()
    return {row[0] for row in await conn.fetch(_ADD, now, *columns_of(rows))}


async def drop_settled(
    conn: Connection, tenant: TenantId, settled: Sequence[Settled]
) -> list[Message]:
    """Take back what has become pointless and has not been sent; what it was."""
    ended = [(each.about, each.to) for each in settled if each.of_pair]
    things = [
        (each.about, ",".join(each.workflows), each.to) for each in settled if not each.of_pair
    ]
    dropped: list[asyncpg.Record] = []
    if things:
        dropped += await conn.fetch(_DROP_SETTLED, tenant, *map(list, zip(*things, strict=True)))
    if ended:
        dropped += await conn.fetch(_DROP_OF_PAIR, tenant, *map(list, zip(*ended, strict=True)))
    return [message_of(row) for row in dropped]


async def suppress_person(conn: Connection, tenant: TenantId, person_id: PersonId) -> None:
    """Take back what has not been sent to the person."""
    await conn.execute(_SUPPRESS_PERSON, tenant, person_id)


async def look_again(
    conn: Connection, tenant: TenantId, people: Sequence[PersonId], at: datetime
) -> None:
    """Have what is held for these people looked at anew from `at` on: their time has changed."""
    if people:
        await conn.execute(_LOOK_AGAIN, tenant, people, at)


async def due(
    conn: Connection, channels: Sequence[Channel], now: datetime, limit: int
) -> list[Due]:
    """Hold up to `limit` messages whose time has come: the urgent, then the most valuable."""
    return [due_of(row) for row in await conn.fetch(_DUE, channels, now, limit)]


async def claim(
    conn: Connection, counted: Sequence[tuple[NotificationId, date | None]], until: datetime
) -> None:
    """Take these messages, for nobody else until then; with the day each is counted on."""
    ids, days = [each[0] for each in counted], [each[1] for each in counted]
    await conn.execute(_CLAIM, until, ids, days)


async def put_aside(conn: Connection, aside: Sequence[Aside]) -> None:
    """Write down what is not said now, and why."""
    if aside:
        await conn.execute(_PUT_ASIDE, *(list(column) for column in zip(*aside, strict=True)))


async def settle_sent(
    conn: Connection, message_ids: Sequence[NotificationId], now: datetime
) -> set[UUID]:
    """Write down that these were sent; those of which it was not known yet."""
    return {row[0] for row in await conn.fetch(_SETTLE_SENT, message_ids, now)}


async def settle_others(conn: Connection, settling: Sequence[Settling]) -> set[UUID]:
    """Write down what comes next; all but those whose claim has passed to somebody else."""
    rows = await conn.fetch(
        _SETTLE_OTHERS,
        [each.message_id for each in settling],
        [each.claimed for each in settling],
        [each.then.state for each in settling],
        [each.then.reason for each in settling],
        [each.then.attempt for each in settling],
        [each.then.due_at for each in settling],
    )
    return {row[0] for row in rows}


async def release(conn: Connection, now: datetime, limit: int) -> int:
    """Queue what waited for an address that has come; how many were looked after."""
    return _count(await conn.execute(_RELEASE, now, limit))


async def expire(conn: Connection, now: datetime, limit: int) -> int:
    """Drop what is of no use any more; how many."""
    return _count(await conn.execute(_EXPIRE, now, limit))


def due_of(row: asyncpg.Record) -> Due:
    """A message joined with the address book."""
    return Due(message_of(row), row["attempt"], row["address"], reader_of(row), row["counted_on"])


def _count(status: str) -> int:
    return int(status.rsplit(" ", 1)[-1])
