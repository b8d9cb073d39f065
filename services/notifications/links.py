"""Links that stop mail, signed so that nobody can make one for somebody else (RFC 8058 section 3).

A link names a tenant, a person and a category of messages, and can do nothing but stop them. It has
no end: a mail is read when it is read. Knows no SQL and no HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeSerializer

from shared.errors import NotFound
from shared.ids import PersonId, TenantId

PATH = "/v1/unsubscribe"


@dataclass(frozen=True, slots=True)
class Stop:
    """What a link stops."""

    tenant: TenantId
    person: PersonId
    category: str


class Links:
    """Makes and reads links. `keys` are from the oldest to the newest: the newest signs, and all
    are believed, so that a key can be changed while mails with the old one are still read.
    """

    def __init__(self, public_url: str, keys: Sequence[str]) -> None:
        self._at = f"{public_url.rstrip('/')}{PATH}/"
        self._signed = URLSafeSerializer(list(keys), salt="unsubscribe")

    def __call__(self, tenant: TenantId, person: PersonId, category: str) -> str:
        """The link that stops this category of messages for the person."""
        token = self._signed.dumps([tenant, person, category])
        return self._at + (token if isinstance(token, str) else token.decode())

    def read(self, token: str) -> Stop:
        """What the link stops. Raises NotFound for one that we have not made."""
        try:
            tenant, person, category = self._signed.loads(token)
        except (BadSignature, ValueError, TypeError):
            raise NotFound("there is no such link") from None
        return Stop(TenantId(tenant), PersonId(person), category)
