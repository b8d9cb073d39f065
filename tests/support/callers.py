"""Who asks, as every test says it to a service: a token of an issuer whose key only tests have.

Services are signed in to by the real way, `shared.identity`; what stands in is the key set, which
is not fetched. Knows no service.
"""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey, Key
from starlette.types import ASGIApp

from deploy.local.issuer import Issuer as LocalIssuer
from shared.identity.issuers import Issuer
from shared.identity.signing_in import SigningIn
from shared.identity.tokens import Tokens

ISSUER = Issuer(
    issuer="https://id.test", audience="trustfold", algorithms=("ES256",), tenant_claim="tenant"
)
# The same in every process of a run, and nobody else's.
KEY = ECKey.import_key(ec.derive_private_key(0x7E57, ec.SECP256R1()), {"kid": "tests"})
_KEPT: list[TemporaryDirectory[str]] = []
VALID_S = 24 * 3600


class _Known:
    """The key set of the one issuer."""

    version = 0

    async def find(self, kid: str | None) -> Key | None:
        return KEY if kid == KEY.kid else None


def as_(
    person: str, role: str = "participant", tenant: str = "acme", **more: str
) -> dict[str, str]:
    """The headers of a request by this person in this role; `more` is sent beside them."""
    return {"Authorization": f"Bearer {token(person, role, tenant)}", **more}


def issuer() -> LocalIssuer:
    """For a network: its services then believe what `as_` says, in whatever process."""
    return LocalIssuer(ISSUER.issuer, KEY)


@cache
def identity_file() -> Path:
    """For processes of a test's own: makes them believe what `as_` says, while this one lives."""
    folder = TemporaryDirectory()
    _KEPT.append(folder)
    return issuer().write_file(Path(folder.name) / "issuers.json")


def signed_in(app: ASGIApp) -> ASGIApp:
    """The service's app as it runs: with who is asking found out first."""
    return SigningIn(app, Tokens([(ISSUER, _Known())]))


@cache
def token(person: str, role: str, tenant: str) -> str:
    """A token that grants one role."""
    claims = {
        "iss": ISSUER.issuer,
        "aud": ISSUER.audience,
        "sub": person,
        "tenant": tenant,
        "roles": [role],
        "exp": int(time.time()) + VALID_S,
    }
    return jwt.encode({"alg": "ES256", "kid": KEY.kid}, claims, KEY)
