"""Finds a route by the parts of its path instead of asking one after the other. Answers nothing.

FastAPI asks every route whether it matches, and does so twice where routers are included: with
eighty routes that was a quarter of what a request cost (docs/explanation/performance.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from shared.errors import TrustfoldError
from shared.headers import documented
from shared.http import BEARER
from shared.identity.access import Access, Line, guarded

# What a route was declared with, and has to keep under its prefix.
_KEPT = (
    "response_model", "status_code", "tags", "dependencies", "summary", "description",
    "response_description", "responses", "deprecated", "methods", "operation_id", "name",
    "include_in_schema", "response_class", "openapi_extra",
)  # fmt: skip


class AccessUndecided(TrustfoldError):
    """A route has no line in the table of who may call what."""


def include(
    api: FastAPI, routers: Iterable[APIRouter], *, access: Access, prefix: str = ""
) -> None:
    """Add the routers' routes to the API, as `include_router` would, to be found by their parts.

    Each is guarded by its line of the table. To be called once, when every router is complete.
    Raises AccessUndecided when a route has no line.
    """
    for router in routers:
        for route in router.routes:
            assert isinstance(route, APIRoute), f"{route} cannot be included"
            path = prefix + route.path
            line = _line(access, route.methods or set(), path)
            kept = {name: getattr(route, name) for name in _KEPT}
            kept["openapi_extra"] = _described(route, line)
            kept["tags"] = route.tags or [path.split("/")[2]]
            api.add_api_route(path, route.endpoint, **kept)
            added = api.routes[-1]
            assert isinstance(added, APIRoute)
            added.app = guarded(added.app, line)
    known = [route for route in api.routes if isinstance(route, APIRoute)]
    api.router.routes.insert(0, _ByParts(known))


def _line(access: Access, methods: set[str], path: str) -> Line:
    (method,) = methods
    named = f"{method} {path}"
    if named not in access:
        raise AccessUndecided(f"nobody says who may call {named}")
    return access[named]


def _described(route: APIRoute, line: Line) -> dict[str, object]:
    """What FastAPI does not find by itself: headers that are read by hand, and the token."""
    extra = dict(route.openapi_extra or {})
    if headers := documented(route.dependant):
        extra["parameters"] = [*extra.get("parameters", ()), *headers]
    return extra if line.is_open else {**extra, "security": [{BEARER: []}]}


@dataclass(slots=True)
class _Part:
    """Where the parts so far lead: by a word, or by whatever stands in the place of a parameter."""

    words: dict[str, _Part] = field(default_factory=dict)
    any: _Part | None = None
    routes: list[APIRoute] = field(default_factory=list)

    def to(self, part: str) -> _Part:
        """The next part of a route's path, made if it is new."""
        if "{" not in part:
            return self.words.setdefault(part, _Part())
        if self.any is None:
            self.any = _Part()
        return self.any

    def find(self, parts: Sequence[str], at: int = 0) -> Iterator[APIRoute]:
        """The routes that such a path may be for; a word goes before a parameter."""
        if at == len(parts):
            yield from self.routes
            return
        for following in (self.words.get(parts[at]), self.any):
            if following is not None:
                yield from following.find(parts, at + 1)


class _ByParts(BaseRoute):
    """Stands before all routes and hands over to the one that matches.

    Where none does, FastAPI asks each as ever, and finds the words for 404 and 405.
    """

    def __init__(self, routes: Iterable[APIRoute]) -> None:
        self._first = _Part()
        for route in routes:
            if ":path}" not in route.path:  # a parameter of several parts
                part = self._first
                for each in route.path.split("/"):
                    part = part.to(each)
                part.routes.append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether some route takes this request, its method included, and with which parameters."""
        if scope["type"] == "http":
            for route in self._first.find(scope["path"].split("/")):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    return match, found
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route that was found answer."""
        await scope["route"].handle(scope, receive, send)
