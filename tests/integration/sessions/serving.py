"""Sessions behind a real HTTP server in a thread of its own, for clients that know no event loop.

Whoever asks gets pairs with something of each kind in them. Holds no test.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import requests
import uvicorn

from services.sessions.api import build_api
from services.sessions.domain.rules import Rules
from shared.clock import FixedClock
from shared.events.matching import PairStarted
from shared.ids import PairId, PersonId, ProgrammeId, new_id
from tests.integration.sessions.world import START, TENANT, World
from tests.support.databases import Databases

READY_S = 30.0
DAY = timedelta(days=1)


class Serving:
    """The running service. `clock` stands still; `start_pair` is the only thing not over HTTP."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._ready = threading.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._world: World | None = None
        self.clock = FixedClock(START)
        self.url = ""

    @contextmanager
    def running(self) -> Iterator[Serving]:
        """Serve until the context ends."""
        thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        thread.start()
        assert self._ready.wait(READY_S), "the server did not start"
        try:
            yield self
        finally:
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._stopping.set)
            thread.join(READY_S)

    def start_pair(self, mentor: str, mentee: str) -> PairId:
        """A new pair, as matching's fact starts it."""
        assert self._loop is not None
        assert self._world is not None
        pair = PairId(new_id())
        fact = PairStarted(
            pair_id=pair,
            mentor_id=PersonId(mentor),
            mentee_id=PersonId(mentee),
            programme_id=ProgrammeId("leaders"),
            started_at=self.clock.now(),
        )
        asyncio.run_coroutine_threadsafe(self._world.deliver(fact), self._loop).result(READY_S)
        return pair

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with self._databases.pool("sessions") as pool:
            api = build_api(pool, self.clock, Rules())
            self._world = World(pool, self.clock, None, PairId(new_id()))  # type: ignore[arg-type]
            listener = socket.create_server(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            config = uvicorn.Config(api, log_level="critical", lifespan="off")
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            self._ready.set()
            await self._stopping.wait()
            server.should_exit = True
            await serving


@dataclass
class Things:
    """A new pair and something of each kind in it: ids by the name a path has for them."""

    serving: Serving
    mentor: str
    mentee: str
    ids: dict[str, list[str]] = field(default_factory=dict)

    @property
    def sides(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Each of the two and their role."""
        return (self.mentor, "participant"), (self.mentee, "participant")

    def fill(self) -> None:
        """Ask the service for one of each."""
        self.ids["pair"] = [str(self.serving.start_pair(self.mentor, self.mentee))]
        now = self.serving.clock.now()
        terms = {"cadence_days": 14, "notice_hours": 24, "channels": ["video", "email"]}
        self._post(self.mentor, "agreement", terms)
        self._post(self.mentee, "agreement/sign", {"version": 1})
        self._post(self.mentor, "agreement", {**terms, "cadence_days": 7})
        self.ids["version"] = ["1", "2"]
        for days in (1, 2):
            slot = {"starts_at": (now + days * DAY).isoformat(), "duration_minutes": 45}
            self._made("session", self._post(self.mentor, "sessions", {**slot, "channel": "video"}))
        for days in (5, 6):
            due = {"due_at": (now + days * DAY).isoformat(), "title": "read it"}
            self._made("commitment", self._post(self.mentee, "commitments", due))
        self._ask(self.mentor, f"/v1/commitments/{self.ids['commitment'][0]}/accept", None)
        offer = {"slots": [{"starts_at": (now + 9 * DAY).isoformat(), "duration_minutes": 30}]}
        self._made("proposal", self._post(self.mentor, "proposals", offer))
        first = (now + 40 * DAY).replace(tzinfo=None)
        weekly = {"starts_at_local": first.isoformat(), "duration_minutes": 30, "count": 2}
        self._made("series", self._post(self.mentor, "series", weekly))
        self._made("boundary", self._post(self.mentee, "boundaries", {"term": "other"}))
        for _ in range(2):
            goal = self._post(self.mentee, "goals", {"words": "a talk", "measure": "ten people"})
            self._made("goal", goal)
            self._made("note", self._post(self.mentor, "notes", {"text": "mornings"}))
            self._made("item", self._post(self.mentee, "agenda", {"text": "the talk"}))
        self._ask(self.mentor, f"/v1/goals/{self.ids['goal'][0]}/agree", None)

    def _post(self, person: str, what: str, body: Any) -> dict[str, Any]:
        return self._ask(person, f"/v1/pairs/{self.ids['pair'][0]}/{what}", body)

    def _ask(self, person: str, path: str, body: Any) -> dict[str, Any]:
        headers = {"X-Tenant": TENANT, "X-Person": person}
        answer = requests.post(self.serving.url + path, json=body, headers=headers, timeout=READY_S)
        assert answer.ok, f"{path}: {answer.text}"
        return dict(answer.json())

    def _made(self, name: str, answer: dict[str, Any]) -> None:
        self.ids.setdefault(name, []).append(str(answer[f"{name}_id"]))
