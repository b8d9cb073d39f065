"""A real API process of insights, and real listeners to its streams. Holds no test."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.support.callers import as_, identity_file
from tests.support.waiting import until
from tests.unit.insights.facts import ACME, ANN

ROOT = Path(__file__).parents[3]
HOST = "127.0.0.1"
STOP_S = 20.0


@dataclass(frozen=True)
class Said:
    """One event of a stream, and the block it came in."""

    event: str
    data: Any
    id: str | None
    raw: bytes

    @property
    def position(self) -> int:
        assert self.id is not None
        return int(self.id.rpartition(".")[2])


@dataclass
class Listener:
    """What a stream has said so far."""

    said: list[Said] = field(default_factory=list)
    raw: bytes = b""
    ended: bool = False

    def of(self, *events: str) -> list[Said]:
        return [each for each in self.said if each.event in events]

    async def hears(self, count: int, *events: str) -> list[Said]:
        """Wait until it has heard as many of these events; all of them."""

        async def enough() -> object:
            return len(self.of(*events)) >= count

        await until(enough, what=f"heard {count} {events}, but {[s.event for s in self.said]}")
        return self.of(*events)

    async def ends(self) -> None:
        async def over() -> object:
            return self.ended

        await until(over, what="ended")

    def take(self, chunk: bytes) -> None:
        self.raw += chunk
        *blocks, self.raw = self.raw.split(b"\n\n")
        for block in blocks:
            fields = dict(
                line.split(": ", 1) for line in block.decode().splitlines() if line[0] != ":"
            )
            if "event" in fields:
                data = json.loads(fields["data"])
                self.said.append(Said(fields["event"], data, fields.get("id"), block))


class Api:
    """An API process. It can be killed and started again, on the same port."""

    def __init__(self, dsn: str, environ: Mapping[str, str], *roles: str) -> None:
        with socket.create_server((HOST, 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"http://{HOST}:{self._port}"
        self._command = [sys.executable, "-m", "shared.cli", "run", "insights"]
        self._command += [word for role in roles or ("api",) for word in ("--role", role)]
        self._environ = {
            **os.environ,
            "INSIGHTS_POSTGRES": dsn,
            "INSIGHTS_KAFKA": "127.0.0.1:9",
            "INSIGHTS_HTTP_PORT": str(self._port),
            "INSIGHTS_IDENTITY_FILE": str(identity_file()),
            **environ,
        }
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        self.process = subprocess.Popen(self._command, cwd=ROOT, env=self._environ)

        async def ready() -> object:
            try:
                async with httpx.AsyncClient() as http:
                    answer = await http.get(f"{self.url}/health/ready")
            except httpx.HTTPError:
                return None
            return answer.status_code == 200

        await until(ready, what="ready")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Stop it in order; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(STOP_S)

    @asynccontextmanager
    async def listening(
        self,
        path: str = "/v1/stream",
        *,
        role: str = "service",
        as_: str = ANN,
        last: str | None = None,
    ) -> AsyncIterator[Listener]:
        """A listener that reads all the time, until the end of the block or of the stream."""
        listener = Listener()
        headers = headers_of(role, as_) | ({"Last-Event-ID": last} if last else {})

        async def read(response: httpx.Response) -> None:
            try:
                async for chunk in response.aiter_raw():
                    listener.take(chunk)
            except httpx.HTTPError:
                pass
            listener.ended = True

        async with (
            httpx.AsyncClient(timeout=None) as http,
            http.stream("GET", self.url + path, headers=headers) as response,
        ):
            assert response.status_code == 200, await response.aread()
            assert response.headers["content-type"].startswith("text/event-stream")
            reading = asyncio.create_task(read(response))
            try:
                yield listener
            finally:
                reading.cancel()
                await asyncio.wait([reading])

    async def get(self, path: str, *, role: str = "service", **headers: str) -> httpx.Response:
        async with httpx.AsyncClient() as http:
            return await http.get(self.url + path, headers=headers_of(role, ANN) | headers)


def headers_of(role: str, person: str) -> dict[str, str]:
    return as_(person, role, tenant=ACME)
