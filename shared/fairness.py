"""A fair share of one process for each tenant: who may go on, who waits, who is sent away.

The tenant is that of a caller who is believed. It says nothing about how much a tenant may ask for
in an hour: that is a quota.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Rejected
from shared.http import CALLER, RETRY_AFTER_S, problem

STREAM = b"text/event-stream"
# A tenant has the process to itself when nobody else has asked for so long.
ALONE_AFTER_S = 10.0


class Crowded(Rejected):
    """Too many requests of your organisation are waiting already: try again shortly."""

    slug = "too-many-requests"
    status = 429


@dataclass(frozen=True, slots=True)
class Shares:
    """Requests: `in_flight` of all tenants together; of one of them, `per_tenant` while nobody else
    asks and `beside_others` while somebody does; `waiting` of one beyond that.

    One at a time beside others: what is begun is not interrupted, so whoever comes next waits for
    all of it (docs/decisions/0042).
    """

    in_flight: int = 16
    per_tenant: int = 8
    beside_others: int = 1
    waiting: int = 256


@dataclass(slots=True)
class _Line:
    """One tenant's requests: how many run, and those that wait, the oldest first."""

    running: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Admission:
    """Lets requests in, tenant by tenant in turn. Each step costs the same however many wait.

    Nothing is kept of a tenant that asks for nothing. Belongs to one event loop.
    """

    def __init__(self, shares: Shares, now: Callable[[], float] = time.monotonic) -> None:
        self._shares = shares
        self._now = now
        self._running = 0
        # Who asked last and when, and when anybody else did.
        self._newest, self._newest_s, self._others_s = "", -math.inf, -math.inf
        self._lines: dict[str, _Line] = {}
        # Whose turn it is: tenants that have somebody waiting and may run more.
        self._turns: OrderedDict[str, None] = OrderedDict()

    async def enter(self, tenant: str) -> None:
        """Return when a request of this tenant may run; `leave` has to follow.

        Raises Crowded when too many wait. Cancelled while it waits, it has not entered.
        """
        self._note(tenant)
        line = self._lines.setdefault(tenant, _Line())
        if not line.waiting and self._running < self._shares.in_flight and self._may(tenant, line):
            self._start(line)
            return
        if len(line.waiting) >= self._shares.waiting:
            self._forget(tenant, line)
            raise Crowded
        turn = asyncio.get_running_loop().create_future()
        line.waiting.append(turn)
        self._queue(tenant, line)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(tenant)
            else:
                self._give_up(tenant, line, turn)
            raise

    def leave(self, tenant: str) -> None:
        """A request that had entered is over: whoever's turn it is comes in."""
        line = self._lines[tenant]
        line.running -= 1
        self._running -= 1
        self._queue(tenant, line)
        while self._turns and self._running < self._shares.in_flight:
            self._next()
        self._forget(tenant, line)

    def _note(self, tenant: str) -> None:
        if tenant != self._newest:
            self._newest, self._others_s = tenant, self._newest_s
        self._newest_s = self._now()

    def _may(self, tenant: str, line: _Line) -> bool:
        """Whether one more of the tenant's may run, as far as its own share goes."""
        others_s = self._others_s if tenant == self._newest else self._newest_s
        alone = self._now() - others_s > ALONE_AFTER_S
        return line.running < (self._shares.per_tenant if alone else self._shares.beside_others)

    def _start(self, line: _Line) -> None:
        line.running += 1
        self._running += 1

    def _next(self) -> None:
        tenant, _ = self._turns.popitem(last=False)
        line = self._lines[tenant]
        turn = line.waiting.popleft()
        if not turn.done():
            self._start(line)
            turn.set_result(None)
        self._queue(tenant, line)

    def _queue(self, tenant: str, line: _Line) -> None:
        """At the end of the turns, unless it stands there: nobody's second comes before a first."""
        if line.waiting and self._may(tenant, line):
            self._turns.setdefault(tenant)

    def _give_up(self, tenant: str, line: _Line, turn: asyncio.Future[None]) -> None:
        if turn in line.waiting:
            line.waiting.remove(turn)
        # The line may be over, and the tenant have come again: that one is not ours to end.
        if self._lines.get(tenant) is not line:
            return
        if not line.waiting:
            self._turns.pop(tenant, None)
        self._forget(tenant, line)

    def _forget(self, tenant: str, line: _Line) -> None:
        if not line.running and not line.waiting and self._lines.get(tenant) is line:
            self._lines.pop(tenant, None)


class FairShare:
    """Middleware: a request runs when its tenant's turn has come, or is told when to come again.

    Who has no tenant (health, documents, a refusal) goes past. A live stream gives its place back
    as soon as it is open: it lasts for hours and works for moments.
    """

    def __init__(self, app: ASGIApp, shares: Shares) -> None:
        self._app = app
        self._admission = Admission(shares)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, as an ASGI application."""
        caller = scope.get(CALLER)
        if caller is None:
            await self._app(scope, receive, send)
            return
        tenant = caller.tenant
        try:
            await self._admission.enter(tenant)
        except Crowded as error:
            answer = problem(error.status, error.slug, str(error))
            answer.headers["Retry-After"] = str(RETRY_AFTER_S)
            await answer(scope, receive, send)
            return
        await self._run(tenant, (scope, receive, send))

    async def _run(self, tenant: str, request: tuple[Scope, Receive, Send]) -> None:
        scope, receive, send = request
        inside = True

        async def watched(message: Message) -> None:
            nonlocal inside
            if inside and _opens_stream(message):
                inside = False
                self._admission.leave(tenant)
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            if inside:
                self._admission.leave(tenant)


def _opens_stream(message: Message) -> bool:
    if message["type"] != "http.response.start":
        return False
    named = dict(message.get("headers", ()))
    return bool(named.get(b"content-type", b"").startswith(STREAM))
