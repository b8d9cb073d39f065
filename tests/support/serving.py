"""A service's API behind a real HTTP server in a thread of its own, for clients without an event
loop. Holds no test and knows no service.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import requests
import uvicorn
from fastapi import FastAPI

from shared.clock import Clock, FixedClock
from shared.postgres.pool import Pool
from tests.support.callers import signed_in
from tests.support.databases import Databases

READY_S = 30.0
T = TypeVar("T")


class Serving:
    """The running service, on a database of its own. `clock` stands still until it is moved."""

    def __init__(
        self,
        databases: Databases,
        service: str,
        build: Callable[[Pool, Clock], FastAPI],
        start: datetime,
    ) -> None:
        self._databases, self._service, self._build = databases, service, build
        self._ready = threading.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pool: Pool | None = None
        self.clock = FixedClock(start)
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

    def do(self, work: Callable[[Pool], Coroutine[Any, Any, T]]) -> T:
        """Do something with the service's own database, in its own event loop."""
        assert self._loop is not None
        assert self._pool is not None
        return asyncio.run_coroutine_threadsafe(work(self._pool), self._loop).result(READY_S)

    def ask(self, method: str, path: str, headers: dict[str, str], body: Any) -> dict[str, Any]:
        """The answer to a request that has to succeed."""
        answer = requests.request(
            method, self.url + path, json=body, headers=headers, timeout=READY_S
        )
        assert answer.ok, f"{path}: {answer.text}"
        return dict(answer.json())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with self._databases.pool(self._service) as pool:
            self._pool = pool
            api = self._build(pool, self.clock)
            listener = socket.create_server(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            config = uvicorn.Config(signed_in(api), log_level="critical", lifespan="off")
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            self._ready.set()
            await self._stopping.wait()
            server.should_exit = True
            await serving
