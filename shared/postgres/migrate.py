"""Migrations: plain SQL applied by dbmate, one schema and two roles per service.

The owner, whom nobody can log in as, has the schema; the service logs in as one who may read and
write rows and nothing else: it cannot take off what keeps tenants apart. Two processes may call it
at once: an advisory lock lets them through one after the other.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from shared.errors import TrustfoldError
from shared.postgres.pool import Connection
from shared.postgres.schema import SHARED_MIGRATIONS, Phase, applied, files, version

# A file of this name beside a service's migrations lists the extensions it needs, one a line.
EXTENSIONS = "extensions"
# A file of this name there lists schemas that the owner has beside the service's own, one a line:
# what is in them is for others (docs/decisions/0044).
SCHEMAS = "schemas"
# A file of this name there says that the service's own role has the schema (docs/decisions/0037).
OWNS_ITSELF = "owns_itself"
LOCK_TIMEOUT_MS = 5_000
_LOOKS_PAST = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = $1"
# An earlier release's role owned everything. Of a new schema there is nothing to hand over.
_IS_MEMBER = "SELECT pg_has_role($1::name, $2::name, 'MEMBER')"
_HAND_OVER = (
    "REASSIGN OWNED BY %2$I TO %3$I",
    "CREATE SCHEMA IF NOT EXISTS %1$I AUTHORIZATION %3$I",
    "REVOKE CREATE ON SCHEMA %1$I FROM %2$I",
    "GRANT USAGE ON SCHEMA %1$I TO %2$I",
    "ALTER DEFAULT PRIVILEGES FOR ROLE %3$I IN SCHEMA %1$I"
    " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %2$I",
    "ALTER DEFAULT PRIVILEGES FOR ROLE %3$I IN SCHEMA %1$I"
    " GRANT USAGE, SELECT ON SEQUENCES TO %2$I",
)
# Tables of an earlier release were made before there were privileges to inherit.
_NARROW = (
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %1$I TO %2$I",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %1$I TO %2$I",
    "REVOKE INSERT, UPDATE, DELETE ON %1$I.schema_migrations FROM %2$I",
)
_LOCK = "SELECT pg_advisory_lock(hashtextextended('trustfold migrate', 0))"


class MigrationFailed(TrustfoldError):
    """A migration did not apply; what it had begun is rolled back."""


@dataclass(frozen=True, slots=True)
class _Names:
    schema: str
    role: str
    owner: str


async def migrate(
    admin_dsn: str, dsn: str, *, service: str, migrations: Path, phase: Phase = "all"
) -> None:
    """Make the service's role and schema if they are missing, and apply what is not applied yet.

    In the phase `pre` only what the release before can live with: its `_post` is left for when the
    old code has gone. A new schema gets all at once, for no old code knows it.

    Extensions that the service needs are made by the administrator, in `public`, and so are schemas
    for others; where they are there already, nothing is done. `dsn` is the service's own, with the
    role and password it will use; what that role owns of an earlier release is handed to the owner.
    Raises MigrationFailed with the tool's last words, when the role could look past row-level
    security, or in the phase `post` before all of `pre` is there.
    """
    lock = await asyncpg.connect(admin_dsn)
    try:
        await lock.execute(_LOCK)
        role = urlsplit(dsn).username or service
        owner = role if (migrations / OWNS_ITSELF).exists() else f"{service}_owner"
        names = _Names(service, role, owner)
        conn = await asyncpg.connect(_in_database_of(dsn, admin_dsn))
        try:
            await _roles_and_schema(conn, names, urlsplit(dsn).password or "")
            needed = migrations / EXTENSIONS
            if needed.exists():
                await _extensions(conn, needed.read_text(encoding="utf-8").split())
            more = migrations / SCHEMAS
            if more.exists():
                await _schemas(conn, more.read_text(encoding="utf-8").split(), owner)
            url = dsn if owner == role else _in_database_of(dsn, admin_dsn)
            folders = (SHARED_MIGRATIONS, migrations)
            lacking = await _lacking(conn, service, folders, phase)
            if lacking:
                await _dbmate(_acting_as(url, names), lacking)
            if owner != role:
                await _run(conn, _NARROW, names)
        finally:
            await conn.close()
    finally:
        await lock.close()


async def _roles_and_schema(conn: Connection, names: _Names, password: str) -> None:
    exists = await conn.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", names.role)
    # DDL takes no parameters: quote through Postgres itself.
    statement = await conn.fetchval(
        "SELECT format($1 || ' ROLE %I LOGIN PASSWORD %L', $2::text, $3::text)",
        "ALTER" if exists else "CREATE",
        names.role,
        password,
    )
    await conn.execute(statement)
    if await conn.fetchval(_LOOKS_PAST, names.role):
        raise MigrationFailed(f"{names.role} could look past row-level security: use another role")
    plain = not await conn.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if names.owner == names.role:
        if plain:
            await _run(conn, ("GRANT %2$I TO current_user",), names)
        await _run(conn, ("CREATE SCHEMA IF NOT EXISTS %1$I AUTHORIZATION %2$I",), names)
        return
    if not await conn.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", names.owner):
        await _run(conn, ("CREATE ROLE %3$I NOLOGIN",), names)
    if await conn.fetchval(_IS_MEMBER, names.role, names.owner):
        raise MigrationFailed(f"{names.role} could become {names.owner}: revoke that first")
    if plain:
        await _run(conn, ("GRANT %3$I, %2$I TO current_user",), names)
    async with conn.transaction():
        await _run(conn, _HAND_OVER, names)


async def _run(conn: Connection, statements: Sequence[str], names: _Names) -> None:
    """Each with the schema, the service's role and the owner in its places 1, 2 and 3."""
    query = "SELECT format($1, $2::text, $3::text, $4::text)"
    for each in statements:
        await conn.execute(await conn.fetchval(query, each, names.schema, names.role, names.owner))


async def _extensions(conn: Connection, names: list[str]) -> None:
    try:
        for name in names:
            make = "CREATE EXTENSION IF NOT EXISTS %I SCHEMA public"
            await conn.execute(await conn.fetchval("SELECT format($1, $2::text)", make, name))
    except (asyncpg.FeatureNotSupportedError, asyncpg.UndefinedFileError) as error:
        raise MigrationFailed(f"{error}: install it on the database server first") from error


async def _schemas(conn: Connection, schemas: list[str], owner: str) -> None:
    # Whoever has no database cannot make a schema in it, not even the owner of another.
    for name in schemas:
        make = (
            "SELECT format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', $1::text, $2::text)"
        )
        await conn.execute(await conn.fetchval(make, name, owner))


async def _lacking(
    conn: Connection, service: str, folders: Sequence[Path], phase: Phase
) -> list[Path]:
    """What this phase has to apply, in order."""
    await conn.execute(
        await conn.fetchval("SELECT format('SET search_path = %I', $1::text)", service)
    )
    there = await applied(conn)
    lacking = [path for path in files(folders) if version(path.name) not in there]
    if phase == "all" or not there:
        return lacking
    early = [path for path in lacking if not path.stem.endswith("_post")]
    if phase == "post" and early:
        raise MigrationFailed(f"{early[0].name} is not applied: run the phase pre first")
    return early if phase == "pre" else lacking


async def _dbmate(url: str, lacking: Sequence[Path]) -> None:
    """dbmate applies a folder, so it gets one that holds these."""
    with tempfile.TemporaryDirectory(prefix="trustfold-migrations-") as folder:
        for path in lacking:
            (Path(folder) / path.name).symlink_to(path.resolve())
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).parent / "dbmate"),
            *("--migrations-dir", folder, "--no-dump-schema", "migrate"),
            env={"DATABASE_URL": url},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    if process.returncode != 0:
        raise MigrationFailed(said.decode(errors="replace").strip().rsplit("\n", 5)[-1])


def _in_database_of(dsn: str, admin_dsn: str) -> str:
    """The administrator's DSN, in the service's database."""
    return urlunsplit(urlsplit(admin_dsn)._replace(path=urlsplit(dsn).path))


def _acting_as(dsn: str, names: _Names) -> str:
    parts = urlsplit(dsn)
    options = {
        "sslmode": "disable",
        **dict(parse_qsl(parts.query)),
        "search_path": f"{names.schema},public",
        "role": names.owner,
        # Who waits for a lock has everybody else wait behind them: better to fail and be run again.
        "lock_timeout": str(LOCK_TIMEOUT_MS),
    }
    return urlunsplit(parts._replace(query=urlencode(options)))
