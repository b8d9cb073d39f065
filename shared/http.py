"""HTTP as every service does it: who is calling, errors as problem+json. No business rules.

Who calls is found out by `shared.identity` before a request gets here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Annotated, Any, Literal, get_args

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Forbidden, Rejected, Retryable
from shared.events.fact import OPAQUE
from shared.headers import HeaderField, reads
from shared.ids import PersonId, TenantId
from shared.postgres.pool import UNAVAILABLE

Role = Literal["participant", "manager", "hr", "service"]
PROBLEM = "application/problem+json"
# What is served beside the API, for the cluster and for developers: it tells nothing of anybody.
OPERATIONS = ("/health/", "/metrics", "/docs", "/openapi.json")
PROBLEM_URN = "urn:trustfold:problem:"
RETRY_AFTER_S = 2
UNAUTHORIZED = 401
BEARER = "bearer"
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


class SignInNeeded(Rejected):
    """Say who you are: send a bearer token of your identity provider."""

    slug = "sign-in-needed"
    status = 401


class BodyRefused(HTTPException):
    """A body that is not read further: too large, too slow or too deep."""

    def __init__(self, status: int, slug: str, detail: str, *, field: str | None = None) -> None:
        super().__init__(status, detail)
        self.slug, self.field = slug, field


# Where the caller stands in a request's scope, once `shared.identity` knows them.
CALLER = "trustfold.caller"
ROLE = HeaderField(
    "Trustfold-Role",
    re.compile("|".join(get_args(Role))),
    "act in this one of your roles; without it, in the least of them",
)
_TENANT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PERSON = re.compile(str(OPAQUE.pattern).strip("^$"))


def caller_of(scope: Scope) -> Caller:
    """Who is asking. Raises SignInNeeded when nobody said so."""
    caller = scope.get(CALLER)
    if caller is None:
        raise SignInNeeded
    assert isinstance(caller, Caller)
    return caller


def read_tenant(said: object) -> TenantId | None:
    """A tenant's id, if it is one."""
    return TenantId(said) if isinstance(said, str) and _TENANT.fullmatch(said) else None


def read_person(said: object) -> PersonId | None:
    """A person's id, if it is one."""
    return PersonId(said) if isinstance(said, str) and _PERSON.fullmatch(said) else None


@reads(ROLE)
async def _caller(request: Request) -> Caller:
    return caller_of(request.scope)


Authenticated = Annotated[Caller, Depends(_caller)]


def new_api(service: str, summary: str) -> FastAPI:
    """A FastAPI app whose every error is problem+json (RFC 9457) and names the field."""
    app = FastAPI(
        title=f"Trustfold {service}",
        summary=summary,
        version="1",
        docs_url="/docs",
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        responses={"4XX": REFUSED, 503: AWAY},
    )
    app.add_exception_handler(Rejected, _rejected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    away: tuple[type[Exception], ...] = (Retryable, *UNAVAILABLE)
    for error in away:
        app.add_exception_handler(error, _unavailable)
    app.add_exception_handler(Exception, _failed)
    app.openapi = partial(_document, app)  # type: ignore[method-assign]
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    """The API's description, with how one signs in."""
    said = FastAPI.openapi(app)
    said.setdefault("components", {})["securitySchemes"] = {
        BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    return said


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


def problem_of(error: Rejected) -> JSONResponse:
    """A rejection as problem+json; one for want of a token says how to send it (RFC 6750)."""
    named = [{"field": error.field, "message": str(error)}] if error.field else None
    answer = problem(error.status, error.slug, str(error), errors=named, allowed=error.allowed)
    if error.status == UNAUTHORIZED:
        # What was sent and is wrong is named; to who sent nothing, only the way is.
        wrong = None if isinstance(error, SignInNeeded) else str(error)
        answer.headers["WWW-Authenticate"] = challenge(wrong)
    return answer


def challenge(wrong: str | None = None) -> str:
    """What `WWW-Authenticate` says: how to sign in, and what is wrong with the token that came."""
    said = f', error="invalid_token", error_description="{wrong}"' if wrong else ""
    return f'Bearer realm="trustfold"{said}'


async def _rejected(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Rejected)
    return problem_of(error)


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
    if isinstance(error, BodyRefused):
        named = [{"field": error.field, "message": error.detail}] if error.field else None
        answer = problem(error.status_code, error.slug, error.detail, errors=named)
        answer.headers["Connection"] = "close"  # nobody will read the rest
        return answer
    return problem(error.status_code, f"http-{error.status_code}", str(error.detail))


async def _unavailable(_: Request, __: Exception) -> JSONResponse:
    return unavailable()


async def _failed(_: Request, __: Exception) -> JSONResponse:
    return failed()


def failed() -> JSONResponse:
    """500: nothing is said of what it was."""
    return problem(500, "failed", "this should not have happened; the operators' log says where")


def unavailable() -> JSONResponse:
    """503: to be asked again in RETRY_AFTER_S."""
    answer = problem(503, "unavailable", "something we depend on is away; try again shortly")
    answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer
