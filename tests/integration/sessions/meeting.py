"""More people than one pair, what they agreed, and a server with a port. Holds no test."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import httpx
import uvicorn

from services.sessions.api import build_api
from services.sessions.domain.rules import Rules
from shared.events.fact import Fact
from shared.events.matching import PairStarted
from shared.events.people import PersonJoined
from shared.ids import PairId, PersonId, ProgrammeId, new_id
from tests.integration.sessions.world import MENTEE, MENTOR, World
from tests.support.callers import as_, signed_in

SECOND_MENTEE = PersonId("sara")


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def served(world: World) -> AsyncIterator[str]:
    """The world's API behind a real port: its address."""
    api = build_api(world.pool, world.clock, Rules())
    server = _Server(uvicorn.Config(signed_in(api), port=0, log_level="warning", lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


async def at_once(
    address: str, requests: list[tuple[str, str, dict[str, object]]]
) -> list[httpx.Response]:
    """Every request (person, path, body) on a connection of its own, all together."""
    ready = asyncio.Barrier(len(requests))

    async def send(person: str, path: str, body: dict[str, object]) -> httpx.Response:
        headers = as_(person)
        async with httpx.AsyncClient(base_url=address, headers=headers) as client:
            await client.get("/openapi.json")  # so that only the request itself is left to send
            await ready.wait()
            return await client.post(path, json=body)

    return list(await asyncio.gather(*(send(*each) for each in requests)))


async def second_pair(world: World, mentee: PersonId = SECOND_MENTEE) -> PairId:
    """Another pair of the same mentor."""
    pair = PairId(new_id())
    await world.deliver(
        PairStarted(
            pair_id=pair,
            mentor_id=MENTOR,
            mentee_id=mentee,
            programme_id=ProgrammeId("leaders"),
            started_at=world.clock.now(),
        )
    )
    return pair


async def moved_to(world: World, **zones: str) -> None:
    """Let people be known with the zone they live in."""
    facts: list[Fact] = [
        PersonJoined(
            person_id=PersonId(person),
            email=f"{person}@mentoring.example",
            display_name=person.title(),
            timezone=zone,
        )
        for person, zone in zones.items()
    ]
    await world.deliver(*facts)


async def agree(world: World, **terms: object) -> None:
    """Let the two sign terms."""
    proposed = await world.ok(MENTOR, f"/v1/pairs/{world.pair}/agreement", world.body(**terms))
    body = {"version": proposed["version"]}
    await world.ok(MENTEE, f"/v1/pairs/{world.pair}/agreement/sign", body)


async def seen(world: World, session: str | UUID, person: str = MENTOR) -> dict[str, Any]:
    """A session as one of its members reads it."""
    answer = await world.get(person, f"/v1/sessions/{session}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
