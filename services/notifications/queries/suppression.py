"""Mail that came back, and to whom none goes any more. Addresses are here as hashes alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notifications.reports import Kind, address_hash
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

# Told a second time, a report changes nothing.
_NOTE = """
    INSERT INTO bounce (tenant, bounce_id, person_id, address_hash, kind, at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING true
"""
# Reports of one address come at the same time: they are counted one after the other.
_HOLD = "SELECT pg_advisory_xact_lock(hashtextextended('bounce/' || $1 || '/' || $2, 0))"
_SOFT = """
    SELECT count(*) FROM bounce
    WHERE tenant = $1 AND person_id = $2 AND address_hash = $3 AND kind = 'soft'
      AND at > greatest($4, (
        SELECT max(changed_at) FROM suppression_change
        WHERE tenant = $1 AND person_id = $2 AND how = 'lifted'))
"""
# A complaint stays one, whatever comes back later from the same address.
_SUPPRESS = """
    INSERT INTO suppression (tenant, person_id, address_hash, kind, since)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (tenant, person_id) DO UPDATE
    SET address_hash = EXCLUDED.address_hash, kind = EXCLUDED.kind, since = EXCLUDED.since
    WHERE suppression.address_hash <> EXCLUDED.address_hash
       OR (EXCLUDED.kind = 'complaint' AND suppression.kind <> 'complaint')
    RETURNING true
"""
_CHANGED = """
    INSERT INTO suppression_change (tenant, person_id, how, changed_at, changed_by)
    VALUES ($1, $2, $3, $4, $5)
"""
_LIFT = "DELETE FROM suppression WHERE tenant = $1 AND person_id = $2 RETURNING true"
_SUPPRESSED = """
    SELECT s.person_id FROM suppression AS s
    JOIN unnest($2::text[], $3::bytea[]) AS asked (person_id, address_hash)
      USING (person_id, address_hash)
    WHERE s.tenant = $1
"""
_LISTED = """
    SELECT s.person_id, s.kind, s.since, s.address_hash, p.email FROM suppression AS s
    LEFT JOIN person AS p USING (tenant, person_id)
    WHERE s.tenant = $1 AND s.person_id > $2 ORDER BY s.person_id LIMIT $3
"""
_OF_MESSAGE = """
    SELECT m.person_id, p.email, p.as_of > m.sent_at AS is_newer
    FROM message AS m JOIN person AS p USING (tenant, person_id)
    WHERE m.tenant = $1 AND (m.message_id = $2 OR m.digest_id = $2) LIMIT 1
"""
_OF_ADDRESS = """
    SELECT person_id, email FROM person
    WHERE tenant = $1 AND email IS NOT NULL AND lower(email) = ANY($2)
"""
_HAS_LEFT = "SELECT has_left FROM person WHERE tenant = $1 AND person_id = $2"
_FORGET = """
    WITH one AS (DELETE FROM suppression WHERE tenant = $1 AND person_id = $2),
         two AS (DELETE FROM suppression_change WHERE tenant = $1 AND person_id = $2)
    DELETE FROM bounce WHERE tenant = $1 AND person_id = $2
"""


@dataclass(frozen=True, slots=True)
class Reached:
    """Whom a mail went to. `is_newer`: their address was told after the mail was sent."""

    person: PersonId
    address: str
    is_newer: bool = False


@dataclass(frozen=True, slots=True)
class Bounced:
    """A report as it is kept."""

    report_id: str
    person: PersonId
    address_hash: bytes
    kind: Kind
    at: datetime


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Somebody to whom no mail goes; `is_current` unless they have another address by now."""

    person: PersonId
    kind: Kind
    since: datetime
    is_current: bool


async def suppressed(
    conn: Connection, tenant: TenantId, asked: Sequence[tuple[PersonId, str]]
) -> set[PersonId]:
    """Those of them to whom no mail goes at that address. A new address lifts it by itself."""
    people = [person for person, _ in asked]
    hashes = [address_hash(tenant, address) for _, address in asked]
    return {row["person_id"] for row in await conn.fetch(_SUPPRESSED, tenant, people, hashes)}


async def note(conn: Connection, tenant: TenantId, bounced: Bounced) -> bool:
    """Keep the report, and hold its person until the commit; whether it is new."""
    await conn.execute(_HOLD, tenant, bounced.person)
    told = (bounced.report_id, bounced.person, bounced.address_hash, bounced.kind, bounced.at)
    return bool(await conn.fetchval(_NOTE, tenant, *told))


async def soft_since(conn: Connection, tenant: TenantId, bounced: Bounced, since: datetime) -> int:
    """How many soft ones there were since then, or since it was lifted."""
    told = (bounced.person, bounced.address_hash, since)
    return int(await conn.fetchval(_SOFT, tenant, *told))


async def suppress(
    conn: Connection, tenant: TenantId, bounced: Bounced, changed_by: PersonId
) -> bool:
    """No more mail to the person at that address, and a note of it; whether that is new."""
    told = (bounced.person, bounced.address_hash, bounced.kind, bounced.at)
    if not await conn.fetchval(_SUPPRESS, tenant, *told):
        return False
    await conn.execute(_CHANGED, tenant, bounced.person, bounced.kind, bounced.at, changed_by)
    return True


async def lift(
    conn: Connection, tenant: TenantId, person: PersonId, now: datetime, changed_by: PersonId
) -> bool:
    """Mail to the person again, and a note of it; False where none was held back."""
    if not await conn.fetchval(_LIFT, tenant, person):
        return False
    await conn.execute(_CHANGED, tenant, person, "lifted", now, changed_by)
    return True


async def listed(
    conn: Connection, tenant: TenantId, after: str, limit: int
) -> Sequence[Suppressed]:
    """To whom no mail goes, in the order of their ids, after that one."""
    return [
        Suppressed(
            PersonId(row["person_id"]),
            row["kind"],
            row["since"],
            row["email"] is not None and address_hash(tenant, row["email"]) == row["address_hash"],
        )
        for row in await conn.fetch(_LISTED, tenant, after, limit)
    ]


async def reached_by(conn: Connection, tenant: TenantId, message_id: UUID) -> Reached | None:
    """Whom the mail of that id went to; None for none of ours, or to someone who has left."""
    row = await conn.fetchrow(_OF_MESSAGE, tenant, message_id)
    if row is None or row["email"] is None:
        return None
    return Reached(PersonId(row["person_id"]), row["email"], bool(row["is_newer"]))


async def at_addresses(
    conn: Connection, tenant: TenantId, addresses: Sequence[str]
) -> Sequence[Reached]:
    """Who has one of these addresses, in lower case."""
    rows = await conn.fetch(_OF_ADDRESS, tenant, addresses)
    return [Reached(PersonId(row["person_id"]), row["email"]) for row in rows]


async def has_left(conn: Connection, tenant: TenantId, person: PersonId) -> bool:
    """Whether we have been told that they are gone."""
    return bool(await conn.fetchval(_HAS_LEFT, tenant, person))


async def forget(conn: Connection, tenant: TenantId, person: PersonId) -> None:
    """Delete all of what came back from the person."""
    await conn.execute(_FORGET, tenant, person)
