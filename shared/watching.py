"""What is noted of every request: its trace, and how long it took. Decides nothing."""

from __future__ import annotations

import time

import structlog
from opentelemetry.trace import Span, Status, StatusCode
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import metrics, tracing
from shared.http import OPERATIONS

ERRORS = 500


class Watching:
    """ASGI middleware around everything. What is served for the cluster alone is not noted."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, as an ASGI application."""
        if scope["type"] != "http" or scope["path"].startswith(OPERATIONS):
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        sent = Headers(scope=scope).get("traceparent")
        with tracing.request(str(scope["method"]), sent) as span:

            async def told(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self._note(scope, span, message["status"], time.monotonic() - started)
                await send(message)

            # Each request is a task of its own, and so is what is bound here.
            structlog.contextvars.bind_contextvars(trace_id=tracing.trace_id(tracing.current()))
            await self._app(scope, receive, told)

    def _note(self, scope: Scope, span: Span, status: int, took_s: float) -> None:
        # The template: what stands in its place may name a person, and there is no end of it.
        route = getattr(scope.get("route"), "path", "none")
        method = str(scope["method"])
        kind = f"{status // 100}xx"
        metrics.REQUEST_SECONDS.labels(self._service, method, route, kind).observe(took_s)
        if span.is_recording():
            span.update_name(f"{method} {route}")
            span.set_attributes(
                {
                    "http.request.method": method,
                    "http.route": route,
                    "http.response.status_code": status,
                }
            )
            if status >= ERRORS:
                span.set_status(Status(StatusCode.ERROR))
