"""Webhooks: what may be subscribed to, how it is signed, and what follows an attempt. Pure.

Signatures and waits are those of Standard Webhooks 1.0. Time and chance are arguments.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import digest
from typing import Literal, TypeAlias
from uuid import UUID

from shared.errors import Rejected
from shared.events.registry import FACTS
from shared.events.topics import NOTIFICATIONS, PAIRS, SESSIONS
from shared.ids import PersonId, TenantId

# People's facts carry addresses, and internal topics are for services: neither ever goes out.
OPEN = (PAIRS, SESSIONS, NOTIFICATIONS)
TYPES: frozenset[str] = frozenset(name for name, fact in FACTS.items() if fact.topic in OPEN)
FAMILIES: frozenset[str] = frozenset(f"{name.partition('.')[0]}.*" for name in TYPES)
EVERYTHING = "*"
# Sent when somebody asks for a test, to that endpoint alone; nothing can be subscribed to it.
PING = "endpoint.pinged"

SECRET_BYTES = 24
SECRET_PREFIX = "whsec_"
BOTH_SIGN_FOR = timedelta(hours=24)
WAITS = (
    *(timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30)),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
MAX_ATTEMPTS = len(WAITS) + 1
# A wait is made up to this much longer, so that what failed together does not come back together.
SPREAD = 0.2
LONGEST_WAIT = timedelta(hours=24)
PATIENCE = timedelta(days=5)
KEPT_FOR = timedelta(days=30)
GONE = 410

State: TypeAlias = Literal["waiting", "claimed", "delivered", "failed"]
Reason: TypeAlias = Literal["asked", "gone", "failing"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a tenant wants facts of `types` to be sent. `reason` says why it is disabled."""

    tenant: TenantId
    endpoint_id: UUID
    url: str
    types: tuple[str, ...]
    is_enabled: bool
    reason: str | None
    failing_since: datetime | None
    revision: int
    created_at: datetime
    created_by: PersonId


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs: until `old_until`, the secret before this one too."""

    secret: str
    old_secret: str | None = None
    old_until: datetime | None = None

    def at(self, now: datetime) -> tuple[str, ...]:
        """The secrets that sign at an instant, the newest first."""
        if self.old_secret is None or self.old_until is None or now >= self.old_until:
            return (self.secret,)
        return (self.secret, self.old_secret)

    def rotated(self, secret: str, now: datetime) -> Keys:
        """Another secret; the one before signs for a day more."""
        return Keys(secret, self.secret, now + BOTH_SIGN_FOR)


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended: a status, or the code of an error when there was no answer."""

    status: int | None
    error: str | None = None
    retry_after: timedelta | None = None
    took: timedelta = timedelta()

    @property
    def is_delivered(self) -> bool:
        """Only 2xx is a yes: a redirect is not followed, so it is a failure like others."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Then:
    """What follows: the delivery's state, when its line goes on, how long the endpoint rests."""

    state: State
    due_at: datetime
    rest_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """Whether an endpoint is sent to, and since when every attempt has failed."""

    is_enabled: bool
    failing_since: datetime | None
    reason: str | None = None


def new_secret(random: bytes) -> str:
    """A secret as Standard Webhooks writes it. Raises ValueError for too little chance."""
    if len(random) < SECRET_BYTES:
        raise ValueError(f"a secret is made of {SECRET_BYTES} random bytes")
    return SECRET_PREFIX + b64encode(random).decode()


def check_types(types: Sequence[str]) -> tuple[str, ...]:
    """The types, each once and in order. Raises Rejected for one that nobody can subscribe to."""
    for number, each in enumerate(types):
        if each not in TYPES and each not in FAMILIES and each != EVERYTHING:
            known = ", ".join(sorted(FAMILIES))
            raise Rejected(
                f"there is nothing of this type to subscribe to; a type, or one of: {known}",
                field=f"types.{number}",
            )
    return tuple(sorted(set(types)))


def wanted(types: Sequence[str], type_: str) -> bool:
    """Whether one who subscribed to `types` wants a fact of this type."""
    return type_ in types or EVERYTHING in types or f"{type_.partition('.')[0]}.*" in types


def sign(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks; a signature for each secret."""
    timestamp = str(int(at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def wait(attempt: int, chance: float) -> timedelta:
    """How long after the attempt of this number (from 1) the next one is; `chance` is in [0, 1)."""
    return WAITS[min(attempt, len(WAITS)) - 1] * (1 + SPREAD * chance)


def after(ended: Ended, attempt: int, now: datetime, chance: float) -> Then:
    """What follows the attempt of this number, which has just ended."""
    if ended.is_delivered:
        return Then("delivered", now)
    rest = min(ended.retry_after, LONGEST_WAIT) if ended.retry_after else None
    rest_until = now + rest if rest else None
    if attempt >= MAX_ATTEMPTS:
        return Then("failed", now, rest_until)
    # What an endpoint that is gone was to get waits for somebody to enable it again.
    return Then("waiting", max(now + wait(attempt, chance), rest_until or now), rest_until)


def health_after(health: Health, ended: Ended, now: datetime) -> Health:
    """The endpoint's health after an attempt: 410 and five days of failures disable it."""
    if ended.is_delivered:
        return replace(health, failing_since=None)
    since = health.failing_since or now
    if health.is_enabled and ended.status == GONE:
        return Health(False, since, "gone")
    if health.is_enabled and now - since >= PATIENCE:
        return Health(False, since, "failing")
    return replace(health, failing_since=since)


def _signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + b64encode(digest(key, signed, sha256)).decode()
