"""A look at every tenant's rows, as a test has it beside a service that sees one at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import act_for_all


@asynccontextmanager
async def seeing(pool: Pool) -> AsyncIterator[Connection]:
    """A transaction as a delivery opens it; what it calls may open others inside."""
    async with pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        yield conn
