"""The cookie in which a browser keeps the token of who signed in. Believes nothing.

No script can read it, no other site can have it sent along, and over TLS no other host can plant
one: that is what the prefix `__Host-` means to a browser (RFC 6265bis 4.1.3).
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.responses import Response

NAME = "__Host-trustfold"
# Without TLS a browser takes no `__Host-` cookie. That is for this machine alone.
LOCAL_NAME = "trustfold"
MOST_S = 12 * 3600
_LOCAL = ("127.0.0.1", "localhost", "[::1]")


def token_in(headers: Headers) -> str | None:
    """The token that a request's cookie holds, if it holds one."""
    try:
        sent = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return None
    name = LOCAL_NAME if _is_local(headers) and NAME not in sent else NAME
    return sent[name].value or None if name in sent else None


def keep(response: Response, token: str, for_s: int, *, secure: bool) -> None:
    """Have the browser keep the token, for no longer than MOST_S."""
    name = NAME if secure else LOCAL_NAME
    response.set_cookie(
        name, token, max_age=min(for_s, MOST_S), path="/", secure=secure, httponly=True,
        samesite="strict",
    )  # fmt: skip


def forget(response: Response, *, secure: bool) -> None:
    """Have the browser forget the token."""
    name = NAME if secure else LOCAL_NAME
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="strict")


def _is_local(headers: Headers) -> bool:
    return headers.get("host", "").rpartition(":")[0].strip() in _LOCAL
