"""Links that stop messages of a kind: signed, naming whom and what and nothing else. Pure.

A link lives as long as its key: mails are read years later. Keys are changed by putting a new one
first; links of the others hold until these are taken away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from itsdangerous import BadData, URLSafeSerializer

from shared.ids import PersonId, TenantId

LONGEST = 1_000
_SALT = "trustfold.unsubscribe"


@dataclass(frozen=True, slots=True)
class Stop:
    """What a link asks for: no more mail of `category` to `person`."""

    tenant: TenantId
    person: PersonId
    category: str


class Links:
    """Makes and reads links. `keys` are secrets, the newest first; `base` is our public URL."""

    def __init__(self, base: str, keys: Sequence[str]) -> None:
        self._base = base.rstrip("/")
        # The library signs with the last of them.
        self._signing = URLSafeSerializer(
            list(reversed(keys)),
            salt=_SALT,
            signer_kwargs={"key_derivation": "hmac", "digest_method": sha256},
        )

    def link(self, tenant: TenantId, person: PersonId, category: str) -> str:
        """The link for a mail of this category to the person. The same for the same arguments."""
        return f"{self._base}/v1/unsubscribe/{self.token(tenant, person, category)}"

    def token(self, tenant: TenantId, person: PersonId, category: str) -> str:
        """What the link ends in."""
        return str(self._signing.dumps([tenant, person, category]))

    def read(self, token: str) -> Stop | None:
        """What we signed; None for anything else."""
        if len(token) > LONGEST or not token.isascii():
            return None
        try:
            match self._signing.loads(token):
                case [str(tenant), str(person), str(category)]:
                    return Stop(TenantId(tenant), PersonId(person), category)
        except BadData:
            pass
        return None
