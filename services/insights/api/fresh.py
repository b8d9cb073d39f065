"""On every answer under /v1/: how fresh it is, and that nobody on the way may keep it.

What is about people is not written to a browser's disk, nor kept by a proxy; a route that may be
kept says so itself. Whoever asks again names the ETag of what they were told.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.insights.freshness import Freshness
from shared.http import CALLER

PREFIX = "/v1/"


class FreshAnswers:
    """Middleware that adds `Trustfold-As-Of` and `Trustfold-Events-Behind`."""

    def __init__(self, app: ASGIApp, freshness: Freshness) -> None:
        self._app = app
        self._freshness = freshness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, as an ASGI application."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        # Asked before the answer is made: it is at least as fresh as this.
        caller = scope.get(CALLER)
        fresh = await self._freshness.of(caller.role if caller else "")

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Cache-Control", "no-store")
                message["headers"] = [*headers.raw, *fresh.headers()]
            await send(message)

        await self._app(scope, receive, say)
