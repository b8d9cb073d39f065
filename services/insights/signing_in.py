"""The identity providers at which people can sign in to the page. Reads no token."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx

from shared.errors import Rejected
from shared.identity.code_flow import CodeFlow
from shared.identity.issuers import Issuer


class NoSuchProvider(Rejected):
    """There is no such organisation here, or its people do not sign in with a browser."""

    slug = "no-such-provider"
    status = 404


class WhichProvider(Rejected):
    """Several organisations sign in here: say which, with `tenant`."""

    slug = "which-provider"


class Providers:
    """The providers that have a `sign_in`, one flow each.

    `page_url` is where the page is reached from outside; without it nobody can sign in, for a
    provider must know where people come back to.
    """

    def __init__(self, issuers: Sequence[Issuer], page_url: str | None) -> None:
        self._http: httpx.AsyncClient | None = None
        self.secure = urlsplit(page_url or "").scheme == "https"
        back = f"{(page_url or '').rstrip('/')}/signed-in"
        usable = [each for each in issuers if each.sign_in and page_url]
        self._flows = [(each.tenant, CodeFlow(each, back, self._client)) for each in usable]

    def flow(self, tenant: str | None) -> CodeFlow:
        """How people of an organisation sign in. Raises NoSuchProvider, WhichProvider."""
        own = [flow for of, flow in self._flows if of == tenant or of is None]
        found = own if tenant else [flow for _, flow in self._flows]
        if not found:
            raise NoSuchProvider(field="tenant" if tenant else None)
        if len(found) > 1 and not tenant:
            raise WhichProvider(field="tenant")
        return found[0]

    async def aclose(self) -> None:
        """Close the connections to the providers."""
        if self._http is not None:
            await self._http.aclose()

    def _client(self) -> httpx.AsyncClient:
        # Certificates are loaded with the first use.
        if self._http is None:
            self._http = httpx.AsyncClient(follow_redirects=False)
        return self._http
