"""What a request may be, and what every answer says: sizes, depth, time, rate, security headers.

Knows no route: one that needs another limit says so in its line of the table of who may call it.
"""

from __future__ import annotations

import asyncio
import re
import time
from itertools import accumulate
from math import ceil

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http import CALLER, OPERATIONS, BodyRefused, problem
from shared.identity.access import BODY, Body
from shared.rate import Buckets

DEEPEST = 64
BODY_WITHIN_S = 30.0
# Seconds' worth of requests that may come at once.
BURST_S = 2.0
_STRANGERS = ""

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
_POLICY = "Content-Security-Policy"
_NOTHING = "default-src 'none'; frame-ancestors 'none'"
# The one page that says nothing of its own is the description of the API, which loads its viewer.
_PAGE = (
    "default-src 'none'; script-src https: 'unsafe-inline'; style-src https:; img-src https: data:;"
    " connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HSTS = "Strict-Transport-Security"


class Limiting:
    """ASGI middleware around everything: what comes in is bounded, what goes out is guarded.

    A body is read whole before the route sees it: 413 above its size, 408 when it takes longer than
    BODY_WITHIN_S, 422 when it is JSON deeper than DEEPEST. `hsts_s` is for how long browsers shall
    insist on TLS; 0 says nothing of it.
    """

    def __init__(
        self, app: ASGIApp, *, hsts_s: int = 0, body_within_s: float = BODY_WITHIN_S
    ) -> None:
        self._app, self._within_s = app, body_within_s
        self._hsts = f"max-age={hsts_s}; includeSubDomains" if hsts_s else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, as an ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._guard(MutableHeaders(scope=message))
            await send(message)

        incoming = _Incoming(scope, receive, self._within_s)
        await self._app(scope, incoming.receive, guarded)

    def _guard(self, headers: MutableHeaders) -> None:
        for name, value in _ALWAYS.items():
            headers.setdefault(name, value)
        is_page = headers.get("content-type", "").startswith("text/html")
        headers.setdefault(_POLICY, _PAGE if is_page else _NOTHING)
        if self._hsts:
            headers.setdefault(_HSTS, self._hsts)


class _Incoming:
    """A request's body, looked at when the route first asks for it: by then its limit is known."""

    def __init__(self, scope: Scope, receive: Receive, within_s: float) -> None:
        self._scope, self._receive, self._within_s = scope, receive, within_s
        self._is_read, self._size = False, 0

    async def receive(self) -> Message:
        """The next message. Raises BodyRefused."""
        limit: Body = self._scope.get(BODY, Body())
        if self._is_read:
            return await self._receive()
        if limit.is_streamed:
            return await self._part(limit, self._within_s)
        self._is_read = True
        parts = []
        deadline = asyncio.get_running_loop().time() + self._within_s
        while True:
            left_s = deadline - asyncio.get_running_loop().time()
            message = await self._part(limit, left_s)
            if message["type"] != "http.request":
                return message
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                break
        body = b"".join(parts)
        if depth_of(body) > DEEPEST:
            said = f"at most {DEEPEST} objects and lists in each other"
            raise BodyRefused(422, "too-deep", said, field="body")
        return {"type": "http.request", "body": body, "more_body": False}

    async def _part(self, limit: Body, within_s: float) -> Message:
        declared = Headers(scope=self._scope).get("content-length", "0")
        if declared.isdecimal() and int(declared) > limit.most:
            raise _too_large(limit)
        try:
            message = await asyncio.wait_for(self._receive(), max(within_s, 0.0))
        except TimeoutError:
            said = f"the body did not come within {self._within_s:.0f} seconds"
            raise BodyRefused(408, "too-slow", said) from None
        self._size += len(message.get("body", b""))
        if self._size > limit.most:
            raise _too_large(limit)
        self._is_read = not message.get("more_body", False)
        return message


def _too_large(limit: Body) -> BodyRefused:
    return BodyRefused(413, "too-large", f"at most {limit.most:,} bytes", field="body")


def depth_of(body: bytes) -> int:
    """How deep what may be JSON is nested, in time linear in its size and without recursion."""
    opened = body.count(b"[") + body.count(b"{")
    if opened <= DEEPEST or body.lstrip()[:1] not in (b"{", b"["):
        return min(opened, DEEPEST)
    brackets = _STRING.sub(b"", body).translate(None, _BUT_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


class Throttling:
    """ASGI middleware inside the one that finds out who asks: at most `per_s` requests of each
    tenant in each process, and of all strangers together; 429 says when to come again.
    """

    def __init__(self, app: ASGIApp, per_s: float) -> None:
        self._app = app
        self._buckets = Buckets(per_s, max(1.0, per_s * BURST_S))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, as an ASGI application."""
        if scope["type"] == "http" and not scope["path"].startswith(OPERATIONS):
            caller = scope.get(CALLER)
            key = caller.tenant if caller else _STRANGERS
            if wait_s := self._buckets.take(key, 1, time.monotonic()):
                answer = problem(429, "too-many-requests", "your organisation asks too fast")
                answer.headers["Retry-After"] = str(max(1, ceil(wait_s)))
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)
