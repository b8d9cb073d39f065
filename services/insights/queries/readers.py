"""Login roles of BI tools and whose releases each sees. The administrator's connection makes roles.

A role belongs to the whole server, its row to this database; both come and go in one transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from shared.ids import TenantId
from shared.postgres.pool import Connection

# Beside what it may see, which nothing of this changes: a tool in a loop must not take the server.
MOST_CONNECTIONS = 10
LONGEST_STATEMENT_S = 60

_EXISTS = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
# DDL takes no parameters: quote through Postgres itself.
_CREATE = f"""
    SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION'
                  ' NOBYPASSRLS CONNECTION LIMIT {MOST_CONNECTIONS} PASSWORD %L',
                  $1::text, $2::text)
"""
# What a session begins with. A reader may set them otherwise: they guard against accidents.
_BEGIN_WITH = (
    "default_transaction_read_only = on",
    f"statement_timeout = '{LONGEST_STATEMENT_S}s'",
    "search_path = insights_v1",
)
_SET = "SELECT format('ALTER ROLE %I SET ' || $2, $1::text)"
_ADD = "INSERT INTO insights.reader (role_name, tenant, added_at) VALUES ($1, $2, $3)"
_REMOVE = "DELETE FROM insights.reader WHERE role_name = $1"
_END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1"
_DROP = ("DROP OWNED BY %I", "DROP ROLE %I")
_FORMAT = "SELECT format($1, $2::text)"
_ALL = """
    SELECT role_name, tenant, added_at,
           EXISTS (SELECT FROM pg_roles WHERE rolname = role_name)
    FROM reader WHERE $1::text IS NULL OR tenant = $1 ORDER BY role_name
"""


class Reader(NamedTuple):
    """A login and its tenant. One whose role is gone was not removed by us."""

    name: str
    tenant: TenantId
    added_at: datetime
    has_role: bool


async def role_exists(admin: Connection, name: str) -> bool:
    """Whether the server knows a role of that name, whoever's it is."""
    return bool(await admin.fetchval(_EXISTS, name))


async def add(admin: Connection, name: str, verifier: str, of: tuple[TenantId, datetime]) -> None:
    """Make the role and say whose releases it sees, in a transaction that acts for all."""
    await admin.execute(await admin.fetchval(_CREATE, name, verifier))
    for each in _BEGIN_WITH:
        await admin.execute(await admin.fetchval(_SET, name, each))
    await admin.execute(_ADD, name, *of)


async def remove(admin: Connection, name: str) -> bool:
    """Forget the login, in a transaction that acts for all; False when it is none of ours."""
    if await admin.execute(_REMOVE, name) == "DELETE 0":
        return False
    if await role_exists(admin, name):
        await admin.fetch(_END_SESSIONS, name)
        for each in _DROP:
            await admin.execute(await admin.fetchval(_FORMAT, each, name))
    return True


async def listed(conn: Connection, tenant: TenantId | None) -> list[Reader]:
    """Every login, or those of one tenant, by name."""
    return [Reader(*row) for row in await conn.fetch(_ALL, tenant)]
