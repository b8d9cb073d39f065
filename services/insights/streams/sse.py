"""Server-sent events: how they are written, and the answer that sends them. Knows no trust.

A connection that takes nothing for too long is cut without a word: its reader resumes by its last
id. The stream ends by itself when its source does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.insights.streams.log import Reader
from shared import metrics
from shared.logging import logger
from shared.postgres.pool import UNAVAILABLE

RETRY_MS = 2_000
OPENING = b"retry: %d\n\n" % RETRY_MS
# A comment, in front of the event that says how fresh what is known is.
HEARTBEAT = b": heartbeat\n"
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    # Proxies of the nginx family keep answers back until they are told not to.
    "X-Accel-Buffering": "no",
}

log = logger("streams")


def frame(event: str, data: bytes, event_id: object | None = None) -> bytes:
    """One event. `data` is one line, as JSON from this network is."""
    named = b"" if event_id is None else b"id: %b\n" % str(event_id).encode()
    return b"%bevent: %b\ndata: %b\n\n" % (named, event.encode(), data)


class EventStream(Response):
    """Sends what a source yields until it ends, the client goes, or the client takes nothing."""

    def __init__(
        self,
        source: AsyncGenerator[bytes, None],
        reader: Reader,
        *,
        send_timeout_s: float,
        ended: Callable[[], None],
    ) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._ended = ended
        self._source = source
        self._reader = reader
        self._send_timeout_s = send_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, as an ASGI application."""
        watching = asyncio.create_task(_close_when_gone(receive, self._reader))
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            async with aclosing(self._source) as chunks:
                async for chunk in chunks:
                    async with asyncio.timeout(self._send_timeout_s):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            metrics.STREAMS_CUT.inc()
            _abort(scope)
        except UNAVAILABLE as error:
            log.warning("stream ended", action="cut", error=type(error).__name__)
            _abort(scope)
        finally:
            self._ended()
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


async def _close_when_gone(receive: Receive, reader: Reader) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    reader.close()


def _abort(scope: Scope) -> None:
    """Drop the connection with all that is in its buffers: the other side does not read them."""
    state: dict[str, Any] = scope.get("state", {})
    abort: Callable[[], None] | None = state.get("abort")
    if abort is not None:
        abort()
