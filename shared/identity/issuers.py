"""Whom we believe, and what their tokens' claims mean to us. Read once, at the start; asks nobody.

One issuer is a customer's identity provider. It speaks for one tenant, `tenant`, or, when it is
ours, for the tenant that `tenant_claim` names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from shared.errors import TrustfoldError
from shared.http import Role
from shared.ids import TenantId

# Signatures that the holder of a public key cannot make. No `none`, no shared secret.
Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "Ed25519"
]
LOOPBACK = ("127.0.0.1", "::1", "localhost")

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#]+[^\s?#]*$", max_length=500)]
Claim = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Tenant = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class IssuersUnreadable(TrustfoldError):
    """The file that says whose tokens are believed cannot be used."""


class SignIn(BaseModel):
    """How people sign in at a provider with a browser: as which of its clients, asking for what.

    `token` is which of the provider's tokens is ours to read: the one that is for `audience`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: Claim
    client_secret_file: Path | None = None
    scope: Claim = "openid"
    token: Literal["access_token", "id_token"] = "access_token"


class Issuer(BaseModel):
    """One identity provider, and how its claims are read.

    `issuer` is compared with `iss` letter by letter, `audience` has to be among `aud`. A claim with
    dots is looked up as it stands, then part by part (`realm_access.roles`). `roles` maps the
    provider's names to ours; without it they are expected to be ours. `default_role` is for those
    who have none of them; without it, they have no role and are refused. Keys come from `jwks_url`,
    or from where the issuer's discovery document says. With `sign_in` people can use our pages.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: Url
    audience: Claim
    algorithms: tuple[Algorithm, ...] = Field(default=("RS256", "ES256"), min_length=1)
    jwks_url: Url | None = None
    tenant: Tenant | None = None
    tenant_claim: Claim | None = None
    person_claim: Claim = "sub"
    roles_claim: Claim = "roles"
    roles: Mapping[str, Role] | None = None
    default_role: Role | None = None
    leeway_s: Annotated[int, Field(ge=0, le=300)] = 30
    sign_in: SignIn | None = None

    @model_validator(mode="after")
    def _one_way_to_the_tenant(self) -> Self:
        if (self.tenant is None) == (self.tenant_claim is None):
            raise ValueError("name either tenant or tenant_claim")
        return self

    @model_validator(mode="after")
    def _keys_cannot_be_swapped_on_the_way(self) -> Self:
        for url in (self.issuer, self.jwks_url):
            parts = urlsplit(url or "https://none")
            if parts.scheme != "https" and parts.hostname not in LOOPBACK:
                raise ValueError(f"{url} has to be https")
        return self

    def tenant_of(self, claims: Mapping[str, Any]) -> TenantId | None:
        """The tenant the token is for; None when it names none that could be one."""
        found = self.tenant if self.tenant_claim is None else claim(claims, self.tenant_claim)
        return TenantId(found) if isinstance(found, str) else None

    def roles_of(self, claims: Mapping[str, Any]) -> frozenset[Role]:
        """Our roles that the token grants."""
        said = claim(claims, self.roles_claim)
        named = said.split() if isinstance(said, str) else said if isinstance(said, list) else []
        known = self.roles if self.roles is not None else _OURS
        found = frozenset(known[each] for each in named if isinstance(each, str) and each in known)
        if not found and self.default_role is not None:
            return frozenset((self.default_role,))
        return found


_OURS: Mapping[str, Role] = {
    "participant": "participant",
    "manager": "manager",
    "hr": "hr",
    "service": "service",
}
_FILE = TypeAdapter(tuple[Issuer, ...])


def claim(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by the parts of it; None when it is not there."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def read_issuers(path: Path) -> Sequence[Issuer]:
    """The issuers of a JSON file, an array. Raises IssuersUnreadable naming what is wrong."""
    try:
        issuers = _FILE.validate_json(path.read_bytes())
    except OSError as error:
        raise IssuersUnreadable(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        wrong = (
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors(include_input=False)
        )
        raise IssuersUnreadable(f"{path}: {'; '.join(wrong)}") from None
    if not issuers:
        raise IssuersUnreadable(f"{path}: names no issuer")
    if len({each.issuer for each in issuers}) < len(issuers):
        raise IssuersUnreadable(f"{path}: names an issuer twice")
    return issuers
