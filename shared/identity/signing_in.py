"""Finds out who is asking, before anything else is done with a request. Decides on no route.

The caller is put into the ASGI scope, where `shared.http.caller_of` finds it. A request without a
token goes on without a caller: routes are closed to it unless their table says otherwise.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import Forbidden, Retryable
from shared.http import CALLER, ROLE, problem_of, unavailable
from shared.identity.tokens import BadToken, Tokens

_SCHEME = "bearer "


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
            sent = headers.get("authorization")
            if sent is not None:
                try:
                    scope[CALLER] = await self._caller(sent, headers.get(ROLE.name))
                except (BadToken, Forbidden) as error:
                    await problem_of(error)(scope, receive, send)
                    return
                except Retryable:
                    await unavailable()(scope, receive, send)
                    return
        await self._app(scope, receive, send)

    async def _caller(self, sent: str, role: str | None) -> object:
        if sent[: len(_SCHEME)].lower() != _SCHEME:
            raise BadToken("send a bearer token")
        grant = await self._tokens.grant(sent[len(_SCHEME) :].strip())
        return grant.caller(role)
