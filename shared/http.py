"""HTTP as every service does it: who is calling, errors as problem+json, limits. No business rules.

Identity comes from three headers that the gateway in front of the services sets after it has
authenticated the caller; services listen on loopback unless told otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Literal, cast, get_args

from fastapi import Depends, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Forbidden, Rejected, Retryable
from shared.events.fact import OPAQUE
from shared.headers import HeaderField
from shared.ids import PersonId, TenantId
from shared.postgres.pool import UNAVAILABLE

Role = Literal["participant", "manager", "hr", "service"]
PROBLEM = "application/problem+json"
PROBLEM_URN = "urn:trustfold:problem:"
RETRY_AFTER_S = 2
# RFC 9457, as `problem` makes it. In the place of FastAPI's own shape, which no answer has.
_SHAPE: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "pattern": f"^{PROBLEM_URN}[a-z0-9-]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "allowed": {"type": "array", "items": {"type": "string"}},
    },
    "additionalProperties": False,
}
_CONTENT = {PROBLEM: {"schema": _SHAPE}}
REFUSED: dict[str, Any] = {"description": "Refused; `detail` says why.", "content": _CONTENT}
AWAY: dict[str, Any] = {"description": "Try again shortly.", "content": _CONTENT}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: every query is limited to `tenant`."""

    tenant: TenantId
    person: PersonId
    role: Role

    def require(self, *roles: Role) -> None:
        """Raise Forbidden unless the caller has one of `roles`."""
        if self.role not in roles:
            raise Forbidden(f"this needs the role {' or '.join(roles)}")


# The same three for those who read their headers by hand.
CALLER = (
    HeaderField("X-Tenant", re.compile(r"[A-Za-z0-9_-]{1,64}"), required=True),
    HeaderField("X-Person", re.compile(str(OPAQUE.pattern).strip("^$")), required=True),
    HeaderField("X-Role", re.compile("|".join(get_args(Role)))),
)


def caller_of(sent: Mapping[str, str]) -> Caller:
    """Who is asking, of the headers CALLER as `read` found them."""
    role = cast("Role", sent.get("X-Role", "participant"))
    return Caller(TenantId(sent["X-Tenant"]), PersonId(sent["X-Person"]), role)


async def _caller(
    tenant: Annotated[str, Header(alias="X-Tenant", pattern=r"^[A-Za-z0-9_-]{1,64}$")],
    person: Annotated[str, Header(alias="X-Person", pattern=OPAQUE.pattern)],
    role: Annotated[Role, Header(alias="X-Role")] = "participant",
) -> Caller:
    return Caller(TenantId(tenant), PersonId(person), role)


Authenticated = Annotated[Caller, Depends(_caller)]


def new_api(service: str, summary: str) -> FastAPI:
    """A FastAPI app whose every error is problem+json (RFC 9457) and names the field."""
    app = FastAPI(
        title=f"Trustfold {service}",
        summary=summary,
        version="1",
        docs_url="/docs",
        responses={"4XX": REFUSED, 503: AWAY},
    )
    app.add_exception_handler(Rejected, _rejected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    away: tuple[type[Exception], ...] = (Retryable, *UNAVAILABLE)
    for error in away:
        app.add_exception_handler(error, _unavailable)
    return app


def problem(
    status: int,
    slug: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    allowed: Sequence[str] | None = None,
) -> JSONResponse:
    """A problem+json answer; `errors` lists {field, message}, `allowed` what could be done."""
    body: dict[str, object] = {
        "type": PROBLEM_URN + slug,
        "title": slug.replace("-", " "),
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    if allowed is not None:
        body["allowed"] = list(allowed)
    return JSONResponse(body, status, media_type=PROBLEM)


class EntityTags:
    """Middleware: a strong ETag on answers to GET that are sent whole, and 304 to who has the body.

    What is asked again and again need not be sent again. Answers may stay `no-store`: that is said
    to caches, and the caller may remember what it was told.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, as an ASGI application."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        start: Message = {}

        async def tag(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _whole(message):
                start = message
                return
            if start:
                body = message.get("body", b"")
                named = f'"{sha256(body).hexdigest()[:32]}"'
                headers = MutableHeaders(scope=start)
                headers["ETag"] = named
                if _matches(Headers(scope=scope).get("if-none-match"), named):
                    start = {**start, "status": 304}
                    del headers["content-length"]
                    message = {**message, "body": b""}
                await send({**start, "headers": headers.raw})
                start = {}
            await send(message)

        await self._app(scope, receive, tag)


def _whole(start: Message) -> bool:
    """Whether the body comes in one piece, and nobody has named it yet."""
    headers = Headers(scope=start)
    return start["status"] == 200 and "content-length" in headers and "etag" not in headers


def _matches(if_none_match: str | None, tag: str) -> bool:
    # RFC 9110 13.1.2: compared weakly, and * is any.
    tags = [each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")]
    return tag in tags or "*" in tags


async def _rejected(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Rejected)
    named = [{"field": error.field, "message": str(error)}] if error.field else None
    return problem(error.status, error.slug, str(error), errors=named, allowed=error.allowed)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    named = [
        {"field": ".".join(str(part) for part in item["loc"]), "message": str(item["msg"])}
        for item in error.errors()
    ]
    fields = ", ".join(item["field"] for item in named)
    return problem(422, "invalid-request", f"check {fields}", errors=named)


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, f"http-{error.status_code}", str(error.detail))


async def _unavailable(_: Request, __: Exception) -> JSONResponse:
    answer = problem(503, "unavailable", "something we depend on is away; try again shortly")
    answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer
