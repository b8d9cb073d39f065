"""Which tokens are believed, and what they grant."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.registry import HeaderParameter

from shared.errors import Forbidden
from shared.http import Caller
from shared.identity.issuers import Issuer
from shared.identity.tokens import BadToken, Tokens
from shared.ids import PersonId, TenantId

NOW_S = 1_800_000_000.0
HOUR_S = 3600.0
ACME = Issuer(
    issuer="https://id.acme.example",
    audience="trustfold",
    algorithms=("RS256", "ES256"),
    tenant="acme",
    person_claim="oid",
    roles_claim="realm_access.roles",
    roles={"Mentoring Managers": "manager", "everybody": "participant", "HR": "hr"},
)
KEY = ECKey.generate_key("P-256", {"kid": "one"})
OTHER = ECKey.generate_key("P-256", {"kid": "two"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
# A signer may know headers that we do not.
LENIENT = JWSRegistry({"x": HeaderParameter("x", "str")}, algorithms=["ES256", "RS256"])
CLAIMS: Mapping[str, Any] = {
    "iss": ACME.issuer,
    "aud": ["somebody", "trustfold"],
    "oid": "e1007",
    "realm_access": {"roles": ["everybody", "Mentoring Managers", "Finance"]},
    "exp": NOW_S + HOUR_S,
    "iat": NOW_S - 10,
    "nbf": NOW_S - 10,
}


class Keys:
    """A key set that is already here."""

    def __init__(self, *keys: Key) -> None:
        self.keys = {key.kid: key for key in keys}
        self.version = 0

    async def find(self, kid: str | None) -> Key | None:
        return self.keys.get(kid)


class Clock:
    def __init__(self) -> None:
        self.now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


def signed(
    key: Key = KEY, alg: str = "ES256", header: Mapping[str, Any] = {}, **claims: Any
) -> str:
    said = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return jwt.encode(
        {"alg": alg, "kid": key.kid, **(header or {})},
        said,
        key,
        algorithms=[alg],
        registry=LENIENT,
    )


def tokens(issuer: Issuer = ACME, *keys: Key, now: Clock | None = None) -> Tokens:
    return Tokens([(issuer, Keys(*(keys or (KEY, RSA))))], now or Clock())


@pytest.mark.parametrize(("key", "alg"), [(KEY, "ES256"), (RSA, "RS256")])
async def test_a_good_token_grants_its_person_in_its_tenant_the_roles_it_maps_to(
    key: Key, alg: str
) -> None:
    grant = await tokens().grant(signed(key, alg))

    assert (grant.tenant, grant.person) == ("acme", "e1007")
    assert grant.roles == {"participant", "manager"}


async def test_one_acts_in_the_least_of_ones_roles_unless_one_says_otherwise() -> None:
    grant = await tokens().grant(signed())

    assert grant.caller(None) == Caller(TenantId("acme"), PersonId("e1007"), "participant")
    assert grant.caller("manager").role == "manager"
    with pytest.raises(Forbidden):
        grant.caller("hr")


@pytest.mark.parametrize(
    ("token", "said"),
    [
        pytest.param(signed(OTHER), "key we do not know", id="a key that is not the issuer's"),
        pytest.param(signed(OTHER, header={"kid": "one"}), "signature", id="another's by its name"),
        pytest.param(signed(iss="https://id.evil.example"), "issuer", id="another issuer"),
        pytest.param(signed(iss=ACME.issuer + "/"), "issuer", id="nearly the issuer"),
        pytest.param(signed(aud="payroll"), "aud", id="for another service"),
        pytest.param(signed(aud=None), "aud", id="for nobody"),
        pytest.param(signed(exp=None), "exp", id="good for ever"),
        pytest.param(signed(exp=NOW_S - 31), "expired", id="expired"),
        pytest.param(signed(exp="tomorrow"), "exp", id="an end that is no number"),
        pytest.param(signed(exp=True), "exp", id="an end that is a truth"),
        pytest.param(signed(nbf=NOW_S + 31), "nbf", id="not good yet"),
        pytest.param(signed(iat=NOW_S + 31), "iat", id="issued in the future"),
        pytest.param(signed(oid=None), "oid", id="about nobody"),
        pytest.param(signed(oid="a/b"), "oid", id="about what is no person's id"),
        pytest.param(signed(oid=["e1007"]), "oid", id="about several"),
        pytest.param(signed(realm_access={"roles": ["Finance"]}), "role", id="no role of ours"),
        pytest.param(signed(realm_access="x"), "role", id="roles that are none"),
        pytest.param(signed(header={"typ": "logout+jwt"}), "kind", id="a logout token"),
        pytest.param(
            signed(header={"crit": ["x"], "x": "1"}), "signature", id="critical and unknown"
        ),
        pytest.param("x", "signed token", id="no token at all"),
        pytest.param("a.b.c", "read", id="three parts of nothing"),
        pytest.param("a" * 9000, "long", id="too long"),
        pytest.param(signed(pad="x" * 9000), "long", id="too long and signed"),
    ],
)
async def test_a_token_is_not_believed(token: str, said: str) -> None:
    with pytest.raises(BadToken, match=said):
        await tokens().grant(token)


def _forged(header: Mapping[str, Any], signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(CLAIMS).encode(), signature)
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


async def test_the_token_does_not_choose_how_it_is_verified() -> None:
    public = json.dumps(KEY.as_dict(private=False)).encode()
    by_public_key = jwt.encode(
        {"alg": "HS256", "kid": "one"}, dict(CLAIMS), OctKey.import_key(public)
    )
    not_at_all = _forged({"alg": "none", "kid": "one"})
    embedded = signed(OTHER, header={"kid": "one", "jwk": OTHER.as_dict(private=False)})

    for token in (by_public_key, not_at_all, embedded, _forged({"kid": "one"})):
        with pytest.raises(BadToken):
            await tokens().grant(token)


@given(st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")), st.integers(0, 2))
async def test_no_token_is_answered_by_anything_but_belief_or_refusal(junk: str, at: int) -> None:
    parts = signed().split(".")
    parts[at] = junk
    for token in (".".join(parts), junk):
        with pytest.raises(BadToken):
            await tokens().grant(token)


async def test_a_customers_provider_speaks_for_its_own_tenant_alone() -> None:
    ours = Issuer(issuer="https://id.ours.example", audience="trustfold", tenant_claim="org.tenant")
    both = Tokens([(ACME, Keys(KEY)), (ours, Keys(OTHER))], Clock())
    said: dict[str, Any] = {
        "oid": "e1",
        "sub": "e1",
        "roles": ["service"],
        "org": {"tenant": "globex"},
    }

    theirs = await both.grant(signed(tenant="globex", org={"tenant": "globex"}))
    everybodys = await both.grant(signed(OTHER, iss=ours.issuer, **said))

    assert (theirs.tenant, everybodys.tenant) == ("acme", "globex")
    with pytest.raises(BadToken):  # acme's provider, in the name of ours
        await both.grant(signed(KEY, iss=ours.issuer, **said))
    with pytest.raises(BadToken, match=r"org\.tenant"):
        await both.grant(signed(OTHER, iss=ours.issuer, **said | {"org": {"tenant": "a/b"}}))


async def test_what_was_believed_is_not_verified_again_until_it_ends_or_a_key_goes() -> None:
    clock, keys = Clock(), Keys(KEY)
    believing, token = Tokens([(ACME, keys)], clock), signed()
    first = await believing.grant(token)

    keys.keys.clear()
    assert await believing.grant(token) is first
    keys.version += 1
    with pytest.raises(BadToken):
        await believing.grant(token)

    keys.keys = {"one": KEY}
    await believing.grant(token)
    clock.now_s += HOUR_S + ACME.leeway_s
    with pytest.raises(BadToken, match="expired"):
        await believing.grant(token)


async def test_who_has_no_role_gets_the_default_where_there_is_one() -> None:
    lenient = ACME.model_copy(update={"default_role": "participant"})

    grant = await tokens(lenient).grant(signed(realm_access=None))

    assert grant.roles == {"participant"}
