"""Digests: what is gathered for a person until a time that was fixed when the first came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.notifications.domain.planned import Digest
from services.notifications.queries.messages import Due, due_of
from services.notifications.queries.rows import OWN_WORDS
from shared.ids import PersonId, TenantId, derived_id
from shared.postgres.pool import Connection

# An open digest stays as it was opened. The row is held until the commit, so nobody closes it
# before what joins it here is there.
_OPEN = """
    INSERT INTO digest (tenant, person_id, digest_id, closes_at)
    SELECT $1, * FROM unnest($2::text[], $3::uuid[], $4::timestamptz[])
    ON CONFLICT (tenant, person_id) DO UPDATE SET digest_id = digest.digest_id
    RETURNING person_id, digest_id, closes_at
"""
_CLOSE = """
    DELETE FROM digest WHERE (tenant, person_id) IN (
        SELECT tenant, person_id FROM digest WHERE closes_at <= $1
        ORDER BY closes_at LIMIT $2 FOR UPDATE SKIP LOCKED
    )
"""
# Closed and not sent: also what was held, deferred, or taken by a sender that is gone. A digest is
# taken whole, by the first who locks its name.
_DUE = f"""
    WITH closed AS MATERIALIZED (
        SELECT DISTINCT digest_id FROM message
        WHERE digest_id IS NOT NULL AND state IN ('gathered', 'claimed') AND due_at <= $1
          AND NOT EXISTS (SELECT FROM digest WHERE digest.digest_id = message.digest_id)
        LIMIT $2
    ), taken AS MATERIALIZED (
        SELECT digest_id FROM closed
        WHERE pg_try_advisory_xact_lock(hashtextextended('digest/' || digest_id, 0))
    )
    SELECT due.*, p.email AS address, p.display_name, p.locale, p.timezone,
           o.display_name AS other_name, own.words
    FROM message AS due
    LEFT JOIN person p ON p.tenant = due.tenant AND p.person_id = due.person_id
    LEFT JOIN person o ON o.tenant = due.tenant AND o.person_id =
        CASE WHEN due.person_id = due.mentor_id THEN due.mentee_id ELSE due.mentor_id END
    {OWN_WORDS.format("due")}
    WHERE due.digest_id IN (SELECT digest_id FROM taken)
      AND state IN ('gathered', 'claimed') AND due_at <= $1
    ORDER BY digest_id, value DESC, created_at, message_id
"""


async def open_for(
    conn: Connection, tenant: TenantId, closing: Mapping[PersonId, datetime]
) -> dict[PersonId, Digest]:
    """The open digest of each person; one that closes then, where there is none."""
    people = sorted(closing)
    ids = [derived_id("digest", tenant, person, closing[person].isoformat()) for person in people]
    closes = [closing[person] for person in people]
    rows = await conn.fetch(_OPEN, tenant, people, ids, closes)
    return {row["person_id"]: Digest(row["digest_id"], row["closes_at"]) for row in rows}


async def due(conn: Connection, now: datetime, limit: int) -> list[tuple[UUID, Sequence[Due]]]:
    """Close what is due, and hold up to `limit` digests whose time has come, each whole."""
    await conn.execute(_CLOSE, now, limit)
    found: dict[UUID, list[Due]] = {}
    for row in await conn.fetch(_DUE, now, limit):
        found.setdefault(row["digest_id"], []).append(due_of(row))
    return list(found.items())
