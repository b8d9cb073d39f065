"""Keys of a provider that rotates them, is away, or answers nonsense."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, Key

from shared.identity.issuers import Issuer
from shared.identity.keys import FRESH_S, OUTAGE_S, REFETCH_S, Keys, KeysUnavailable

NAME = "https://id.acme.example"
ONE = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})
TWO = ECKey.generate_key("P-256", {"kid": "two"})


class Provider:
    """Answers as an identity provider does; `published` and `answers` can be changed."""

    def __init__(self, *published: ECKey) -> None:
        self.published = list(published)
        self.asked: list[str] = []
        self.is_away = False
        self.discovery: dict[str, Any] = {"issuer": NAME, "jwks_uri": f"{NAME}/keys"}
        self.body: bytes | None = None
        self.now_s = 0.0
        transport = httpx.MockTransport(self._answer)
        http = httpx.AsyncClient(transport=transport)
        issuer = Issuer(issuer=NAME, audience="trustfold", tenant="acme")
        self.keys = Keys(issuer, lambda: http, lambda: self.now_s)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        self.asked.append(request.url.path)
        if self.is_away:
            raise httpx.ConnectError("away")
        if request.url.path.startswith("/.well-known"):
            return httpx.Response(200, json=self.discovery)
        if self.body is not None:
            return httpx.Response(200, content=self.body)
        return httpx.Response(
            200, json={"keys": [key.as_dict(private=False) for key in self.published]}
        )

    async def settled(self) -> None:
        """What was begun in the background has ended."""
        while self.keys._fetching is not None:
            await asyncio.sleep(0)


def print_of(key: Key | None) -> str | None:
    """What a public key and its private half have in common."""
    return key.thumbprint() if key else None


async def test_keys_are_fetched_once_and_kept() -> None:
    provider = Provider(ONE)

    found = await asyncio.gather(*(provider.keys.find("one") for _ in range(20)))

    assert {print_of(key) for key in found} == {print_of(ONE)}
    assert provider.asked == ["/.well-known/openid-configuration", "/keys"]


async def test_a_new_key_is_found_when_a_token_names_it() -> None:
    provider = Provider(ONE)
    await provider.keys.find("one")
    provider.published = [ONE, TWO]
    provider.now_s += REFETCH_S

    assert print_of(await provider.keys.find("two")) == print_of(TWO)
    assert provider.keys.version == 0  # nothing was taken back


async def test_names_of_keys_that_do_not_exist_cannot_make_us_ask_without_end() -> None:
    provider = Provider(ONE)
    await provider.keys.find("one")
    before = len(provider.asked)

    for n in range(1000):
        assert await provider.keys.find(f"made-up-{n}") is None
        provider.now_s += REFETCH_S / 500

    assert len(provider.asked) - before <= 2 * 2


async def test_a_key_that_is_withdrawn_is_believed_no_longer() -> None:
    provider = Provider(ONE, TWO)
    await provider.keys.find("one")
    provider.published = [TWO]
    provider.now_s += FRESH_S + 1

    await provider.keys.find("one")  # still good enough for this one
    await provider.settled()

    assert provider.keys.version == 1
    assert await provider.keys.find("one") is None


async def test_a_provider_that_is_away_stops_nobody_for_a_day() -> None:
    provider = Provider(ONE)
    await provider.keys.find("one")
    provider.is_away = True

    for _ in range(10):
        provider.now_s += OUTAGE_S / 11
        assert print_of(await provider.keys.find("one")) == print_of(ONE)
        await provider.settled()
    provider.now_s += OUTAGE_S
    with pytest.raises(KeysUnavailable):
        await provider.keys.find("one")

    provider.is_away, provider.now_s = False, provider.now_s + REFETCH_S
    assert print_of(await provider.keys.find("one")) == print_of(ONE)


async def test_without_any_keys_nobody_can_be_recognised_and_that_is_no_refusal() -> None:
    provider = Provider(ONE)
    provider.is_away = True

    with pytest.raises(KeysUnavailable):
        await provider.keys.find("one")
    asked = len(provider.asked)
    with pytest.raises(KeysUnavailable):  # and the provider is left in peace for a while
        await provider.keys.find("one")
    assert len(provider.asked) == asked


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [{"kty": "EC", "crv": "P-256"}]}',
        b'{"keys": [{"kty": "oct", "kid": "one", "k": "c2VjcmV0"}]}',
        b'{"keys": []}' + b" " * 300_000,
    ],
)
async def test_nonsense_replaces_no_keys(body: bytes) -> None:
    provider = Provider(ONE)
    await provider.keys.find("one")
    provider.body, provider.now_s = body, provider.now_s + FRESH_S + 1

    await provider.keys.find("one")
    await provider.settled()

    assert print_of(await provider.keys.find("one")) == print_of(ONE)


async def test_a_discovery_document_of_somebody_else_is_not_followed() -> None:
    for change in ({"issuer": "https://id.evil.example"}, {"jwks_uri": "http://plain.example/k"}):
        provider = Provider(ONE)
        provider.discovery |= change
        with pytest.raises(KeysUnavailable):
            await provider.keys.find("one")
