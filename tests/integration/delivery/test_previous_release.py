"""The release before goes on while this one is rolled out: its statements work on our schema.

Each is planned as the service's own role, on a database that the release before made and our
`--phase pre` has prepared: what it names is there, of types that fit, and may be used. What its
rows lack that we require is looked for as well. Seen to fail as the last two tests say.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from deploy.releases.record import Release, newest, release
from shared.command import SERVICES
from shared.postgres import schema
from shared.postgres.migrate import migrate
from shared.postgres.pool import Connection
from shared.postgres.schema import folders_of
from tests.support.databases import Databases, service_dsn

pytestmark = pytest.mark.stack

INSERT = re.compile(r"INSERT INTO (\w+)(?: AS \w+)? \(([^)]+)\)")
REQUIRED = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = $1 AND is_nullable = 'NO'
    AND column_default IS NULL AND is_identity = 'NO' AND is_generated = 'NEVER'
"""


@pytest.fixture(scope="module")
def before() -> Release:
    return newest()


@asynccontextmanager
async def prepared(
    databases: Databases,
    service: str,
    before: Release,
    place: Path,
    add: Callable[[Path], object] = lambda _: None,
) -> AsyncIterator[Connection]:
    """A connection of the service, to a database of the release before that ours has prepared."""
    own = folders_of(service)[1]
    old, new, shared = place / "old", place / "new", place / "shared"
    shutil.copytree(own, new)
    shutil.copytree(own, old, ignore=lambda _, names: [
        it for it in names if it.endswith(".sql") and it not in before.migrations[service]
    ])  # fmt: skip
    shutil.copytree(schema.SHARED_MIGRATIONS, shared, ignore=lambda _, names: [
        it for it in names if it not in before.migrations[service]
    ])  # fmt: skip
    add(new)
    dsn = await databases.create()
    role = service_dsn(dsn, service)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("shared.postgres.migrate.SHARED_MIGRATIONS", shared)
        await migrate(dsn, role, service=service, migrations=old)
    await migrate(dsn, role, service=service, migrations=new, phase="pre")
    conn = await asyncpg.connect(role, server_settings={"search_path": f"{service}, public"})
    try:
        yield conn
    finally:
        await conn.close()
        await databases.drop(dsn)


async def broken(conn: Connection, service: str, before: Release) -> dict[str, str]:
    """What does not work any more, and why."""
    found = {}
    for name, text in before.statements[service].items():
        try:
            async with conn.transaction():
                await conn.execute(f"EXPLAIN (GENERIC_PLAN) {text}")
        except asyncpg.PostgresError as error:
            found[name] = str(error)
        for table, columns in INSERT.findall(text):
            required = {row[0] for row in await conn.fetch(REQUIRED, table)}
            if lacks := required - {it.strip().strip('"') for it in columns.split(",")}:
                found[name] = f"{table} requires {', '.join(sorted(lacks))}"
    return found


@pytest.mark.parametrize("service", SERVICES)
async def test_what_the_release_before_asks_is_answered(
    databases: Databases, before: Release, tmp_path: Path, service: str
) -> None:
    assert len(before.statements[service]) > 20
    async with prepared(databases, service, before, tmp_path) as conn:
        assert await broken(conn, service, before) == {}


@pytest.mark.parametrize("service", SERVICES)
async def test_what_we_ask_ourselves_is_recorded_in_a_form_that_can_be_asked(
    databases: Databases, service: str
) -> None:
    """Of this release as it would be recorded, on its own schema: nothing is left out unseen."""
    ours = release("next")
    dsn = await databases.create(service)
    conn = await asyncpg.connect(
        service_dsn(dsn, service), server_settings={"search_path": f"{service}, public"}
    )
    assert await broken(conn, service, ours) == {}
    await conn.close()
    await databases.drop(dsn)


async def test_a_column_that_is_taken_away_too_early_is_found(
    databases: Databases, before: Release, tmp_path: Path
) -> None:
    def drop(folder: Path) -> None:
        text = (
            "-- migrate:up\nALTER TABLE person DROP COLUMN display_name CASCADE;\n-- migrate:down\n"
        )
        (folder / "20990101000000_tidy_pre.sql").write_text(text)

    async with prepared(databases, "matching", before, tmp_path, drop) as conn:
        found = await broken(conn, "matching", before)
    assert "services.matching.queries.people._SAVE_PERSON" in found
    assert all("display_name" in why for why in found.values())


async def test_a_column_that_the_release_before_does_not_fill_is_found(
    databases: Databases, before: Release, tmp_path: Path
) -> None:
    def require(folder: Path) -> None:
        text = "-- migrate:up\nALTER TABLE inbox ADD COLUMN why text NOT NULL;\n-- migrate:down\n"
        (folder / "20990101000000_require_pre.sql").write_text(text)

    async with prepared(databases, "sessions", before, tmp_path, require) as conn:
        found = await broken(conn, "sessions", before)
    assert set(found.values()) == {"inbox requires why"}
