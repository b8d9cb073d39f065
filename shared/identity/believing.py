"""Puts the parts together for one process: the issuers of a file, their keys, the middleware.

Fetches nothing before the first token arrives.
"""

from __future__ import annotations

from pathlib import Path

import httpx
from starlette.types import ASGIApp

from shared.errors import TrustfoldError
from shared.identity.issuers import read_issuers
from shared.identity.keys import Keys
from shared.identity.signing_in import SigningIn
from shared.identity.tokens import Tokens


class NobodyBelieved(TrustfoldError):
    """No identity provider is named: set IDENTITY_FILE, or nobody could call this API."""


class Believing:
    """Believes the tokens of the issuers that a file names. Raises IssuersUnreadable, and
    NobodyBelieved without a file.
    """

    def __init__(self, file: Path | None) -> None:
        if file is None:
            raise NobodyBelieved
        self._http: httpx.AsyncClient | None = None
        self._tokens = Tokens([(each, Keys(each, self._client)) for each in read_issuers(file)])

    def around(self, app: ASGIApp) -> ASGIApp:
        """The app, with who is asking found out first."""
        return SigningIn(app, self._tokens)

    async def aclose(self) -> None:
        """Close the connections to the providers."""
        if self._http is not None:
            await self._http.aclose()

    def _client(self) -> httpx.AsyncClient:
        # Certificates are loaded with the first use, and the environment's proxy is respected.
        if self._http is None:
            self._http = httpx.AsyncClient(follow_redirects=False)
        return self._http
