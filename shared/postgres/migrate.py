"""Migrations: plain SQL applied by dbmate, one schema and one role per service.

Two processes may call it at once: an advisory lock lets them through one after the other.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from shared.errors import TrustfoldError

# A file of this name beside a service's migrations lists the extensions it needs, one a line.
EXTENSIONS = "extensions"
SHARED_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = "SELECT pg_advisory_lock(hashtextextended('trustfold migrate', 0))"


class MigrationFailed(TrustfoldError):
    """A migration did not apply; what it had begun is rolled back."""


async def migrate(admin_dsn: str, dsn: str, *, service: str, migrations: Path) -> None:
    """Make the service's role and schema if they are missing, and apply what is not applied yet.

    Extensions that the service needs are made by the administrator, in `public`; where they are
    there already, nothing is done. `dsn` is the service's own, with the role and password it will
    use. Raises MigrationFailed with the tool's last words.
    """
    lock = await asyncpg.connect(admin_dsn)
    try:
        await lock.execute(_LOCK)
        await _role_and_schema(admin_dsn, dsn, service)
        needed = migrations / EXTENSIONS
        if needed.exists():
            await _extensions(admin_dsn, dsn, needed.read_text(encoding="utf-8").split())
        await _dbmate(_with_search_path(dsn, service), [SHARED_MIGRATIONS, migrations])
    finally:
        await lock.close()


async def _role_and_schema(admin_dsn: str, dsn: str, service: str) -> None:
    wanted = urlsplit(dsn)
    role = wanted.username or service
    admin = urlsplit(admin_dsn)
    conn = await asyncpg.connect(urlunsplit(admin._replace(path=wanted.path)))
    try:
        exists = await conn.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
        verb = "ALTER" if exists else "CREATE"
        # DDL takes no parameters: quote through Postgres itself.
        statement = await conn.fetchval(
            "SELECT format($1 || ' ROLE %I LOGIN PASSWORD %L', $2::text, $3::text)",
            verb,
            role,
            wanted.password or "",
        )
        await conn.execute(statement)
        owned = "CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I"
        query = "SELECT format($1, $2::text, $3::text)"
        await conn.execute(await conn.fetchval(query, owned, service, role))
    finally:
        await conn.close()


async def _extensions(admin_dsn: str, dsn: str, names: list[str]) -> None:
    database = urlsplit(dsn).path
    conn = await asyncpg.connect(urlunsplit(urlsplit(admin_dsn)._replace(path=database)))
    try:
        for name in names:
            make = "CREATE EXTENSION IF NOT EXISTS %I SCHEMA public"
            await conn.execute(await conn.fetchval("SELECT format($1, $2::text)", make, name))
    except (asyncpg.FeatureNotSupportedError, asyncpg.UndefinedFileError) as error:
        raise MigrationFailed(f"{error}: install it on the database server first") from error
    finally:
        await conn.close()


async def _dbmate(url: str, folders: list[Path]) -> None:
    where = [part for folder in folders for part in ("--migrations-dir", str(folder))]
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "dbmate"),
        *where,
        "--no-dump-schema",
        "migrate",
        env={"DATABASE_URL": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise MigrationFailed(said.decode(errors="replace").strip().rsplit("\n", 5)[-1])


def _with_search_path(dsn: str, service: str) -> str:
    parts = urlsplit(dsn)
    options = {
        "sslmode": "disable",
        **dict(parse_qsl(parts.query)),
        "search_path": f"{service},public",
    }
    return urlunsplit(parts._replace(query=urlencode(options)))
