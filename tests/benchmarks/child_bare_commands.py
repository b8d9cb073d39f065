"""The bare transactions: the statements of the same commands by asyncpg, and nothing round them.

Each command runs once through the service's API in this process while its connections say what
they are asked. Those statements are then sent about other pairs, with ids of their own, one
transaction a command. What is sent is made before the clock starts.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import Any, TypeAlias
from uuid import UUID

import httpx
import uvloop
from asyncpg.connection import LoggedQuery
from pydantic import SecretStr

from services.sessions.app import build
from services.sessions.settings import SessionsSettings
from shared.clock import SystemClock
from shared.ids import new_id
from shared.postgres.pool import Pool, open_pool
from tests.benchmarks.processes import Meter
from tests.benchmarks.rounds import AHEAD, STEPS, Command, Round, commands, pair_id
from tests.support.callers import signed_in

Statement: TypeAlias = tuple[str, tuple[Any, ...]]
_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


async def record(pool: Pool, place: int) -> list[list[Statement]]:
    """What each step of a round asks of the database, in order; the round is that of `place`."""
    seen: list[Statement] = []

    def take(query: LoggedQuery) -> None:
        seen.append((query.query, tuple(query.args or ())))

    async with pool.acquire() as conn:
        conn.add_query_logger(take)
    settings = SessionsSettings(postgres=SecretStr(""), kafka="")
    app = httpx.ASGITransport(signed_in(build(settings, pool, SystemClock()).api))
    found, one = [], Round(place, {"pair": str(pair_id(place))})
    async with httpx.AsyncClient(transport=app, base_url="http://bare") as http:
        for number, step in enumerate(STEPS):
            if step.name == "confirm":
                await asyncio.sleep(AHEAD.total_seconds())
            command = Command(step, one, number)
            seen.clear()
            answer = await http.post(command.path, content=command.body, headers=command.headers)
            answer.raise_for_status()
            command.learn(answer.content)
            found.append(await _settled(seen))
    return found


async def _settled(seen: list[Statement]) -> list[Statement]:
    """A connection tells what it was asked a moment later. Its pool's own clean-up is no part."""
    await asyncio.sleep(0.01)
    ends = next(n for n, each in enumerate(seen) if each[0].startswith("COMMIT"))
    return seen[: ends + 1]


class Another:
    """Turns what was said about one pair into the same about another; ids of its own."""

    def __init__(self, recorded: int, place: int) -> None:
        self._ids: defaultdict[str, UUID] = defaultdict(new_id)
        self._ids[str(pair_id(recorded))] = pair_id(place)
        self._told = re.compile(rf"(?P<id>{_ID})|(?P<who>mentor-|mentee-|^){recorded}(?P<n>-|$)")
        self._place = place

    def value(self, given: Any) -> Any:
        """The same for the other pair; what names nobody stays."""
        match given:
            case UUID():
                # The driver's own class, which is quicker to send than Python's.
                return self._ids[str(given)]
            case str():
                return self._told.sub(self._replaced, given)
            case bytes():
                return self.value(given.decode()).encode()
            case list() | tuple():
                return [self.value(each) for each in given]
        return given

    def _replaced(self, found: re.Match[str]) -> str:
        if found["id"]:
            return str(self._ids[found["id"]])
        return f"{found['who']}{self._place}{found['n']}"


def replayed(recorded: list[list[Statement]], place: int, rounds: int) -> list[list[Statement]]:
    """The statements of so many rounds of the places after `place`, as they are interleaved."""
    others = [Another(place, place + 1 + n) for n in range(rounds)]
    return [
        [
            (query, tuple(others[command.round.place].value(each) for each in args))
            for query, args in recorded[command.number]
        ]
        for command in commands(rounds)
    ]


async def send(pool: Pool, lanes: int, todo: Sequence[list[Statement]]) -> float:
    """Every transaction, `lanes` at a time, each lane with a connection of its own; how many a
    second.
    """
    waiting, started = iter(todo), time.perf_counter()

    async def lane() -> None:
        async with pool.acquire() as conn:
            for statements in waiting:
                for query, args in statements:
                    if args:
                        await conn.fetch(query, *args)
                    else:
                        await conn.execute(query)

    async with asyncio.TaskGroup() as group:
        for _ in range(lanes):
            group.create_task(lane())
    return len(todo) / (time.perf_counter() - started)


async def main(given: dict[str, Any]) -> dict[str, Any]:
    second = given["first"] + 1
    async with await open_pool(given["dsn"], service="sessions", size=1) as recorder:
        # A new connection asks about types of its own accord: what it asks then is not recorded.
        await record(recorder, given["first"])
        recorded = await record(recorder, second)
    todo = replayed(recorded, second, given["rounds"])
    warm = len(todo) // 5
    pool = await open_pool(given["dsn"], service="sessions", size=given["lanes"])
    await send(pool, given["lanes"], todo[:warm])
    with Meter(given["watch"]).over(len(todo) - warm) as spent:
        per_s = await send(pool, given["lanes"], todo[warm:])
    await pool.close()
    sizes = [len(each) for each in recorded]
    shown = list(chain.from_iterable(recorded)) if given.get("show") else []
    return {"per_s": per_s, "cpu_ms": spent, "statements": sizes, "shown": [q for q, _ in shown]}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(json.loads(sys.argv[1])))))
