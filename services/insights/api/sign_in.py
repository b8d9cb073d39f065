"""Signing in on the page: to the identity provider and back, who one is, and out again.

What is begun is kept in the browser alone, in a cookie that no script can read: any process can
finish what another one began.
"""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel
from starlette.responses import RedirectResponse, Response

from services.insights.signing_in import Providers
from shared.errors import Rejected
from shared.http import Role
from shared.identity import cookies
from shared.identity.code_flow import Begun
from shared.identity.signing_in import GRANT
from shared.identity.tokens import Grant

BEGUN = "trustfold_begun"
BEGUN_S = 600
BACK = "/signed-in"
SEE_OTHER, NO_CONTENT = 303, 204
MOST_CHARS = 2_000

Text = Annotated[str | None, Query(max_length=MOST_CHARS)]


class Session(BaseModel):
    """Who is signed in, in which roles, until when."""

    tenant: str
    person: str
    roles: list[Role]
    until: AwareDatetime


def build_router(providers: Providers) -> APIRouter:
    """The routes beside /v1/ that a browser is sent to."""
    router = APIRouter(tags=["page"])
    _there_and_back(router, providers)

    @router.get("/session", responses={NO_CONTENT: {"description": "Nobody is signed in."}})
    async def session(request: Request, response: Response) -> Session | None:
        """Who is signed in, if anybody is."""
        grant = request.scope.get(GRANT)
        if not isinstance(grant, Grant):
            response.status_code = NO_CONTENT
            return None
        until = datetime.fromtimestamp(grant.expires_s, UTC)
        return Session(
            tenant=grant.tenant, person=grant.person, roles=sorted(grant.roles), until=until
        )

    @router.post("/sign-out", status_code=NO_CONTENT)
    async def sign_out() -> Response:
        """Have the browser forget who signed in."""
        response = Response(status_code=NO_CONTENT)
        cookies.forget(response, secure=providers.secure)
        return response

    return router


def _there_and_back(router: APIRouter, providers: Providers) -> None:
    @router.get("/sign-in", status_code=SEE_OTHER, response_class=RedirectResponse)
    async def sign_in(tenant: Text = None, to: Text = None) -> Response:
        """Go to the identity provider of an organisation; there is no need to name an only one."""
        begun = await providers.flow(tenant).begin()
        response = _on_to(begun.url)
        _remember(response, begun, tenant, _own(to), secure=providers.secure)
        return response

    @router.get(BACK, status_code=SEE_OTHER, response_class=RedirectResponse)
    async def signed_in(
        request: Request, state: Text = None, code: Text = None, error: Text = None
    ) -> Response:
        """Back from the provider: keep the token, and go on to where one wanted to go."""
        found = _remembered(request.cookies.get(BEGUN, ""))
        if found is None or state is None or not secrets.compare_digest(state, found["state"]):
            return _failed("stale")
        if code is None or error is not None:
            return _failed("refused")
        try:
            token, for_s = await _finish(providers, found, code)
        except Rejected as refused:
            return _failed("away" if refused.status == 503 else "refused")
        response = _on_to(_own(found["to"]))
        cookies.keep(response, token, for_s, secure=providers.secure)
        response.delete_cookie(BEGUN, path=BACK)
        return response


async def _finish(providers: Providers, found: dict[str, str], code: str) -> tuple[str, int]:
    done = await providers.flow(found["tenant"] or None).finish(code, found["verifier"])
    return done.token, done.for_s


def _on_to(url: str) -> Response:
    response = RedirectResponse(url, SEE_OTHER)
    response.headers["Cache-Control"] = "no-store"
    return response


def _failed(why: str) -> Response:
    response = _on_to(f"/?sign-in={why}")
    response.delete_cookie(BEGUN, path=BACK)
    return response


def _own(to: str | None) -> str:
    """Where to go on to, if that is a place of ours; else the beginning."""
    parts = urlsplit(to or "")
    ours = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    # A browser takes a backslash for a slash, and two of them for another host.
    return to if to and ours and "\\" not in to and not to.startswith("//") else "/"


def _remember(
    response: Response, begun: Begun, tenant: str | None, to: str, *, secure: bool
) -> None:
    kept = {"state": begun.state, "verifier": begun.verifier, "tenant": tenant or "", "to": to}
    value = urlsafe_b64encode(json.dumps(kept).encode()).decode()
    # Lax: the way back begins at the provider's.
    response.set_cookie(
        BEGUN, value, max_age=BEGUN_S, path=BACK, secure=secure, httponly=True, samesite="lax"
    )


def _remembered(value: str) -> dict[str, str] | None:
    try:
        found = json.loads(urlsafe_b64decode(value))
    except ValueError:
        return None
    wanted = {"state", "verifier", "tenant", "to"}
    if not isinstance(found, dict) or set(found) != wanted:
        return None
    return found if all(isinstance(each, str) for each in found.values()) else None
