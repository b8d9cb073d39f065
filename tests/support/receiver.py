"""A real HTTP server that answers from a script, then with 200. Holds no test.

By hand over sockets, because no framework would cut an answer in two or never end one.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import orjson

HOST = "127.0.0.1"
HUGE = 8 * 1024 * 1024
_CHUNK = b"x" * 65_536


@dataclass(frozen=True)
class Answer:
    """What is answered. `waits` holds it back until `release`, `is_cut` closes in its place,
    `is_dripping` never ends it; `size` is that of the body.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    size: int = 2
    waits: bool = False
    is_cut: bool = False
    is_dripping: bool = False


OK = Answer()
GONE = Answer(410)
FAILS = Answer(500)
SLOW = Answer(waits=True)
CUT = Answer(is_cut=True)
HUGE_BODY = Answer(size=HUGE)
DRIPPING = Answer(is_dripping=True)


def busy(retry_after: str) -> Answer:
    return Answer(429, (("Retry-After", retry_after),))


def moved(to: str) -> Answer:
    return Answer(302, (("Location", to), ("Set-Cookie", "a=b")))


@dataclass(frozen=True)
class Got:
    """A request as it came in; `peer` is the connection it came by."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: object

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """`async with Receiver() as receiver`: `got` is every request, in the order they were read."""

    script: list[Answer] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    got: list[Got] = field(default_factory=list)
    sent_bytes: int = 0
    most_at_once: int = 0

    async def __aenter__(self) -> Receiver:
        self._released = asyncio.Event()
        self._at_once = 0
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._server = await asyncio.start_server(self._serve, HOST, 0, ssl=self.tls)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.release()
        self._server.close()
        for writer in self._open.values():
            writer.transport.abort()
        await asyncio.gather(*self._open, return_exceptions=True)

    @property
    def url(self) -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{HOST}:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        """The webhook-id of each request."""
        return [each.id for each in self.got]

    def answers(self, *script: Answer) -> None:
        """Answer like this from now on, one after the other, then with 200."""
        self.script[:] = script

    def release(self) -> None:
        """Give the answers that were held back."""
        self._released.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            del self._open[task]
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        pairs = [line.split(": ", 1) for line in head[1:] if line]
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.got.append(Got(method, path, headers, body, writer.get_extra_info("peername")))
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._answer(self.script.pop(0) if self.script else OK, writer)
        finally:
            self._at_once -= 1

    async def _answer(self, answer: Answer, writer: asyncio.StreamWriter) -> bool:
        if answer.waits:
            await self._released.wait()
        if answer.is_cut:
            writer.transport.abort()
            return False
        lines = [f"HTTP/1.1 {answer.status} As scripted", *_lines(answer)]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        if answer.is_dripping:
            writer.write(b"x")
            await self._released.wait()
            return False
        left = answer.size
        while left:
            part = _CHUNK[:left]
            writer.write(part)
            await writer.drain()
            left -= len(part)
            self.sent_bytes += len(part)
        await writer.drain()
        return True


def _lines(answer: Answer) -> Sequence[str]:
    named = [f"{name}: {value}" for name, value in answer.headers]
    return [*named, f"Content-Length: {answer.size}"]
