"""Logins for BI tools on a real database: made by the command, taken away again. Holds no test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
from typer.testing import CliRunner, Result

from shared.cli import app
from shared.ids import TenantId
from tests.integration.insights.conftest import Insights
from tests.integration.insights.programmes import Two, after, begin, measures, several
from tests.support.databases import Databases, service_dsn, with_database

GLOBEX = TenantId("globex")
ELSEWHERE = [Two(number, "kitchen", tenant=GLOBEX) for number in range(7)]
COMPANY = [*several(range(6)), *several(range(6, 11), "R&D"), *several(range(11, 14), "legal")]


@dataclass
class Readers:
    """The commands of the operator, and what those who sign in get."""

    admin_dsn: str
    dsn: str
    made: list[str] = field(default_factory=list)

    async def command(self, *arguments: str, stdin: str | None = None) -> Result:
        """`trustfold insights ...`, with the operator's environment."""
        env = {"INSIGHTS_POSTGRES": self.dsn, "TRUSTFOLD_POSTGRES": self.admin_dsn}
        run: Callable[[], Result] = lambda: CliRunner().invoke(  # noqa: E731
            app, ["insights", *arguments], env=env, input=stdin
        )
        return await asyncio.to_thread(run)

    async def add(self, tenant: str) -> tuple[str, str]:
        """A new login of a tenant: its name and its password."""
        name = f"bi_{uuid4().hex[:8]}"
        self.made.append(name)
        done = await self.command("readers", "add", name, "--tenant", tenant, "--json")
        assert done.exit_code == 0, done.output
        return name, json.loads(done.stdout)["password"]

    def dsn_of(self, login: tuple[str, str]) -> str:
        """What a BI tool is given."""
        parts = urlsplit(self.admin_dsn)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{login[0]}:{login[1]}@{host}"))

    @asynccontextmanager
    async def signed_in(self, tenant: str) -> AsyncIterator[Any]:
        """A session of a new login."""
        conn = await asyncpg.connect(self.dsn_of(await self.add(tenant)))
        try:
            yield conn
        finally:
            await conn.close()

    async def clear(self) -> None:
        """Take away what was made: roles are the whole server's."""
        conn = await asyncpg.connect(self.admin_dsn)
        for name in self.made:
            await conn.execute(f"DROP ROLE IF EXISTS {name}")
        await conn.close()


@asynccontextmanager
async def readers_of(insights: Insights, databases: Databases) -> AsyncIterator[Readers]:
    """The readers of a database in which two tenants were measured for two months."""
    events = [*begin(COMPANY), *begin(ELSEWHERE)]
    await insights.hears(events)
    await measures(insights, after(2026, 5))
    name = await insights.pool.fetchval("SELECT current_database()")
    admin_dsn = with_database(databases.admin_dsn, name)
    found = Readers(admin_dsn, service_dsn(admin_dsn, "insights"))
    try:
        yield found
    finally:
        await found.clear()
