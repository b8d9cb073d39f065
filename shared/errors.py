"""Three errors, three fates. Nothing else about errors lives here."""

from __future__ import annotations

from collections.abc import Sequence


class TrustfoldError(Exception):
    """Something in Trustfold went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class Rejected(TrustfoldError):
    """A rule said no. The caller may correct the request; nobody is paged.

    Rendered as problem+json (RFC 9457) with `slug` as its type, `status` as its HTTP status and
    `field` naming the offending input where there is one. `allowed` names what the one who asks may
    do instead; None where that is not known.
    """

    slug = "rejected"
    status = 422

    def __init__(
        self,
        message: str | None = None,
        *,
        field: str | None = None,
        allowed: Sequence[str] | None = None,
    ) -> None:
        super().__init__(message)
        self.field = field
        self.allowed = allowed


class NotFound(Rejected):
    """There is no such thing, or it is not yours to see."""

    slug = "not-found"
    status = 404


class Conflict(Rejected):
    """Somebody else got there first, or the thing has moved on."""

    slug = "conflict"
    status = 409


class Forbidden(Rejected):
    """You are known, but this is not yours to do."""

    slug = "forbidden"
    status = 403


class Retryable(TrustfoldError):
    """Try again later: nothing is wrong with the message, something around it is."""


class PoisonMessage(TrustfoldError):
    """This record can never be handled as it is. It goes to the dead letters with its reason.

    `reason` is a stable slug (metrics, dead-letter header); the message says it in words and names
    the field; it never quotes the record's own content.
    """

    def __init__(self, reason: str, message: str | None = None) -> None:
        super().__init__(message or reason)
        self.reason = reason
