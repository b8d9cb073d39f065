"""Reading the audit trail of one tenant, and walking whole chains. Changes nothing but `prune`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from shared.audit import queries
from shared.audit.checking import Anchor, Checking
from shared.audit.line import Head, Line, Link
from shared.audit.queries import EVERYTHING, NEWEST, Asked
from shared.audit.recording import append_in
from shared.errors import TrustfoldError
from shared.ids import TenantId
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import act_for_all, reading_for

# Lines held at once by who walks a chain.
STEP = 2_000
TELL_EVERY = 100_000


class ChainBroken(TrustfoldError):
    """A chain that does not hold is not pruned: that would destroy what is left to look at."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What walking a chain found: `broken` in words, or None."""

    service: str
    tenant: TenantId
    lines: int
    head: Head
    broken: str | None


async def page(
    pool: Pool, tenant: TenantId, asked: Asked, before: int | None, limit: int
) -> list[Link]:
    """A tenant's lines before a place of the chain, newest first."""
    async with reading_for(pool, tenant) as conn:
        return await queries.page(conn, tenant, asked, before or NEWEST, limit)


@asynccontextmanager
async def looking(dsn: str, service: str) -> AsyncIterator[Connection]:
    """A connection that sees every chain of a service as it is at one instant, and only reads."""
    async with (
        connected(dsn, service) as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        await act_for_all(conn)
        yield conn


@asynccontextmanager
async def connected(dsn: str, service: str) -> AsyncIterator[Connection]:
    """A connection of a command's own, by the service's role and in its schema."""
    conn = await asyncpg.connect(dsn, server_settings={"search_path": f"{service}, public"})
    try:
        yield conn
    finally:
        await conn.close()


async def links(
    conn: Connection, tenant: TenantId, asked: Asked = EVERYTHING
) -> AsyncIterator[Link]:
    """A chain from its first line, in bounded memory."""
    after = 0
    while found := await queries.walk(conn, tenant, after, STEP, asked):
        for link in found:
            yield link
        after = found[-1].seq


async def verify(
    conn: Connection,
    service: str,
    tenant: TenantId,
    anchors: Iterable[Anchor] = (),
    tell: Callable[[int], None] = lambda _: None,
) -> Verdict:
    """Walk a chain to its end, or to the first line that is wrong; `tell` hears how far it is."""
    checking, broken = Checking(service, tenant, frozenset(anchors)), None
    async for link in links(conn, tenant):
        if broken := checking.take(link):
            break
        if checking.lines % TELL_EVERY == 0:
            tell(checking.lines)
    return Verdict(
        service, tenant, checking.lines, checking.head, broken if broken else checking.end()
    )


async def prune(
    conn: Connection, service: str, said: Callable[[Head], Line], before: datetime
) -> tuple[Head, int] | None:
    """Delete the lines of a chain that are older than `before`, and say so in the same chain.

    `said` makes the line that names the last one deleted; the chain verifies from there on. The
    newest line stays. None when nothing is old enough. Raises ChainBroken.
    """
    tenant = said(Head(0, b"")).tenant
    async with conn.transaction():
        await act_for_all(conn)
        await queries.hold(conn, [tenant])
        verdict = await verify(conn, service, tenant)
        if verdict.broken:
            raise ChainBroken(f"{service} {tenant}: {verdict.broken}")
        until = await queries.last_before(conn, tenant, before)
        if until is None:
            return None
        await append_in(conn, service, [said(until)])
        return until, await queries.prune(conn, tenant, until)
