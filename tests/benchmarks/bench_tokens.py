"""What it costs to find out who asks: a token's check with known keys, and one seen before."""

from __future__ import annotations

import time
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey

from shared.identity.issuers import Issuer
from shared.identity.tokens import Tokens
from tests.benchmarks.harness import Bench, Result

WANTED_US = 150
_SAID = b"x" * 400


class _Known:
    """The keys of one issuer, fetched long ago."""

    version = 0

    def __init__(self, key: Key) -> None:
        self._key = key

    async def find(self, kid: str | None) -> Key | None:
        return self._key if kid == self._key.kid else None


async def measure(bench: Bench) -> list[Result]:
    """Microseconds for a token, and for the bare verification of a signature like its."""
    count = bench.size(small=500, full=5_000)
    private = ec.generate_private_key(ec.SECP256R1())
    signature = private.sign(_SAID, ec.ECDSA(hashes.SHA256()))
    public = private.public_key()
    found = await _checked(
        "ES256", ECKey.import_key(private, {"kid": "k"}), count,
        lambda: public.verify(signature, _SAID, ec.ECDSA(hashes.SHA256())),
    )  # fmt: skip
    of_rsa = rsa.generate_private_key(65537, 2048)
    of_two = of_rsa.sign(_SAID, padding.PKCS1v15(), hashes.SHA256())
    key = of_rsa.public_key()
    found += await _checked(
        "RS256", RSAKey.import_key(of_rsa, {"kid": "k"}), count,
        lambda: key.verify(of_two, _SAID, padding.PKCS1v15(), hashes.SHA256()),
    )  # fmt: skip
    return found


async def _checked(algorithm: str, key: Key, count: int, bare: Callable[[], None]) -> list[Result]:
    issuer = Issuer(
        issuer="https://id.bench", audience="trustfold", algorithms=(algorithm,), tenant="acme"
    )
    until = int(time.time()) + 3600
    sent = [
        jwt.encode(
            {"alg": algorithm, "kid": "k"},
            {"iss": issuer.issuer, "aud": "trustfold", "sub": f"p{n}", "exp": until,
             "roles": ["participant"]},
            key,
            algorithms=[algorithm],
        )
        for n in range(count)
    ]  # fmt: skip
    tokens = Tokens([(issuer, _Known(key))])
    first_us = await _each_us(tokens, sent)
    again_us = await _each_us(tokens, sent[-100:])
    began = time.perf_counter()
    for _ in range(count):
        bare()
    bare_us = (time.perf_counter() - began) / count * 1e6
    name = f"bare {algorithm}"
    return [
        Result("tokens", name, bare_us, "us", note="the signature alone"),
        Result(
            "tokens", algorithm, first_us, "us", first_us / bare_us, f"tokens.{name}",
            f"<= {WANTED_US}", "a token not seen before",
        ),
        Result("tokens", f"{algorithm}, again", again_us, "us", note="the same token"),
    ]  # fmt: skip


async def _each_us(tokens: Tokens, sent: list[str]) -> float:
    began = time.perf_counter()
    for each in sent:
        await tokens.grant(each)
    return (time.perf_counter() - began) / len(sent) * 1e6
