"""A directory provisions everybody: each is looked for and created.

One process of the API, the load in this one; and what it holds in memory while everybody comes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psutil

from shared.postgres.pool import Pool
from tests.benchmarks.harness import Bench, Result, pool_of
from tests.benchmarks.processes import replicas
from tests.support.callers import as_

LANES = 8
SAY_EVERY = 5_000
MIB = 2**20
TIMEOUT_S = 60.0
WANTED_S = 600
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_BARE = """
    INSERT INTO scim_user (tenant, id, person_id, user_name_key, emails, data, created_at,
                           changed_at)
    VALUES ('bare', $1, $1, $1, ARRAY[$1], $2, now(), now())
"""
_KNOWN = "SELECT count(*) FROM scim_user WHERE tenant = 'acme' AND told = 'here'"
_DATA = """{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "bare"}"""


async def measure(bench: Bench) -> list[Result]:
    """The whole sync, in seconds for a hundred thousand."""
    people = bench.size(small=2_000, full=100_000)
    async with bench.network(called=True) as network:
        with replicas(network, "matching", ("api",)) as (served,):
            process = psutil.Process(served.process.pid)
            held: list[float] = [_held(process)]
            began = time.perf_counter()
            await _sync(bench, served.url, people, lambda: held.append(_held(process)))
            took = time.perf_counter() - began
        async with pool_of(network, "matching", size=1) as pool:
            bare = await _bare(pool, min(people, 5_000))
            known = await _known(pool)
    if known != people:
        raise RuntimeError(f"{known:,} of {people:,} people told of")
    note = f"{people:,} users, each a filter and a POST, {LANES} at a time, one API"
    pace = people / took
    return [
        Result("scim", "bare", bare, "users/s", note="one INSERT and its commit, one at a time"),
        Result("scim", "sync", pace, "users/s", pace / bare, "scim.bare", note=note),
        Result("scim", "a hundred thousand", took * 100_000 / people, "s", wanted=f"<= {WANTED_S}"),
        Result(
            "scim", "memory", max(held), "MiB", wanted="flat",
            note=f"of the API: {held[0]:.0f} before, {held[len(held) // 2]:.0f} half-way",
        ),
    ]  # fmt: skip


async def _sync(bench: Bench, url: str, people: int, look: Any) -> None:
    todo = iter(range(people))
    async with httpx.AsyncClient(
        base_url=f"{url}/scim/v2", headers=as_("directory", "hr"), timeout=TIMEOUT_S
    ) as http:
        await asyncio.gather(*(_lane(bench, http, todo, look) for _ in range(LANES)))


async def _lane(bench: Bench, http: httpx.AsyncClient, todo: Iterator[int], look: Any) -> None:
    for n in todo:
        name = f"p{n}@mentoring.example"
        asked = await http.get("/Users", params={"filter": f'userName eq "{name}"'})
        if asked.status_code != 200 or asked.json()["totalResults"]:
            raise RuntimeError(asked.text)
        made = await http.post("/Users", json=_user(n, name))
        if made.status_code != 201:
            raise RuntimeError(made.text)
        if n % SAY_EVERY == 0:
            look()
            bench.say(f"{n:,} users")


def _user(n: int, name: str) -> dict[str, Any]:
    return {
        "schemas": [USER, ENTERPRISE],
        "userName": name,
        "externalId": f"E-{n}",
        "active": True,
        "displayName": f"Person {n}",
        "name": {"givenName": "Person", "familyName": str(n)},
        "emails": [{"type": "work", "value": name, "primary": True}],
        "timezone": "Europe/Berlin",
        "locale": "de-DE",
        ENTERPRISE: {"department": f"unit-{n % 120}"},
    }


async def _bare(pool: Pool, count: int) -> float:
    async with pool.acquire() as conn:
        await conn.execute("SET trustfold.tenant = 'bare'")
        began = time.perf_counter()
        for n in range(count):
            await conn.execute(_BARE, f"b{n}", _DATA)
        took = time.perf_counter() - began
        await conn.execute("RESET trustfold.tenant")
    return count / took


async def _known(pool: Pool) -> int:
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute("SET LOCAL trustfold.tenant = '*'")
        return int(await conn.fetchval(_KNOWN))


def _held(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / MIB
