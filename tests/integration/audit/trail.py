"""A service as it runs, with its audit trail, and a look at the trail. Holds no test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from starlette.types import ASGIApp
from typer.testing import CliRunner, Result

from shared.audit import reading
from shared.audit.checking import Anchor
from shared.audit.line import Link
from shared.audit.middleware import Auditing
from shared.audit.reading import Verdict
from shared.audit.recording import Recorder
from shared.cli import app as commands
from shared.clock import FixedClock
from shared.ids import TenantId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import acting_for
from tests.integration.identity.every_service import built
from tests.support.callers import signed_in
from tests.support.databases import as_administrator
from tests.unit.notifications.builders import START

ACME = TenantId("acme")


@dataclass
class Trail:
    """One service behind its audit trail."""

    service: str
    pool: Pool
    recorder: Recorder
    clock: FixedClock
    app: ASGIApp
    http: httpx.AsyncClient

    async def lines(self, tenant: TenantId = ACME) -> list[Link]:
        """Everything on record, oldest first, once what waits is written."""
        await self.recorder.aclose()
        async with acting_for(self.pool, tenant) as conn:
            return [link async for link in reading.links(conn, tenant)]

    async def said(self, tenant: TenantId = ACME) -> list[tuple[str, str, str, int | None]]:
        """Who did what, and how it went."""
        return [
            (it.line.person, it.line.method, it.line.route, it.line.status)
            for it in await self.lines(tenant)
        ]

    async def verdict(self, tenant: TenantId = ACME, *anchors: Anchor) -> Verdict:
        await self.recorder.aclose()
        async with acting_for(self.pool, tenant) as conn:
            return await reading.verify(conn, self.service, tenant, anchors)


@asynccontextmanager
async def trail_of(service: str, pool: Pool) -> AsyncIterator[Trail]:
    """The service's own app as `shared.runtime` puts it together."""
    recorder, clock = Recorder(service, pool), FixedClock(START)
    app = Auditing(signed_in(built(service, pool).api), recorder, clock)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://s") as http:
        yield Trail(service, pool, recorder, clock, app, http)
    await recorder.aclose()


async def as_owner(admin_dsn: str, pool: Pool, *statements: str) -> None:
    """What somebody does who has the database and wants nobody to know."""
    off, on = ("ALTER TABLE audit DISABLE TRIGGER USER", "ALTER TABLE audit ENABLE TRIGGER USER")
    await as_administrator(admin_dsn, pool, "; ".join((off, *statements, on)))


async def trustfold(*arguments: str) -> Result:
    """A command, as an operator calls it."""
    return await asyncio.to_thread(CliRunner().invoke, commands, list(arguments))


async def address_of(pool: Pool) -> str:
    """The database's name, for a process of a test's own."""
    async with pool.acquire() as conn:
        return str(await conn.fetchval("SELECT current_database()"))
