"""A projection is thrown away and rebuilt from the log beside the live one (guarantee 5)."""

from __future__ import annotations

import asyncio
import random
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.local.network import ROOT, Network, NetworkOptions
from shared.postgres.migrate import migrate
from shared.postgres.pool import open_pool
from shared.postgres.tenancy import SEES_ALL
from tests.faults.conftest import UnderLoad
from tests.faults.load import Load, Size
from tests.support.databases import with_database

pytestmark = pytest.mark.stack

REBUILT = "rebuilt"


async def second_database(network: Network) -> str:
    """The DSN of insights' role in a new, migrated, empty database beside the live one."""
    admin_dsn = network.stack.postgres_dsn
    conn = await asyncpg.connect(admin_dsn)
    await conn.execute(f"CREATE DATABASE {REBUILT}")
    await conn.close()
    dsn = with_database(network.dsn("insights"), REBUILT)
    folder = ROOT / "services" / "insights" / "migrations"
    await migrate(with_database(admin_dsn, REBUILT), dsn, service="insights", migrations=folder)
    assert urlsplit(dsn).path == f"/{REBUILT}"
    return dsn


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(Size(facts=4_000, pairs=200), id="4,000 facts"),
        pytest.param(Size(facts=100_000, pairs=1_000), id="100,000 facts", marks=pytest.mark.full),
    ],
)
@pytest.mark.full
async def test_a_projection_rebuilt_under_traffic_equals_the_live_one(
    under_load: UnderLoad, size: Size
) -> None:
    """Seen to fail (it never has all facts) when the second reader joins the live one's group."""
    async with under_load(size, 7) as (network, live):
        dsn = await second_database(network)
        beside = {"INSIGHTS_POSTGRES": dsn, "INSIGHTS_GROUP_SUFFIX": ".rebuild"}
        pool = await open_pool(dsn, service="insights", size=2, settings=SEES_ALL)
        rebuilt = Load(live.sessions, pool, size, random.Random(7), live.committed)

        async def rebuild_half_way() -> None:
            await live.wait_applied(size.facts // 2)
            second.launch("insights", "worker")
            await rebuilt.wait_applied(size.facts)

        with Network(network.stack, NetworkOptions(environ=beside)) as second:
            await asyncio.gather(live.write(), rebuild_half_way())
            await live.wait_applied(size.facts)
        verdicts = [await live.verdict(), await rebuilt.verdict()]
        pool.terminate()

    for verdict in verdicts:
        verdict.assert_perfect()
