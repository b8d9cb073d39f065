"""The local gateway: which service is asked, what is passed on, and that it keeps nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from deploy.local.gateway import Gateway
from deploy.local.places import free_ports

ended = threading.Event()


async def echo(request: Request) -> Response:
    body = await request.body()
    answer = JSONResponse(
        {
            "path": request.scope["raw_path"].decode(),
            "forwarded": request.headers.getlist("x-forwarded-for"),
            "query": request.url.query,
            "cookie": request.headers.get("cookie"),
            "connection": request.headers.get("keep-alive"),
            "host": request.headers["host"],
            "body": len(body),
        }
    )
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


async def stream(_: Request) -> Response:
    async def lines() -> AsyncIterator[bytes]:
        try:
            yield b"data: first\n\n"
            await asyncio.Event().wait()
        finally:
            ended.set()

    return StreamingResponse(lines(), media_type="text/event-stream")


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    (port,) = free_ports(1)
    methods = ["GET", "HEAD", "POST"]
    app = Starlette(routes=[Route("/stream", stream), Route("/{p:path}", echo, methods=methods)])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    urls = dict.fromkeys(("insights", "sessions", "notifications"), f"http://127.0.0.1:{port}")
    running = Gateway(lambda service: urls.get(service, "http://127.0.0.1:9")).start()
    yield running
    running.close()
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize(
    ("asked", "path", "query"),
    [
        ("/sessions/v1/pairs?limit=2", "/v1/pairs", "limit=2"),
        ("/v1/programmes?after=a%2Fb", "/v1/programmes", "after=a%2Fb"),
        ("/sessions/a%2Fb%3Fc", "/a%2Fb%3Fc", ""),
        ("/session", "/session", ""),
        ("/", "/", ""),
    ],
)
async def test_a_prefix_names_the_service_and_is_taken_off(
    gateway: Gateway, asked: str, path: str, query: str
) -> None:
    async with httpx.AsyncClient() as http:
        seen = (await http.get(gateway.url + asked)).json()
    assert (seen["path"], seen["query"]) == (path, query)


async def test_cookies_are_passed_both_ways_and_never_kept(gateway: Gateway) -> None:
    async with httpx.AsyncClient() as http:
        first = await http.get(gateway.url, headers={"Cookie": "own=1", "Keep-Alive": "5"})
        assert first.json()["cookie"] == "own=1"
        assert first.json()["connection"] is None
        assert len(first.headers.get_list("set-cookie")) == 2
    async with httpx.AsyncClient() as somebody_else:
        assert (await somebody_else.get(gateway.url)).json()["cookie"] is None


async def test_the_host_is_the_one_the_browser_asked(gateway: Gateway) -> None:
    lying = {"X-Forwarded-For": "192.0.2.1"}
    async with httpx.AsyncClient() as http:
        seen = await http.post(gateway.url, content=b"x" * 300_000, headers=lying)
    assert seen.json()["forwarded"] == ["127.0.0.1"]
    assert seen.json()["host"] == gateway.url.removeprefix("http://")
    assert seen.json()["body"] == 300_000


async def test_an_event_comes_at_once_and_the_service_hears_of_a_reader_who_left(
    gateway: Gateway,
) -> None:
    ended.clear()
    async with (
        httpx.AsyncClient() as http,
        http.stream("GET", f"{gateway.url}/stream", timeout=5) as answer,
    ):
        assert await anext(answer.aiter_bytes()) == b"data: first\n\n"
    assert await asyncio.to_thread(ended.wait, 5)


async def test_a_service_that_is_away_is_named(gateway: Gateway) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{gateway.url}/matching/v1/people")
    assert answer.status_code == 502
    assert answer.json()["detail"] == "matching does not answer"
