"""What people read: their inbox, and what is on record about what was said. No SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.notifications.queries import reading
from shared.errors import NotFound
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import acting_for, reading_for


async def read_inbox(
    pool: Pool, tenant: TenantId, person: PersonId, page: reading.Page, *, unread: bool
) -> tuple[list[reading.Entry], int]:
    """A page of the person's inbox, and how much of all of it is unread."""
    async with reading_for(pool, tenant) as conn:
        entries = await reading.inbox(conn, tenant, person, page, unread=unread)
        return entries, await reading.count_unread(conn, tenant, person)


async def mark_read(
    pool: Pool, tenant: TenantId, person: PersonId, message_id: UUID, now: datetime | None
) -> datetime | None:
    """Mark the person's own message as read, or with None as unread; when it was first read.

    Raises NotFound.
    """
    async with acting_for(pool, tenant) as conn:
        found = await reading.mark_read(conn, tenant, person, message_id, now)
    if found is None:
        raise NotFound("your inbox has no such message")
    return found.read_at


async def mark_all_read(
    pool: Pool, tenant: TenantId, person: PersonId, until: datetime, now: datetime
) -> int:
    """Mark as read what came to the person's inbox until then; how many were unread."""
    async with acting_for(pool, tenant) as conn:
        return await reading.mark_all_read(conn, tenant, person, until, now)


async def timeline(
    pool: Pool, tenant: TenantId, person: PersonId, page: reading.Page
) -> list[reading.Record]:
    """What was said to the person, or not said, and why."""
    async with reading_for(pool, tenant) as conn:
        return await reading.records(conn, tenant, page, person=person)


async def overview(
    pool: Pool, tenant: TenantId, page: reading.Page, now: datetime
) -> tuple[list[reading.Record], Sequence[reading.Count]]:
    """A page of the tenant's messages, and how many there are of each kind."""
    async with reading_for(pool, tenant) as conn:
        found = await reading.records(conn, tenant, page)
        return found, await reading.counts(conn, tenant, now)
