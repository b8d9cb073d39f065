"""What a bearer token grants. Verifies signature, issuer, audience and time; knows no route.

RFC 7519 and RFC 9068, as far as a resource server is concerned; RFC 8725 says why the algorithm is
chosen by us and not by the token.
"""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol, TypeGuard

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key

from shared.errors import Forbidden, Rejected
from shared.http import ROLE, Caller, Role, read_person, read_tenant
from shared.identity.issuers import Issuer, claim
from shared.ids import PersonId, TenantId

MAX_TOKEN_BYTES = 8 * 1024
REMEMBERED = 10_000
# RFC 9068 2.1, RFC 7519 5.1. Anything else (a logout token, an id of another kind) is not for us.
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
# Who has several roles acts as the first of these that they have, unless they say otherwise.
_LEAST_FIRST: tuple[Role, ...] = ("participant", "manager", "hr", "service")


class BadToken(Rejected):
    """The token is not one that we believe."""

    slug = "bad-token"
    status = 401


class KeySource(Protocol):
    """Where the keys of an issuer come from."""

    version: int

    async def find(self, kid: str | None) -> Key | None:
        """The key of this id, or None."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Who a token is about and in which roles they may act, until `expires_s` (Unix seconds)."""

    tenant: TenantId
    person: PersonId
    roles: frozenset[Role]
    expires_s: float

    def caller(self, role: str | None) -> Caller:
        """The person in the role they ask for, or in the least they have. Raises Forbidden."""
        if role is None:
            return Caller(
                self.tenant, self.person, next(r for r in _LEAST_FIRST if r in self.roles)
            )
        for held in self.roles:
            if held == role:
                return Caller(self.tenant, self.person, held)
        raise Forbidden("you do not hold the role you ask for", field=ROLE.name)


@dataclass(frozen=True, slots=True)
class _Remembered:
    grant: Grant
    keys: KeySource
    version: int


class Tokens:
    """Believes the tokens of these issuers.

    A token that was found good is remembered until it expires, or until its issuer withdraws a key:
    whoever holds it asks often. At most REMEMBERED of them, by digest: no token is kept.
    """

    def __init__(
        self,
        issuers: Sequence[tuple[Issuer, KeySource]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._trusted = {issuer.issuer: (issuer, keys) for issuer, keys in issuers}
        self._now = now
        self._known: OrderedDict[bytes, _Remembered] = OrderedDict()

    async def grant(self, token: str) -> Grant:
        """What the token grants. Raises BadToken, or Retryable when the keys cannot be had."""
        digest = sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known is not None and known.version == known.keys.version:
            if known.grant.expires_s > self._now():
                self._known.move_to_end(digest)
                return known.grant
            raise BadToken("the token has expired")
        issuer, keys = self._issuer(token)
        granted = await self.verify(token, issuer, keys)
        self._known[digest] = _Remembered(granted, keys, keys.version)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return granted

    async def verify(self, token: str, issuer: Issuer, keys: KeySource) -> Grant:
        """What the token grants, worked out anew. Raises as `grant` does."""
        header = _part(token, 0)
        kid = header.get("kid")
        if header.get("alg") not in issuer.algorithms:
            raise BadToken("the token is signed in a way we do not accept")
        if str(header.get("typ", "jwt")).lower() not in _TYPES:
            raise BadToken("the token is of a kind we do not accept")
        key = await keys.find(kid if isinstance(kid, str) else None)
        if key is None:
            raise BadToken("the token is signed with a key we do not know")
        try:
            claims = jwt.decode(token, key, algorithms=issuer.algorithms).claims
        except (JoseError, ValueError, TypeError) as error:
            raise BadToken("the token's signature is wrong") from error
        return _granted(claims, issuer, self._now())

    def _issuer(self, token: str) -> tuple[Issuer, KeySource]:
        if len(token) > MAX_TOKEN_BYTES:
            raise BadToken("the token is too long")
        # Not believed yet: it only says whose key to try.
        said = _part(token, 1).get("iss")
        trusted = self._trusted.get(said) if isinstance(said, str) else None
        if trusted is None:
            raise BadToken("the token is of an issuer we do not know")
        return trusted


def _part(token: str, index: int) -> Mapping[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        raise BadToken("this is not a signed token")
    try:
        found = orjson.loads(urlsafe_b64decode(parts[index] + "=" * (-len(parts[index]) % 4)))
    except ValueError as error:
        raise BadToken("the token cannot be read") from error
    if not isinstance(found, dict):
        raise BadToken("the token cannot be read")
    return found


def _granted(claims: Mapping[str, Any], issuer: Issuer, now_s: float) -> Grant:
    expires_s = _check_time(claims, issuer.leeway_s, now_s)
    audience = claims.get("aud")
    if issuer.audience not in (audience if isinstance(audience, list) else [audience]):
        raise BadToken("the token is for somebody else's service (aud)")
    if claims.get("iss") != issuer.issuer:
        raise BadToken("the token is of an issuer we do not know")
    tenant = read_tenant(issuer.tenant_of(claims))
    person = read_person(claim(claims, issuer.person_claim))
    if tenant is None or person is None:
        named = issuer.person_claim if tenant else issuer.tenant_claim
        raise BadToken(f"the token's {named} is not one of ours")
    roles = issuer.roles_of(claims)
    if not roles:
        raise BadToken(f"the token's {issuer.roles_claim} grants no role here")
    return Grant(tenant, person, roles, expires_s)


def _check_time(claims: Mapping[str, Any], leeway_s: float, now_s: float) -> float:
    """Until when the token is good, leeway included. Raises BadToken when it is not now."""
    expires = claims.get("exp")
    if not _is_number(expires):
        raise BadToken("the token does not say when it expires (exp)")
    if expires + leeway_s <= now_s:
        raise BadToken("the token has expired")
    for name in ("nbf", "iat"):
        since = claims.get(name, 0)
        if not _is_number(since) or since - leeway_s > now_s:
            raise BadToken(f"the token is not good yet ({name})")
    return float(expires + leeway_s)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
