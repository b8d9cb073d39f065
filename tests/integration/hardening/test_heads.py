"""What comes before a body, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from fastapi import Request

from shared.heads import HEAD_BYTES, MOST_HEADERS, BoundedHttp
from shared.http import new_api
from shared.limits import Limiting
from shared.runtime import _server
from tests.integration.identity.every_service import settings_of
from tests.support.waiting import until


@asynccontextmanager
async def listening() -> AsyncIterator[int]:
    """The port of an API that measures bodies, served as every service is."""
    api = new_api("none", "Measures.")

    @api.post("/size")
    async def size(request: Request) -> int:
        return len(await request.body())

    server = _server(Limiting(api), settings_of("matching"))
    serving = asyncio.create_task(server.serve())

    async def is_up() -> bool:
        return server.started

    await until(is_up, what="started")
    yield int(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    await serving


async def ask(port: int, head: bytes) -> bytes:
    """All that is answered until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"X-Long: " + b"x" * HEAD_BYTES, id="one header that never ends"),
        pytest.param(b"X-One: 1\r\n" * (MOST_HEADERS + 1), id="headers without end"),
        pytest.param(b"X-Much: " + b"x" * 8_000 + b"\r\n", id="no end"),
    ],
)
async def test_a_head_without_end_ends_the_connection(head: bytes) -> None:
    count = 1 if not head.startswith(b"X-Much") else 9
    async with listening() as port:
        answer = await ask(port, b"GET / HTTP/1.1\r\nHost: s\r\n" + head * count + b"\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400")


async def test_an_address_without_end_ends_the_connection() -> None:
    async with listening() as port:
        answer = await ask(port, b"GET /" + b"x" * HEAD_BYTES + b" HTTP/1.1\r\nHost: s\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400")


async def test_a_header_whose_end_never_comes_ends_the_connection() -> None:
    async with listening() as port:
        answer = await ask(port, b"GET / HTTP/1.1\r\nX-Long: " + b"x" * (HEAD_BYTES + 1_000))

    assert answer.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "head", [pytest.param(b"", id="nothing"), pytest.param(b"GET / HTTP/1.1\r\nX-A", id="a part")]
)
async def test_a_head_that_takes_too_long_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    monkeypatch.setattr(BoundedHttp, "head_within_s", 0.1)
    async with listening() as port:
        with suppress(ConnectionError):
            assert await ask(port, head) == b""


async def test_a_later_request_of_a_connection_is_bounded_alike() -> None:
    async with listening() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(b"POST /size HTTP/1.1\r\nHost: s\r\nContent-Length: 2\r\n\r\nab")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(1) == b"2"
        writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * (HEAD_BYTES + 1_000))
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()

    assert answer.startswith(b"HTTP/1.1 400")


async def test_a_large_body_behind_a_small_head_is_no_large_head() -> None:
    async with listening() as port:
        head = b"POST /size HTTP/1.1\r\nHost: s\r\nConnection: close\r\nContent-Length: 500000"
        answer = await ask(port, head + b"\r\n\r\n" + b"x" * 500_000)

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"500000")


async def test_a_server_does_not_say_what_it_is() -> None:
    async with listening() as port:
        request = b"GET /openapi.json HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n"
        answer = await ask(port, request)

    assert answer.startswith(b"HTTP/1.1 200")
    assert b"\r\nserver:" not in answer.lower()
    assert b"uvicorn" not in answer.lower().partition(b"\r\n\r\n")[0]
