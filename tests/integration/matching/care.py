"""Builders for what looks after pairs: trust, promises, and all that is stored. Holds no test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from services.matching.app import build
from services.matching.settings import MatchingSettings
from shared.clock import FixedClock
from shared.events.insights import TrustChanged
from shared.postgres.pool import Pool
from shared.postgres.tenancy import act_for_all
from tests.integration.matching.conftest import START, Matching, caller, mentee
from tests.support.callers import signed_in

_TABLES = """
    SELECT tablename FROM pg_tables
    WHERE schemaname = current_schema() AND tablename NOT LIKE '%migration%' ORDER BY tablename
"""


def sides(path: str) -> dict[str, Any]:
    """The names that every fact about the pair at `path` has."""
    return {"pair_id": UUID(path.rsplit("/", 1)[1]), "mentor_id": "ann", "mentee_id": "ben"}


def trust(path: str, mentor_band: str, mentee_band: str, revision: int = 1) -> TrustChanged:
    """The newest trust of the pair at `path`, by band."""
    direction = {"score": 0.4, "low": 0.2, "high": 0.6, "weakest": None}
    private = {"score": 0.1, "low": 0.1, "high": 0.2, "band": "strained", "facets": {}}
    return TrustChanged.model_validate(
        {
            **sides(path),
            "model": "v1",
            "revision": revision,
            "as_of": START,
            "half_life_days": 90,
            "health": 0.1,
            "gap": None,
            "about_mentor": private,
            "about_mentee": private,
            "partner_safe": {
                "as_of": START,
                "about_mentor": {**direction, "band": mentor_band},
                "about_mentee": {**direction, "band": mentee_band},
            },
        }
    )


async def steady_pair(matching: Matching, *contacts: str) -> str:
    """The path of a running pair of `ann` and `ben` in steady trust; contacts are there, too."""
    path = await matching.started_pair()
    await matching.hears(*(mentee(one, participation=None) for one in contacts))
    await matching.hears(trust(path, "steady", "steady"))
    return path


async def ok(matching: Matching, path: str, body: object = None, as_: str = "ann") -> Any:
    """What a request that must be allowed answers."""
    answer = await matching.post(path, body, as_)
    assert answer.is_success, answer.text
    return answer.json()


async def sent(matching: Matching, path: str, as_: str, body: object = None, **headers: str) -> Any:
    """A participant's request with headers of its own."""
    everything = {**caller(as_, "participant", "acme"), **headers}
    return await matching.http.post(path, json=body, headers=everything)


async def look(matching: Matching, query: str, *args: object) -> list[asyncpg.Record]:
    """What is in the tables, of every tenant."""
    async with matching.pool.acquire() as conn, conn.transaction():
        await act_for_all(conn)
        return await conn.fetch(query, *args)


async def everything(matching: Matching) -> dict[str, Sequence[dict[str, Any]]]:
    """Every row of every table."""
    tables = [row["tablename"] for row in await look(matching, _TABLES)]
    return {name: [dict(row) for row in await look(matching, f"TABLE {name}")] for name in tables}


@asynccontextmanager
async def matching_on(pool: Pool) -> AsyncIterator[Matching]:
    """A service of its own, for a test that compares two."""
    clock = FixedClock(START)
    settings = MatchingSettings.model_validate({"postgres": "unused", "kafka": "unused"})
    service = build(settings, pool, clock)
    transport = httpx.ASGITransport(app=signed_in(service.api))
    async with httpx.AsyncClient(transport=transport, base_url="http://matching") as http:
        yield Matching(service, pool, clock, http)
