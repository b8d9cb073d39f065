"""The SCIM endpoint: who calls, what may be sent, every answer in SCIM's form. Holds no rule.

Errors say which attribute is wrong; what went wrong on our side is logged without what was sent.
"""

from __future__ import annotations

import traceback
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import orjson
from pydantic import ValidationError
from scim2_models import (
    Error,
    Group,
    InvalidValueException,
    PatchOp,
    PatchOperation,
    PayloadTooLargeException,
    Reference,
    Resource,
    SCIMException,
)
from scim2_server.applications.base import BaseApplication
from scim2_server.conditions import Conditions
from scim2_server.handler import AsyncScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.service import ScimService
from starlette.types import Receive, Scope, Send

from services.matching.access import PROVISIONING
from services.matching.scim.compat import understood, with_places_for_adds
from services.matching.scim.rules import ScimRules
from services.matching.scim.schemas import MAX_BODY_BYTES, PROVIDER
from services.matching.scim.storage import PostgresStorage
from shared.asking import Ask
from shared.clock import Clock
from shared.errors import Rejected, Retryable
from shared.http import RETRY_AFTER_S, BodyRefused, Caller, challenge
from shared.identity.access import admit
from shared.logging import logger
from shared.postgres.pool import UNAVAILABLE, Pool

log = logger("scim")
AWAY: tuple[type[Exception], ...] = (Retryable, *UNAVAILABLE)
_WITH_BODY = ("POST", "PUT", "PATCH")


class _Service(ScimService):
    """The library's, and what directories send that it does not take."""

    def apply_patch(
        self, current: Resource[Any], patch_op: PatchOp[Any], conditions: Conditions
    ) -> Resource[Any] | None:
        """As the library, with a place for what is added."""
        self.check_preconditions(current, "PATCH", conditions)
        add = PatchOperation.Op.add
        added = [str(each.path) for each in patch_op.operations or () if each.op == add]
        changed = with_places_for_adds(current, added)
        return changed if patch_op.patch(changed) else None

    def publish(self, base_url: str, resource: Resource[Any]) -> Resource[Any]:
        """As the library, without a look at every attribute: only members refer by a path here."""
        assert resource.meta is not None
        kind = self.get_resource_type_of(resource)
        location = self.resource_location(base_url, kind, str(resource.id))
        published = resource.model_copy()
        published.meta = resource.meta.model_copy(update={"location": location})
        if isinstance(published, Group):
            for each in published.members or ():
                each.ref = Reference(self.reference_location(base_url, str(each.ref)))
        return published

    def read_body(self, model: Any, body: bytes, content_type: str | None, scim_ctx: Any) -> Any:
        """As the library; an error names the attribute."""
        self.ensure_json(content_type)
        try:
            return model.model_validate_json(body, scim_ctx=scim_ctx)
        except ValidationError as error:
            raise _named(error) from error

    @staticmethod
    def error_of(exception: Exception) -> Error:
        """The error in SCIM's form, of our own errors too; of a fault of ours it says nothing."""
        if isinstance(exception, Rejected):
            kind = "invalidValue" if exception.status == HTTPStatus.UNPROCESSABLE_ENTITY else None
            return Error(
                status=400 if kind else exception.status, scim_type=kind, detail=str(exception)
            )
        if isinstance(exception, BodyRefused):
            return Error(status=exception.status_code, detail=str(exception.detail))
        if isinstance(exception, AWAY):
            return Error(status=503, detail="something we depend on is away; try again shortly")
        return ScimService.error_of(exception)


def _named(error: ValidationError) -> SCIMException:
    first = error.errors()[0]
    said = Error.from_validation_errors(error)[0]
    where = ".".join(str(part) for part in first["loc"])
    if where and where not in str(said.detail):
        said.detail = f"{where}: {said.detail}"
    return SCIMException.from_error(said)


class ScimDoor(BaseApplication):
    """An ASGI application, to be mounted where directories expect it."""

    def __init__(self, pool: Pool, clock: Clock, rules: ScimRules) -> None:
        super().__init__(PROVIDER, _Service(PROVIDER))
        self._pool = pool
        self._clock = clock
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a connection that is no request is closed."""
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        request = _request(scope)
        try:
            caller = await admit(scope, PROVISIONING)
            assert caller is not None
            request.body = await _body(receive)
            response = await self._answer(request, caller)
        except Exception as error:
            response = self.handle_exception(request, error)
        await _send(self.finalize_response(request, response), send)

    async def _answer(self, request: ScimRequest, caller: Caller) -> ScimResponse:
        if request.body and request.method in _WITH_BODY:
            try:
                request.body = understood(request.body)
            except ValueError as error:
                raise InvalidValueException(detail=str(error)) from None
        ask = Ask(caller.tenant, caller.person, self._clock.now(), caller.role)
        storage = PostgresStorage(self._pool, ask, self._rules)
        return await AsyncScimHandler(self.service, storage).handle(request)

    def handle_exception(self, _: ScimRequest, exception: Exception) -> ScimResponse:
        """The error's answer; a fault of ours is logged by where it was, not by what was sent."""
        known = (SCIMException, Rejected, BodyRefused, *AWAY)
        if not isinstance(exception, known):
            last = traceback.extract_tb(exception.__traceback__)[-1]
            where = f"{last.filename.rpartition('/')[2]}:{last.lineno}"
            log.error("failed", action="scim", error=type(exception).__name__, where=where)
        response = self.service.error_response(exception)
        if response.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            response.headers["Retry-After"] = str(RETRY_AFTER_S)
        if response.status == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = challenge()
        return response

    def finalize_response(self, _: ScimRequest, response: ScimResponse) -> ScimResponse:
        """No cache keeps what is about people."""
        response.headers["Cache-Control"] = "no-store"
        return response


def _request(scope: Scope) -> ScimRequest:
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    ]
    host = dict(headers).get("host") or "{}:{}".format(*(scope.get("server") or ("localhost", 80)))
    root = str(scope.get("root_path", ""))
    path = str(scope["path"]).removeprefix(root).removesuffix(".scim")
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    base = f"{scope['scheme']}://{host}{root}"
    return ScimRequest(scope["method"], base, path, query, headers)


async def _body(receive: Receive) -> bytes:
    """What was sent. Raises PayloadTooLargeException beyond MAX_BODY_BYTES."""
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            raise PayloadTooLargeException(detail=f"more than {MAX_BODY_BYTES} bytes")
        more = message.get("more_body", False)
    return b"".join(parts)


async def _send(response: ScimResponse, send: Send) -> None:
    body = b"" if response.body is None else orjson.dumps(response.body)
    headers = [(name.lower().encode(), value.encode()) for name, value in response.headers.items()]
    if response.status != HTTPStatus.NO_CONTENT:
        headers.append((b"content-length", str(len(body)).encode()))
    start = {"type": "http.response.start", "status": int(response.status), "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})
