"""A world per test: an emptied database, one started pair, the service's API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from services.sessions.api import build_api
from services.sessions.domain.rules import Rules
from shared.clock import FixedClock
from shared.postgres.pool import Pool
from shared.postgres.tenancy import act_for_all
from tests.integration.sessions.world import START, World, build_world
from tests.support.databases import Databases

# Writes one statement that empties every table but the migrations' own. One statement, because its
# foreign keys are checked at its end; DELETE, because TRUNCATE waits for the disk.
EMPTYING = """
    SELECT 'WITH ' || string_agg(format('%1$I_ AS (DELETE FROM %1$I)', tablename), ', ')
        || ' SELECT 1'
    FROM pg_tables WHERE schemaname = current_schema() AND tablename NOT LIKE '%migration%'
"""


@pytest.fixture(scope="session")
async def sessions_pool(databases: Databases) -> AsyncIterator[Pool]:
    """One database for all tests of the service: emptying it is quicker than making it anew."""
    async with databases.pool("sessions") as pool:
        yield pool


@pytest.fixture(scope="session")
async def sessions_api(sessions_pool: Pool) -> FastAPI:
    return build_api(sessions_pool, FixedClock(START), Rules())


@pytest.fixture
async def world(sessions_pool: Pool, sessions_api: FastAPI) -> AsyncIterator[World]:
    async with sessions_pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        await conn.execute(await conn.fetchval(EMPTYING))
    built = build_world(sessions_pool, sessions_api)
    async with built.http:
        await built.start_pair(built.pair)
        yield built
