"""A migration beside traffic: it waits for nobody for long, and half of it is never there."""

from __future__ import annotations

from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest

from deploy.local.stack import Stack
from shared.command import SERVICES
from shared.health import mount
from shared.http import new_api
from shared.postgres import migrate as migrating
from shared.postgres import schema
from shared.postgres.migrate import MigrationFailed, migrate
from shared.postgres.pool import open_pool
from shared.postgres.schema import Phase
from tests.support.databases import Databases, service_dsn

pytestmark = pytest.mark.stack

SERVICE = "matching"
ADD = """-- migrate:up
CREATE TABLE first ();
ALTER TABLE pair ADD COLUMN new text;
-- migrate:down
"""


async def test_one_that_waits_for_a_lock_gives_up_whole_and_can_be_run_again(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "LOCK_TIMEOUT_MS", 200)
    (tmp_path / "20990101000000_new_pre.sql").write_text(ADD)
    admin_dsn = await databases.create(SERVICE)
    own = service_dsn(admin_dsn, SERVICE)
    conn = await asyncpg.connect(admin_dsn)
    try:
        async with conn.transaction():
            await conn.execute(f"LOCK TABLE {SERVICE}.pair IN ACCESS SHARE MODE")
            with pytest.raises(MigrationFailed, match="lock timeout"):
                await migrate(admin_dsn, own, service=SERVICE, migrations=tmp_path)
        there = f"SELECT to_regclass('{SERVICE}.first') IS NOT NULL"
        assert not await conn.fetchval(there)
        await migrate(admin_dsn, own, service=SERVICE, migrations=tmp_path)
        assert await conn.fetchval(there)
    finally:
        await conn.close()
        await databases.drop(admin_dsn)


ROOT = Path(__file__).parents[3]
LATER = "-- migrate:up\nCREATE TABLE {} ();\n-- migrate:down\n"


async def tables(dsn: str) -> set[str]:
    conn = await asyncpg.connect(dsn)
    try:
        found = await conn.fetch("SELECT tablename FROM pg_tables WHERE tablename ~ '^later'")
    finally:
        await conn.close()
    return {row[0] for row in found}


async def execute(dsn: str, statement: str) -> None:
    conn = await asyncpg.connect(dsn)
    await conn.execute(statement)
    await conn.close()


async def test_a_release_is_prepared_before_its_code_and_tidied_up_after_it(
    databases: Databases, tmp_path: Path
) -> None:
    for name in ("20990101000000_later_a_pre", "20990102000000_later_b_post"):
        (tmp_path / f"{name}.sql").write_text(LATER.format(name.split("_", 1)[1]))
    admin_dsn = await databases.create(SERVICE)
    own = service_dsn(admin_dsn, SERVICE)
    with pytest.raises(MigrationFailed, match="later_a_pre"):
        await migrate(admin_dsn, own, service=SERVICE, migrations=tmp_path, phase="post")
    await migrate(admin_dsn, own, service=SERVICE, migrations=tmp_path, phase="pre")
    assert await tables(admin_dsn) == {"later_a_pre"}
    await migrate(admin_dsn, own, service=SERVICE, migrations=tmp_path, phase="post")
    assert await tables(admin_dsn) == {"later_a_pre", "later_b_post"}
    for phase in get_args(Phase):
        await migrate(admin_dsn, own, service=SERVICE, migrations=tmp_path, phase=phase)
    await databases.drop(admin_dsn)


async def test_a_new_schema_gets_everything_at_once(databases: Databases, tmp_path: Path) -> None:
    (tmp_path / "20990102000000_later_post.sql").write_text(LATER.format("later"))
    admin_dsn = await databases.create()
    own = service_dsn(admin_dsn, SERVICE)
    await migrate(admin_dsn, own, service=SERVICE, migrations=tmp_path, phase="pre")
    assert await tables(admin_dsn) == {"later"}
    await databases.drop(admin_dsn)


async def test_an_administrator_needs_to_make_roles_and_have_the_database_and_no_more(
    databases: Databases, stack: Stack
) -> None:
    dsn = await databases.create()
    parts = urlsplit(dsn)
    name = parts.path.removeprefix("/")
    who, password = f"admin_{name}", "x" * 20
    root = await asyncpg.connect(stack.postgres_dsn)
    try:
        await root.execute(f"CREATE ROLE {who} LOGIN CREATEROLE PASSWORD '{password}'")
        await root.execute(f"ALTER DATABASE {name} OWNER TO {who}")
        # Other tests' administrator made these; this one's would have the option by making them.
        for row in await root.fetch(
            "SELECT rolname FROM pg_roles WHERE rolname ~ '^(matching|sess|notif).*_owner'"
        ):
            await root.execute(f"GRANT {row[0]} TO {who} WITH ADMIN OPTION")
        await execute(dsn, "CREATE EXTENSION vector SCHEMA public")  # a superuser's, by itself
        host = parts.netloc.rpartition("@")[2]
        admin = urlunsplit(parts._replace(netloc=f"{who}:{password}@{host}"))
        for service in SERVICES:
            role = f"{service}_{name}"
            own = urlunsplit(parts._replace(netloc=f"{role}:{password}@{host}"))
            folder = ROOT / "services" / service / "migrations"
            await migrate(admin, own, service=service, migrations=folder)
            conn = await asyncpg.connect(own, server_settings={"search_path": service})
            try:
                assert await conn.fetchval("SELECT count(*) FROM outbox") == 0
            finally:
                await conn.close()
    finally:
        await root.close()
        await databases.drop(dsn)


async def test_nobody_is_ready_before_the_schema_is_there(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = await databases.create(SERVICE)
    later = tmp_path / "20990101000000_later_pre.sql"
    later.write_text(LATER.format("later"))
    monkeypatch.setattr(schema, "SHARED_MIGRATIONS", tmp_path)
    pool = await open_pool(service_dsn(dsn, SERVICE), service=SERVICE, size=2)
    api = new_api(SERVICE, "A test")
    mount(api, pool, schema.Expected(SERVICE), ready=lambda: {"ok": True}, live=lambda: {})
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        answer = await http.get("/health/ready")
        assert answer.status_code == 503
        assert answer.json()["schema"] == "20990101000000_later_pre is not applied"
        own = service_dsn(dsn, SERVICE)
        await migrate(dsn, own, service=SERVICE, migrations=tmp_path)
        assert (await http.get("/health/ready")).status_code == 200
    await pool.close()
    await databases.drop(dsn)
