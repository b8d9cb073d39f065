"""Which role may call which route: a table per service. Finds nobody out, and knows no rule.

A route's own rules (a member of the pair, oneself) come after it and are finer; none of them is
reached by a role that its line leaves out. A route without a line does not start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import Forbidden, Rejected
from shared.http import Caller, Role, caller_of, problem_of

Roles = frozenset[Role]


# Where a request's scope says what is called before something may be changed (`shared.audit`), and
# that its answer is of no interest to anybody's record.
BEGINS, UNRECORDED = "trustfold.begins", "trustfold.unrecorded"
# And how large a body may be, where it is not the usual (`shared.limits`).
BODY = "trustfold.body"
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Body:
    """A route's body: at most `most` bytes. One that `is_streamed` is counted as it comes and never
    held whole, and whoever reads it looks after its depth.
    """

    most: int = MIB
    is_streamed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """Who may call a route. An `is_open` one checks by itself: by a secret in its address. One that
    is not `is_recorded` shows nothing of anybody and changes nothing.
    """

    roles: Roles
    is_open: bool = False
    is_recorded: bool = True
    body: Body = Body()


def allow(*roles: Role, body: Body = Body()) -> Line:
    """These roles and no other, and bodies of at most that."""
    return Line(frozenset(roles), body=body)


# By one who acts as oneself, in whatever role: what is theirs is decided by who they are.
PEOPLE = allow("participant", "manager", "hr")
EVERYBODY = allow("participant", "manager", "hr", "service")
OPEN = Line(frozenset(), is_open=True)
OPEN_PAGE = Line(frozenset(), is_open=True, is_recorded=False)

# "GET /v1/pairs/{pair_id}" -> who may.
Access = Mapping[str, Line]


async def admit(scope: Scope, line: Line) -> Caller | None:
    """Who is asking, if the line allows them, before anything is read or done; None if it is open.

    Raises SignInNeeded without a caller, Forbidden, and what keeps a change from going on record.
    """
    caller = None
    if not line.is_open:
        caller = caller_of(scope)
        if caller.role not in line.roles:
            raise Forbidden(f"this needs the role {' or '.join(sorted(line.roles))}")
    scope[BODY] = line.body
    if not line.is_recorded:
        scope[UNRECORDED] = True
    elif begins := scope.get(BEGINS):
        await begins(scope)
    return caller


def guarded(app: ASGIApp, line: Line) -> ASGIApp:
    """The app, for those alone whom its line allows: else 401 without a caller, 403 with one."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await admit(scope, line)
        except Rejected as error:
            await problem_of(error)(scope, receive, send)
            return
        await app(scope, receive, send)

    return guard
