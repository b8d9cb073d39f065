"""An issuer's public keys, kept. Fetches them when they are needed; verifies nothing.

A provider rotates its keys by publishing the new one before it signs with it, and may be away for a
while. So keys are fetched anew when they are old or when a token names one we lack, at most once in
REFETCH_S, and the last ones seen are used for OUTAGE_S while the provider does not answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from shared.errors import Retryable
from shared.identity.issuers import Issuer
from shared.logging import logger

FRESH_S = 300.0
REFETCH_S = 10.0
OUTAGE_S = 24 * 3600.0
TIMEOUT_S = 3.0
MAX_BYTES = 256 * 1024
MAX_KEYS = 50
DISCOVERY = "/.well-known/openid-configuration"

log = logger("identity")


class KeysUnavailable(Retryable):
    """The identity provider's keys cannot be had: nobody can be recognised for now."""


class Keys:
    """The signing keys of one issuer. For one event loop.

    `version` changes whenever a key that was there is there no longer, so that who remembers what a
    key once proved can forget it.
    """

    def __init__(
        self,
        issuer: Issuer,
        http: Callable[[], httpx.AsyncClient],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer, self._http, self._now = issuer, http, now
        self._keys: Mapping[str | None, Key] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching: asyncio.Task[None] | None = None
        self.version = 0

    async def find(self, kid: str | None) -> Key | None:
        """The key of this id; the only one where a token names none. None when there is no such.

        Raises KeysUnavailable when no keys are known, or only ones older than OUTAGE_S.
        """
        age_s = self._age_s()
        if age_s is None or age_s > OUTAGE_S:
            await self._refetch()
        elif age_s > FRESH_S:
            # The old ones are good enough for this request.
            self._refetch()
        found = self._pick(kid)
        if found is None and self._may_try():
            await self._refetch()
            found = self._pick(kid)
        age_s = self._age_s()
        if age_s is None or age_s > OUTAGE_S:
            raise KeysUnavailable
        return found

    def _age_s(self) -> float | None:
        return None if self._fetched_at is None else self._now() - self._fetched_at

    def _pick(self, kid: str | None) -> Key | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    def _may_try(self) -> bool:
        return self._tried_at is None or self._now() - self._tried_at >= REFETCH_S

    def _refetch(self) -> asyncio.Future[None]:
        """One fetch at a time, whoever waits for it."""
        if self._fetching is None and not self._may_try():
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done
        if self._fetching is None:
            self._tried_at = self._now()
            self._fetching = asyncio.create_task(self._fetch())
        # Who gives up waiting must not take the fetch from the others.
        return asyncio.shield(self._fetching)

    async def _fetch(self) -> None:
        try:
            keys = _readable((await self._document(await self._jwks_url())).get("keys"))
        except (httpx.HTTPError, ValueError, TypeError) as error:
            log.warning(
                "keys could not be fetched",
                action="keys",
                issuer=self._issuer.issuer,
                error=repr(error)[:200],
            )
            return
        finally:
            self._fetching = None
        if any(keys.get(kid) != key for kid, key in self._keys.items()):
            self.version += 1
        self._keys, self._fetched_at = keys, self._now()

    async def _jwks_url(self) -> str:
        if self._issuer.jwks_url is not None:
            return self._issuer.jwks_url
        found = await self._document(self._issuer.issuer.rstrip("/") + DISCOVERY)
        if found.get("issuer") != self._issuer.issuer:
            raise ValueError("the discovery document is another issuer's")
        where = found.get("jwks_uri")
        # The same care as for what is configured: https, unless it is this machine.
        moved = Issuer.model_validate({**self._issuer.model_dump(), "jwks_url": where})
        assert moved.jwks_url is not None
        return moved.jwks_url

    async def _document(self, url: str) -> dict[str, Any]:
        async with self._http().stream("GET", url, timeout=TIMEOUT_S) as answer:
            answer.raise_for_status()
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > MAX_BYTES:
                    raise ValueError("the document is too long")
        found = httpx.Response(200, content=bytes(body)).json()
        if not isinstance(found, dict):
            raise TypeError("the document is no object")
        return found


def _readable(listed: object) -> dict[str | None, Key]:
    """The public signing keys of a key set, by id. What we cannot read is for somebody else."""
    if not isinstance(listed, list):
        raise TypeError("the key set has no keys")
    found: dict[str | None, Key] = {}
    for each in listed[:MAX_KEYS]:
        if not isinstance(each, dict) or each.get("use", "sig") != "sig" or "k" in each:
            continue
        try:
            key = JWKRegistry.import_key(each)
        except (JoseError, ValueError, KeyError, TypeError):
            continue
        found[key.kid] = key
    if not found:
        raise ValueError("the key set has no key that we can read")
    return found
