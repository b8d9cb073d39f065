"""What every route begins with: who asks, when, under which key and for which revision."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol, TypeAlias, TypeVar

from fastapi import Depends, Request, Response

from shared.clock import Clock
from shared.errors import Rejected
from shared.headers import HeaderField, read, reads
from shared.http import ROLE, Caller, Role, caller_of
from shared.ids import PersonId, TenantId


class Revised(Protocol):
    """Something that counts its changes, from 1."""

    @property
    def revision(self) -> int: ...


AThing = TypeVar("AThing", bound=Revised)
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
_SENT = (_KEY, _MATCH)


class MatchRequired(Rejected):
    """This overwrites what somebody may have changed: send the ETag you read as If-Match."""

    slug = "match-required"
    status = 428


class Moved(Rejected):
    """It has changed since you read it: read it again, then decide."""

    slug = "changed-meanwhile"
    status = 412


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks, and when. `key` makes a retry the same request; `if_match` is the revision that
    the one who asks has seen, where they said so. `judging` is for a manager who settles what the
    two sides could not.
    """

    tenant: TenantId
    person: PersonId
    now: datetime
    role: Role = "participant"
    key: str | None = None
    if_match: int | None = None
    judging: bool = False

    def require_unmoved(self, thing: Revised) -> None:
        """Raise Moved when they have seen another revision of it."""
        if self.if_match not in (None, thing.revision):
            raise Moved


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


@reads(ROLE, *_SENT)
async def _asked(request: Request, response: Response) -> Asking:
    clock: Clock = request.app.state.clock
    caller, sent = caller_of(request.scope), read(request, _SENT)
    seen = sent.get(_MATCH.name)
    revision = int(seen.strip('"')) if seen else None
    key = sent.get(_KEY.name)
    ask = Ask(caller.tenant, caller.person, clock.now(), caller.role, key, revision)
    return Asking(caller, ask, response)


@reads(ROLE)
async def _reading(request: Request, response: Response) -> Asking:
    clock: Clock = request.app.state.clock
    caller = caller_of(request.scope)
    ask = Ask(caller.tenant, caller.person, clock.now(), caller.role)
    return Asking(caller, ask, response)


# Both read the clock once per request, and pass it on with the caller.
Asked: TypeAlias = Annotated[Asking, Depends(_asked)]
Reading: TypeAlias = Annotated[Asking, Depends(_reading)]
