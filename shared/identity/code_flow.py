"""Signing in with a browser at an identity provider: OpenID Connect's authorization code flow.

With PKCE (RFC 7636), and the token fetched by us, so that no script ever holds it. Sets no cookie.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from shared.errors import Rejected
from shared.identity.issuers import LOOPBACK, Issuer
from shared.identity.keys import DISCOVERY
from shared.identity.tokens import MAX_TOKEN_BYTES
from shared.logging import logger

TIMEOUT_S = 5.0
MAX_BYTES = 256 * 1024
# Of a provider that does not say how long its token is good.
DEFAULT_S = 300

log = logger("sign-in")


class SignInFailed(Rejected):
    """The identity provider did not let you in; try again, or ask your organisation."""

    slug = "sign-in-failed"
    status = 401


class ProviderAway(Rejected):
    """Your organisation's identity provider does not answer; try again shortly."""

    slug = "provider-away"
    status = 503


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that has begun: where the browser goes, and what it must bring back."""

    url: str
    state: str
    verifier: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A token, and for how many seconds it is good."""

    token: str
    for_s: int


class CodeFlow:
    """Signs people in at one provider; they come back to `redirect_uri`."""

    def __init__(
        self, issuer: Issuer, redirect_uri: str, http: Callable[[], httpx.AsyncClient]
    ) -> None:
        assert issuer.sign_in is not None
        self._issuer, self._client, self._http = issuer, issuer.sign_in, http
        self._redirect_uri = redirect_uri
        self._described: dict[str, Any] | None = None

    async def begin(self) -> Begun:
        """A new sign-in. Raises ProviderAway."""
        where = await self._endpoint("authorization_endpoint")
        state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        asked = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self._client.scope,
            "state": state,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        joined = "&" if urlsplit(where).query else "?"
        return Begun(f"{where}{joined}{urlencode(asked)}", state, verifier)

    async def finish(self, code: str, verifier: str) -> SignedIn:
        """The token for a code that was brought back. Raises SignInFailed, ProviderAway."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "client_id": self._client.client_id,
            "code_verifier": verifier,
        }
        if self._client.client_secret_file is not None:
            form["client_secret"] = self._client.client_secret_file.read_text("utf-8").strip()
        said = await self._ask("POST", await self._endpoint("token_endpoint"), form)
        token = said.get(self._client.token)
        if not isinstance(token, str) or len(token) > MAX_TOKEN_BYTES // 2:
            # A browser keeps no larger cookie.
            raise SignInFailed("your identity provider gave no token that we can keep")
        for_s = said.get("expires_in")
        return SignedIn(token, for_s if isinstance(for_s, int) and for_s > 0 else DEFAULT_S)

    async def _endpoint(self, name: str) -> str:
        if self._described is None:
            url = self._issuer.issuer.rstrip("/") + DISCOVERY
            found = await self._ask("GET", url)
            if found.get("issuer") != self._issuer.issuer:
                raise ProviderAway("the discovery document is another issuer's")
            self._described = found
        where = self._described.get(name)
        parts = urlsplit(where if isinstance(where, str) else "")
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise ProviderAway(f"the provider's {name} has to be https")
        return str(where)

    async def _ask(self, method: str, url: str, form: dict[str, str] | None = None) -> Any:
        headers = {"Accept": "application/json"}
        try:
            answer = await self._http().request(
                method, url, data=form, headers=headers, timeout=TIMEOUT_S
            )
            found = answer.json() if len(answer.content) <= MAX_BYTES else None
        except (httpx.HTTPError, ValueError) as error:
            log.warning("the provider does not answer", action="ask", error=type(error).__name__)
            raise ProviderAway from error
        if answer.is_client_error:
            raise SignInFailed
        if answer.is_error or not isinstance(found, dict):
            raise ProviderAway
        return found


def challenge_of(verifier: str) -> str:
    """What is shown of a verifier beforehand (RFC 7636 4.2, S256)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
