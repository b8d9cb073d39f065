"""A migration beside traffic: it waits for nobody for long, and half of it is never there."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from shared.postgres import migrate as migrating
from shared.postgres.migrate import MigrationFailed, migrate
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
