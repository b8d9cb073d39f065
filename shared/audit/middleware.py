"""Puts every request that names, shows or changes something on record before it is answered.

Reads are one line, written before the first byte of the answer. Changes are two: that it begins,
before the handler runs, so that one that was killed between commit and answer is on record; and how
it went. Who may do what is decided elsewhere, and what is refused is on record as well.
"""

from __future__ import annotations

import re
import time
from uuid import UUID

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import metrics
from shared.audit.line import NOBODY, Line
from shared.audit.recording import Recorder, Unrecorded
from shared.clock import Clock
from shared.events.fact import OPAQUE
from shared.http import CALLER, OPERATIONS, Caller, unavailable
from shared.identity.access import BEGINS, UNRECORDED
from shared.ids import new_id
from shared.rate import Buckets

REQUEST_ID = "Trustfold-Request"
SIGN_IN = "(sign-in)"
_ERRORS = 400
_READS = ("GET", "HEAD", "OPTIONS")
# Answers of a request that reached no route, and of one that was turned away unread.
_NOTHING = (400, 404, 405, 413, 429, 431, 503)
_ID = re.compile(str(OPAQUE.pattern).strip("^$"))
# Something stood there that is no id, so it may be anything.
NO_ID = "-"
# Lines a second and at once of callers that nobody knows: else whoever can reach the port could
# fill the disk. A refusal above it, which shows nothing, is counted and not written; what would
# change something is refused.
STRANGERS_PER_S, STRANGERS_AT_ONCE = 20.0, 200.0


class _Withheld(Exception):
    """The answer must not be sent: ends whatever was going to send it."""


class Auditing:
    """ASGI middleware around everything that finds out who asks."""

    def __init__(self, app: ASGIApp, recorder: Recorder, clock: Clock) -> None:
        self._app, self._recorder, self._clock = app, recorder, clock
        self._strangers = Buckets(STRANGERS_PER_S, STRANGERS_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, as an ASGI application; 503 where it cannot be put on record."""
        if scope["type"] != "http" or scope["path"].startswith(OPERATIONS):
            await self._app(scope, receive, send)
            return
        request, begun, is_withheld = new_id(), False, False

        async def begin(scope: Scope) -> None:
            nonlocal begun
            if scope["method"] not in _READS:
                if CALLER not in scope and self._is_too_much():
                    raise Unrecorded
                await self._recorder.write(self._line(scope, request, None))
                begun = True

        async def answer(message: Message) -> None:
            nonlocal is_withheld
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[REQUEST_ID] = str(request)
                try:
                    await self._record(scope, request, message["status"], begun=begun)
                except Unrecorded:
                    is_withheld = True
                    raise _Withheld from None
            await send(message)

        scope[BEGINS] = begin
        try:
            await self._app(scope, receive, answer)
        except Exception:
            if not is_withheld:
                raise
            await unavailable()(scope, receive, send)

    async def _record(self, scope: Scope, request: UUID, status: int, *, begun: bool) -> None:
        line = self._line(scope, request, status)
        if begun:
            # Who did what is on record: how it went need not be waited for.
            self._recorder.note(line)
        elif self._is_told(scope, status):
            await self._recorder.write(line)

    def _is_told(self, scope: Scope, status: int) -> bool:
        if scope.get(UNRECORDED):
            return False
        if "route" not in scope and status in _NOTHING:
            return False
        return CALLER in scope or status < _ERRORS or not self._is_too_much()

    def _is_too_much(self) -> bool:
        """Whether strangers have had their lines for now."""
        if self._strangers.take("", 1, time.monotonic()):
            metrics.AUDIT_STRANGERS.inc()
            return True
        return False

    def _line(self, scope: Scope, request: UUID, status: int | None) -> Line:
        caller: Caller | None = scope.get(CALLER)
        route = getattr(scope.get("route"), "path", None)
        return Line(
            tenant=caller.tenant if caller else NOBODY,
            at=self._clock.now(),
            request=request,
            person=caller.person if caller else "",
            role=caller.role if caller else "",
            method=scope["method"],
            route=route or scope.get("root_path") or SIGN_IN,
            # Without a caller what stands in a path is a secret, or anything at all.
            ids=_ids(scope) if caller else (),
            status=status,
        )


def _ids(scope: Scope) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, str(value) if _ID.fullmatch(str(value)) else NO_ID)
        for name, value in scope.get("path_params", {}).items()
    )
