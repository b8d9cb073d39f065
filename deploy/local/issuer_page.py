"""Signing in at the local identity provider with a browser: one chooses who one is, and that is it.

The authorization code flow with PKCE (RFC 6749 4.1, RFC 7636), for one client that is on loopback.
"""

from __future__ import annotations

import re
import secrets
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from itertools import groupby
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

CLIENT_ID = "trustfold-page"
CODE_S = 60.0
_BACK = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?/[\x21-\x5b\x5d-\x7e]*")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
STYLE = (
    ":root{color-scheme:light dark;font:1.05rem/1.5 system-ui,sans-serif}"
    "main{max-width:38rem;margin:8vh auto;padding:0 1.25rem}"
    "h1{font-size:1.6rem;line-height:1.2}h2{font-size:1rem;margin:1.6rem 0 .4rem}"
    "p{margin:.4rem 0 1rem}form{display:flex;flex-wrap:wrap;gap:.5rem}"
    "button{font:inherit;padding:.45em 1em;border:1px solid;border-radius:.4em;cursor:pointer;"
    "background:Canvas;color:CanvasText}"
    "button:hover,button:focus-visible{outline:3px solid Highlight;outline-offset:1px}"
)
_DIGEST = b64encode(sha256(STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; frame-ancestors 'none'"
_KEPT = (
    "response_type", "client_id", "redirect_uri", "state",
    "code_challenge", "code_challenge_method",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Someone:
    """A person one can be; `group` is the heading they stand under."""

    person: str
    roles: tuple[str, ...]
    tenant: str
    label: str
    group: str


@dataclass(frozen=True, slots=True)
class _Code:
    someone: Someone
    redirect_uri: str
    challenge: str
    until_s: float


class SigningIn:
    """The two steps a browser and a service take. `token` makes the token of who was chosen."""

    def __init__(self, token: Callable[[str, tuple[str, ...], str], str], valid_s: int) -> None:
        self._token, self._valid_s = token, valid_s
        self._people: Sequence[Someone] = ()
        self._codes: dict[str, _Code] = {}

    def let_in(self, people: Sequence[Someone]) -> None:
        """From now on one can be any of these, and nobody else."""
        self._people = tuple(people)

    async def authorize(self, request: Request) -> Response:
        """GET shows who one can be; with `be`, the browser is sent back with a code for them."""
        asked = request.query_params
        if wrong := _wrong(asked):
            return _page("This sign-in cannot go on", f"<p>{escape(wrong)}</p>", 400)
        be = asked.get("be")
        if be is None:
            return self._choice(asked)
        chosen = next((each for each in self._people if each.person == be), None)
        if chosen is None:
            return _page("Nobody is called that here", "<p>Go back and choose again.</p>", 404)
        code, uri = secrets.token_urlsafe(24), asked["redirect_uri"]
        until_s = time.monotonic() + CODE_S
        self._codes[code] = _Code(chosen, uri, asked["code_challenge"], until_s)
        back = urlencode({"code": code, "state": asked.get("state", "")})
        return RedirectResponse(f"{uri}{'&' if urlsplit(uri).query else '?'}{back}", 303)

    async def exchange(self, request: Request) -> JSONResponse:
        """POST of a form: a code becomes a token, once."""
        said = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        if said.get("grant_type") != "authorization_code":
            return _refused("unsupported_grant_type")
        code = self._codes.pop(said.get("code", ""), None)
        verifier = said.get("code_verifier", "")
        shown = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        is_good = (
            code is not None
            and code.until_s > time.monotonic()
            and said.get("client_id") == CLIENT_ID
            and said.get("redirect_uri") == code.redirect_uri
            and secrets.compare_digest(shown, code.challenge)
        )
        if code is None or not is_good:
            return _refused("invalid_grant")
        one = code.someone
        token = self._token(one.person, one.roles, one.tenant)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": self._valid_s}
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    def _choice(self, asked: Mapping[str, str]) -> Response:
        kept = "".join(
            f'<input type="hidden" name="{name}" value="{escape(asked.get(name, ""))}">'
            for name in _KEPT
        )
        groups = "".join(
            f"<h2>{escape(name)}</h2><form>{kept}{''.join(map(_button, people))}</form>"
            for name, people in groupby(self._people, key=lambda each: each.group)
        )
        said = "<p>No password: this provider is for trying things out on this machine.</p>"
        nobody = "<p>Nobody is known yet. Reload this in a moment.</p>"
        return _page("Who are you today?", said + (groups or nobody))


def _wrong(asked: Mapping[str, str]) -> str | None:
    """What keeps the request from going on. Nobody is sent to an address that is not ours."""
    if asked.get("client_id") != CLIENT_ID:
        return "The client is not known here."
    if not _BACK.fullmatch(asked.get("redirect_uri", "")):
        return "The redirect address is not on this machine."
    if asked.get("response_type") != "code":
        return "Only the authorization code flow is there: response_type=code."
    is_good = _CHALLENGE.fullmatch(asked.get("code_challenge", ""))
    if not is_good or asked.get("code_challenge_method") != "S256":
        return "PKCE with S256 is needed (RFC 7636)."
    return None


def _button(someone: Someone) -> str:
    return f'<button name="be" value="{escape(someone.person)}">{escape(someone.label)}</button>'


def _page(title: str, body: str, status: int = 200) -> Response:
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in (local)</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
        f"<main><h1>{escape(title)}</h1>{body}</main></html>"
    )
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(text, status, headers)


def _refused(why: str) -> JSONResponse:
    return JSONResponse({"error": why}, 400, {"Cache-Control": "no-store"})
