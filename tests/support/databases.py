"""A fresh, migrated database per test: cloned from a template that is migrated once a run, or one
that an earlier test has left and that was made as good as new.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

from shared.postgres.migrate import migrate
from shared.postgres.pool import Pool, open_pool
from tests.support.cleaning import Fresh, clean, look

ROOT = Path(__file__).parents[2]
PASSWORD = "only-for-tests"
NO_MIGRATIONS = ROOT / "tests" / "support" / "no_migrations"


def with_database(dsn: str, database: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))


def service_dsn(admin_dsn: str, service: str) -> str:
    """The DSN of the service's own role in the same database."""
    parts = urlsplit(admin_dsn)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"trustfold_{service}:{PASSWORD}@{host}"))


async def as_administrator(admin_dsn: str, pool: Pool, statement: str) -> None:
    """Run in the pool's database what the service's own role may not."""
    database = await pool.fetchval("SELECT current_database()")
    conn = await asyncpg.connect(with_database(admin_dsn, database))
    try:
        schema = await pool.fetchval("SELECT current_schema()")
        await conn.execute(f"SET search_path TO {schema}, public; {statement}")
    finally:
        await conn.close()


def migrations_of(service: str) -> Path:
    folder = ROOT / "services" / service / "migrations"
    return folder if folder.is_dir() else NO_MIGRATIONS


class Databases:
    """Makes databases on one server. `services` name the schemas a database has."""

    def __init__(self, admin_dsn: str) -> None:
        self.admin_dsn = admin_dsn
        self._templates: dict[tuple[str, ...], str] = {}
        self._fresh: dict[str, Fresh] = {}
        self._left: dict[str, list[str]] = {}
        self._lock = asyncio.Lock()

    async def create(self, *services: str) -> str:
        """An admin DSN of a new database with the schemas of `services`."""
        template = await self._template(tuple(sorted(services)))
        name = f"test_{uuid4().hex[:12]}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return with_database(self.admin_dsn, name)

    async def drop(self, dsn: str) -> None:
        await self._execute(f"DROP DATABASE {urlsplit(dsn).path[1:]} WITH (FORCE)")

    @asynccontextmanager
    async def pool(self, service: str, *, size: int = 8) -> AsyncIterator[Pool]:
        """A pool on a new database with the schema of one service."""
        left = self._left.setdefault(service, [])
        dsn = left.pop() if left else await self.create(service)
        if service not in self._fresh:
            self._fresh[service] = await look(dsn)
        pool = await open_pool(service_dsn(dsn, service), service=service, size=size)
        try:
            yield pool
        finally:
            pool.terminate()  # a connection a failed test forgot must not hold up the run
            await self._end_sessions(dsn)
            if await clean(dsn, self._fresh[service]):
                left.append(dsn)
            else:
                await self.drop(dsn)

    async def _end_sessions(self, dsn: str) -> None:
        await self._execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1",
            urlsplit(dsn).path[1:],
        )

    async def _template(self, services: tuple[str, ...]) -> str:
        async with self._lock:
            if services not in self._templates:
                name = f"template_{uuid4().hex[:12]}"
                await self._execute(f"CREATE DATABASE {name}")
                dsn = with_database(self.admin_dsn, name)
                for service in services:
                    own = service_dsn(dsn, service)
                    await migrate(dsn, own, service=service, migrations=migrations_of(service))
                self._templates[services] = name
            return self._templates[services]

    async def _execute(self, statement: str, *args: object) -> None:
        conn = await asyncpg.connect(self.admin_dsn)
        try:
            await conn.execute(statement, *args)
        finally:
            await conn.close()
