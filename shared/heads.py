"""HTTP off the socket, as uvicorn reads it, and bounded: what comes before a body must end.

Bodies are bounded by `shared.limits`, where it is known who asks for what.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Of one request, address included. A token of many groups is some kilobytes.
HEAD_BYTES, MOST_HEADERS = 64 * 1024, 100
HEAD_WITHIN_S = 30.0


class BoundedHttp(HttpToolsProtocol):
    """400 and the end of the connection for a head that is too large, the end alone for one that
    takes longer than HEAD_WITHIN_S.

    A request may drop its connection: closing would wait for a reader who is stuck.
    """

    head_within_s = HEAD_WITHIN_S
    _timer: asyncio.TimerHandle | None = None
    # Of the head that is being read: what was parsed, and what came and was not parsed to its end.
    _parsed = 0
    _arrived = 0
    _is_ended = False
    # A head ended in the bytes at hand: what else is in them may be a body.
    _is_mixed = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "abort": transport.abort}
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._is_ended, self._is_mixed = self._timer is None, False
        super().data_received(data)
        # A header without end reaches none of the methods below; the parser would keep all of it.
        is_read = self._is_ended or self._is_mixed
        self._arrived = 0 if is_read else self._arrived + len(data)
        if self._arrived > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("the head of the request is too large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._parsed = 0
        self._is_ended = False
        if self._timer is None:
            self._wait_for_head()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)
        if len(self.headers) > MOST_HEADERS:
            raise ValueError("too many headers")

    def on_headers_complete(self) -> None:
        self._is_ended = self._is_mixed = True
        self._stop_waiting()
        super().on_headers_complete()

    def _count(self, size: int) -> None:
        self._parsed += size
        if self._parsed > HEAD_BYTES:
            raise ValueError("the head of the request is too large")

    def _wait_for_head(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.head_within_s, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
