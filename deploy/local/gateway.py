"""One host in front of the four services, as the gateway of a cluster is: for browsers.

`/matching/...`, `/sessions/...` and `/notifications/...` go to these services without the prefix,
everything else to insights, which serves the page. Passes through and knows nothing.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Self

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from deploy.local.errors import StackError
from deploy.local.places import free_ports

HOST = "127.0.0.1"
FIRST_PORT = 8100
PREFIXED = ("matching", "sessions", "notifications")
REST = "insights"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
START_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 5.0
KEEP_ALIVE_S = 4.0
# RFC 9110 7.6.1: said between two ends of one connection, and no further.
HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)


class Gateway:
    """Listens from its construction on; serves once started. `address_of` names a service's URL."""

    def __init__(self, address_of: Callable[[str], str]) -> None:
        self._address_of = address_of
        (self.port,) = free_ports(1, FIRST_PORT)
        self._socket = socket.create_server((HOST, self.port))
        self.url = f"http://{HOST}:{self.port}"
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Serve, on a thread of its own. Raises StackError."""
        routes = [Route("/{path:path}", self._pass, methods=METHODS)]
        app = Starlette(routes=routes, lifespan=self._connected)
        config = uvicorn.Config(
            app,
            log_level="critical",
            timeout_graceful_shutdown=1,
            # Nobody stands before it, and each service says who it is.
            proxy_headers=False,
            server_header=False,
            date_header=False,
        )
        self._server = uvicorn.Server(config)
        work = {"sockets": [self._socket]}
        self._thread = threading.Thread(target=self._server.run, kwargs=work, daemon=True)
        self._thread.start()
        until = time.monotonic() + START_TIMEOUT_S
        while not self._server.started:
            if time.monotonic() > until or not self._thread.is_alive():
                raise StackError("the local gateway did not start")
            time.sleep(0.01)
        return self

    def close(self) -> None:
        """Stop listening; streams that are open end."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(START_TIMEOUT_S)
        self._socket.close()

    @asynccontextmanager
    async def _connected(self, _: Starlette) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
        # A stream ends when one of its ends does, never by the clock.
        timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT_S)
        # Below the servers' own five seconds: nothing goes out on a connection being closed.
        limits = httpx.Limits(max_connections=None, keepalive_expiry=KEEP_ALIVE_S)
        async with httpx.AsyncClient(timeout=timeout, limits=limits) as client:
            # Cookies are the browser's: one kept here would sign everybody in as the last person.
            client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
            yield {"client": client}

    async def _pass(self, request: Request) -> Response:
        # As it was sent: an escaped slash is no slash.
        sent: bytes = request.scope["raw_path"].partition(b"?")[0]
        first, _, rest = sent.removeprefix(b"/").partition(b"/")
        prefix = first.decode("ascii", "replace")
        service, path = (prefix, b"/" + rest) if prefix in PREFIXED else (REST, sent)
        query: bytes = request.scope["query_string"]
        url = httpx.URL(self._address_of(service)).copy_with(
            raw_path=path + (b"?" + query if query else b"")
        )
        client: httpx.AsyncClient = request.state.client
        asked = client.build_request(
            request.method, url, headers=_onward(request), content=_body(request)
        )
        try:
            answer = await client.send(asked, stream=True)
        except httpx.TransportError:
            problem = {
                "title": "bad gateway",
                "status": 502,
                "detail": f"{service} does not answer",
            }
            return JSONResponse(problem, 502, media_type="application/problem+json")

        response = StreamingResponse(
            answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose)
        )
        response.raw_headers = [
            (name.lower(), value)
            for name, value in answer.headers.raw
            if name.lower().decode() not in HOP_BY_HOP
        ]
        return response


def _onward(request: Request) -> list[tuple[bytes, bytes]]:
    kept = [
        pair
        for pair in request.headers.raw
        if pair[0].decode() not in HOP_BY_HOP and not pair[0].startswith(b"x-forwarded-")
    ]
    client = request.client.host if request.client else HOST
    forwarded = {
        "for": client,
        "proto": request.url.scheme,
        "host": request.headers.get("host", ""),
    }
    return [*kept, *((f"x-forwarded-{k}".encode(), v.encode()) for k, v in forwarded.items())]


def _body(request: Request) -> AsyncIterator[bytes] | None:
    told = "content-length" in request.headers or "transfer-encoding" in request.headers
    return request.stream() if told else None
