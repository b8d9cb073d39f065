"""Finds out who is asking, before anything else is done with a request. Decides on no route.

The caller is put into the ASGI scope, where `shared.http.caller_of` finds it. A request without a
token goes on without a caller: routes are closed to it unless their table says otherwise.

A browser that signed in on a page of ours sends its token as a cookie. That is believed only of a
request that the browser itself says comes from our own pages (`Sec-Fetch-Site`, which no script can
set): no other site can have somebody's browser ask in their name.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from shared.errors import Forbidden, Retryable
from shared.http import CALLER, ROLE, problem_of, unavailable
from shared.identity import cookies
from shared.identity.tokens import BadToken, Grant, Tokens

_SCHEME = "bearer "
# Where all that the token grants stands in a request's scope.
GRANT = "trustfold.grant"


class SigningIn:
    """ASGI middleware: `Authorization: Bearer <token>` becomes the request's caller.

    A token that is not believed is answered with 401, whatever the route (RFC 6750 section 3);
    503 while the provider's keys cannot be had.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app, self._tokens = app, tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, as an ASGI application."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            try:
                grant = await self._grant(headers)
                if grant is not None:
                    scope[GRANT] = grant
                    caller = scope[CALLER] = grant.caller(headers.get(ROLE.name))
                    bind_contextvars(tenant=caller.tenant)
            except (BadToken, Forbidden) as error:
                await problem_of(error)(scope, receive, send)
                return
            except Retryable:
                await unavailable()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _grant(self, headers: Headers) -> Grant | None:
        sent = headers.get("authorization")
        if sent is None:
            return await self._grant_of_cookie(headers)
        if sent[: len(_SCHEME)].lower() != _SCHEME:
            raise BadToken("send a bearer token")
        return await self._tokens.grant(sent[len(_SCHEME) :].strip())

    async def _grant_of_cookie(self, headers: Headers) -> Grant | None:
        if headers.get("sec-fetch-site") != "same-origin":
            return None
        token = cookies.token_in(headers)
        try:
            return None if token is None else await self._tokens.grant(token)
        except BadToken:
            # A browser sends what it has, even to the page on which one signs in anew.
            return None
