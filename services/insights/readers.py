"""Logins for BI tools: made, listed, removed. What they then see is decided by insights_v1 alone.

The password is known to nobody but who gets it here: the server is sent what it stores of it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from services.insights.queries import readers
from services.insights.queries.readers import Reader
from shared.errors import Conflict, NotFound, Rejected
from shared.ids import TenantId
from shared.postgres.pool import CONNECT_TIMEOUT_S, Connection, Pool
from shared.postgres.tenancy import acting_for_all, for_all

# Lower case, so that it is the same name with and without quotes; a server keeps 63 letters.
_NAME = re.compile(r"(?!pg_)[a-z][a-z0-9_]{0,62}")
# Printable ASCII needs no preparation (SASLprep) and is the same in every tool.
_PASSWORD = re.compile(r"[!-~]{12,200}")
_ITERATIONS = 4096


class BadReader(Rejected):
    """A name has small letters, digits and _, begins with a letter, and is at most 63 long."""

    slug = "bad-reader"


class BadPassword(Rejected):
    """A password has 12 to 200 printable ASCII characters and no space."""

    slug = "bad-password"


class NameTaken(Conflict):
    """There is a role of that name on the server. Choose another, or remove that reader first."""

    slug = "name-taken"


def new_password() -> str:
    """One that nobody has to remember."""
    return secrets.token_urlsafe(24)


async def add(
    admin_dsn: str, dsn: str, name: str, password: str, of: tuple[TenantId, datetime]
) -> None:
    """A login that sees what was released of one tenant. Raises BadReader, BadPassword, NameTaken.

    `dsn` is the service's, for the database; the role is made by the administrator.
    """
    if not _NAME.fullmatch(name):
        raise BadReader
    if not _PASSWORD.fullmatch(password):
        raise BadPassword
    async with _administrator(admin_dsn, dsn) as admin:
        if await readers.role_exists(admin, name):
            raise NameTaken
        await readers.add(admin, name, _verifier(password, secrets.token_bytes(16)), of)


async def remove(admin_dsn: str, dsn: str, name: str) -> None:
    """Take a login away; its sessions end. Raises NotFound for a role that is none of ours."""
    async with _administrator(admin_dsn, dsn) as admin:
        if not await readers.remove(admin, name):
            raise NotFound(f"there is no reader {name}")


async def listed(pool: Pool, tenant: TenantId | None) -> list[Reader]:
    """Every login of a tenant, or of all."""
    async with acting_for_all(pool) as conn:
        return await readers.listed(conn, tenant)


@asynccontextmanager
async def _administrator(admin_dsn: str, dsn: str) -> AsyncIterator[Connection]:
    """A transaction of the administrator's in the service's database, which acts for all."""
    there = urlunsplit(urlsplit(admin_dsn)._replace(path=urlsplit(dsn).path))
    conn = await asyncpg.connect(there, timeout=CONNECT_TIMEOUT_S)
    try:
        async with for_all(conn):
            yield conn
    finally:
        await conn.close()


def _verifier(password: str, salt: bytes) -> str:
    """What a server keeps of a password (RFC 5803), so that its log never holds the password."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    server = hmac.digest(salted, b"Server Key", "sha256")
    parts = (salt, hashlib.sha256(client).digest(), server)
    coded = [base64.b64encode(part).decode() for part in parts]
    return f"SCRAM-SHA-256${_ITERATIONS}:{coded[0]}${coded[1]}:{coded[2]}"
