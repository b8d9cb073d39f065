"""Transactions that see one tenant's rows. The rows themselves are kept apart by policies.

A table with a tenant has row-level security, enabled and forced: without one of these transactions
its owner sees nothing in it. The tenant is set with the transaction and gone with it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.ids import TenantId
from shared.postgres.pool import Connection, Pool

SETTING = "trustfold.tenant"
# No tenant has this name: an id begins with a letter or a digit.
EVERY_TENANT = "*"
# The settings of a session of an operator's command, which is about all of them.
SEES_ALL = {SETTING: EVERY_TENANT}
_PLAIN = re.compile(r"[A-Za-z0-9._:@-]{1,64}|\*")


@asynccontextmanager
async def acting_for(pool: Pool, tenant: TenantId) -> AsyncIterator[Connection]:
    """A transaction in which only this tenant's rows exist. Commits unless an error escapes."""
    async with pool.acquire() as conn, _transaction(conn, f"BEGIN; {_set(tenant)}"):
        yield conn


@asynccontextmanager
async def reading_for(pool: Pool, tenant: TenantId) -> AsyncIterator[Connection]:
    """As `acting_for`, reading only, everything as it was at one instant."""
    begin = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {_set(tenant)}"
    async with pool.acquire() as conn, _transaction(conn, begin):
        yield conn


@asynccontextmanager
async def acting_for_all(pool: Pool, *, snapshot: bool = False) -> AsyncIterator[Connection]:
    """A transaction that sees every tenant. For loops and operators, never for a request.

    With `snapshot`, everything as it was at one instant; a conflict raises SerializationError.
    """
    async with pool.acquire() as conn, for_all(conn, snapshot=snapshot):
        yield conn


@asynccontextmanager
async def for_all(conn: Connection, *, snapshot: bool = False) -> AsyncIterator[None]:
    """As `acting_for_all`, on a connection of the caller's."""
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ" if snapshot else "BEGIN"
    async with _transaction(conn, f"{begin}; {_set(TenantId(EVERY_TENANT))}"):
        yield


async def act_for(conn: Connection, tenant: TenantId) -> None:
    """From here to the end of the open transaction, only this tenant's rows exist."""
    await conn.execute(_set(tenant))


async def act_for_all(conn: Connection) -> None:
    """Until the open transaction ends, see every tenant. For sweepers, never for a request."""
    await conn.execute(_set(TenantId(EVERY_TENANT)))


@asynccontextmanager
async def _transaction(conn: Connection, begin: str) -> AsyncIterator[None]:
    # Begin and tenant go in one message: a round trip less for every request.
    await conn.execute(begin)
    try:
        yield
    except BaseException:
        if not conn.is_closed():
            await conn.execute("ROLLBACK")
        raise
    await conn.execute("COMMIT")


def _set(tenant: TenantId) -> str:
    # SET takes no parameters, so the value must be one that needs no quoting.
    if not _PLAIN.fullmatch(tenant):
        raise ValueError("not the id of a tenant")
    return f"SET LOCAL {SETTING} = '{tenant}'"
