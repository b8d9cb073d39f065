"""Receipts of erasures: what was erased where and when, signed so that nobody can make one up."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from shared.errors import TrustfoldError

ALGORITHM = "Ed25519"
TYPE = "trustfold-erasure+jws"


class BadReceipt(TrustfoldError):
    """This receipt was not signed with that key, or not as it stands."""


class Receipts:
    """Signs receipts (RFC 7515, with Ed25519 as RFC 9864 names it). Without a key, none is."""

    def __init__(self, key: str | None) -> None:
        """`key` is a private JWK, as JSON. Raises ValueError when it is none of Ed25519."""
        self._key = OKPKey.import_key(orjson.loads(key)) if key else None
        if self._key is not None and (
            self._key.curve_name != "Ed25519" or not self._key.is_private
        ):
            raise ValueError("the key is no private Ed25519 key")

    def sign(self, content: Mapping[str, object]) -> str | None:
        """The content as a compact JWS; None without a key."""
        if self._key is None:
            return None
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": self._key.kid or self._key.thumbprint()}
        return jws.serialize_compact(header, orjson.dumps(content), self._key, [ALGORITHM])


def read_receipt(receipt: str, key: str) -> dict[str, object]:
    """What a receipt says. `key` is the public JWK, as JSON. Raises BadReceipt."""
    try:
        opened = jws.deserialize_compact(
            receipt.strip(), OKPKey.import_key(orjson.loads(key)), [ALGORITHM]
        )
    except (JoseError, ValueError, TypeError) as error:
        raise BadReceipt from error
    content: dict[str, object] = orjson.loads(opened.payload or b"{}")
    return content
