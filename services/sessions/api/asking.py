"""What every route begins with: who asks, when, and for which revision; the cursor of a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeAlias, TypeVar
from uuid import UUID

from fastapi import Depends, Request, Response

from services.sessions.domain.thing import AThing
from services.sessions.handlers.common import Ask
from services.sessions.queries.history import After, Entry
from shared.clock import Clock
from shared.errors import Rejected
from shared.headers import HeaderField, read, reads
from shared.http import CALLER, Caller, caller_of

Shape = TypeVar("Shape")

_KEY = HeaderField(
    "Idempotency-Key",
    re.compile(r"[\x21-\x7e]{1,128}"),
    "the same key for a retry: nothing happens a second time",
)
_MATCH = HeaderField(
    "If-Match",
    re.compile(r'"[0-9]{1,9}"'),
    "the ETag you read: refused with 412 when it has changed since",
)
_ASKED = (*CALLER, _KEY, _MATCH)


class MatchRequired(Rejected):
    """This overwrites what somebody may have changed: send the ETag you read as If-Match."""

    slug = "match-required"
    status = 428


@dataclass(frozen=True, slots=True)
class Asking:
    """One request: who calls, `ask` for the handler, the answer's headers."""

    caller: Caller
    ask: Ask
    response: Response

    def answer(self, shape: Callable[[AThing], Shape], thing: AThing) -> Shape:
        """The thing in its shape, its revision as the answer's ETag."""
        self.response.headers["ETag"] = f'"{thing.revision}"'
        return shape(thing)

    def require_match(self) -> Ask:
        """The ask, for what overwrites. Raises MatchRequired without an If-Match."""
        if self.ask.if_match is None:
            raise MatchRequired
        return self.ask


@reads(*_ASKED)
async def _asked(request: Request, response: Response) -> Asking:
    clock: Clock = request.app.state.clock
    sent = read(request, _ASKED)
    caller, seen = caller_of(sent), sent.get(_MATCH.name)
    revision = int(seen.strip('"')) if seen else None
    key = sent.get(_KEY.name)
    ask = Ask(caller.tenant, caller.person, clock.now(), caller.role, key, revision)
    return Asking(caller, ask, response)


@reads(*CALLER)
async def _reading(request: Request, response: Response) -> Asking:
    clock: Clock = request.app.state.clock
    caller = caller_of(read(request, CALLER))
    ask = Ask(caller.tenant, caller.person, clock.now(), caller.role)
    return Asking(caller, ask, response)


# Both read the clock once per request, and pass it on with the caller.
Asked: TypeAlias = Annotated[Asking, Depends(_asked)]
Reading: TypeAlias = Annotated[Asking, Depends(_reading)]


def write_cursor(entry: Entry | After) -> str:
    """The cursor of the page after `entry`."""
    return f"{entry.occurred_at.isoformat().replace('+00:00', 'Z')}_{entry.event_id}"


def read_cursor(cursor: str | None) -> After | None:
    """Where a page goes on. Raises Rejected for what is no cursor of ours."""
    if cursor is None:
        return None
    at, _, event_id = cursor.partition("_")
    try:
        after = After(datetime.fromisoformat(at), UUID(event_id))
    except ValueError:
        raise Rejected("not a cursor of this history", field="cursor") from None
    if after.occurred_at.tzinfo is None:
        raise Rejected("not a cursor of this history", field="cursor")
    return after
