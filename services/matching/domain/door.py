"""What may come in by HTTP: facts about the sender's own people, as events of their own.

Pure. The record that HR writes to Kafka itself and the event that comes in here are read alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from shared.errors import PoisonMessage
from shared.events.envelope import OWN_SOURCE_PREFIX, Event, encode_value, read_structured
from shared.events.registry import FACTS
from shared.events.topics import PEOPLE
from shared.ids import TenantId


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event does not come in: `field` names what is wrong, as far as it can be told."""

    field: str
    message: str


def judge(envelope: object, tenant: TenantId) -> Event | Refusal:
    """The event in a structured envelope, or why it is refused.

    One that names no tenant is of the sender's.
    """
    if not isinstance(envelope, dict):
        return Refusal("event", "an event is a JSON object")
    envelope.setdefault("tenant", tenant)
    return judge_read(lambda: read_structured(envelope), envelope, tenant)


def judge_read(
    read: Callable[[], Event], named: Mapping[str, object], tenant: TenantId
) -> Event | Refusal:
    """The event with these attributes that `read` reads, or why it is refused."""
    known = FACTS.get(str(named.get("type")))
    if known is not None and known.topic is not PEOPLE:
        return Refusal("type", f"{known.type} is not for HR to say: facts about people are")
    if str(named.get("source")).startswith(OWN_SOURCE_PREFIX):
        return Refusal("source", "sources of this name are our own services: use one of yours")
    try:
        event = read()
    except PoisonMessage as error:
        return _refusal(error)
    if event.tenant != tenant:
        return Refusal("tenant", "this is not your tenant")
    return event


def digest_of(event: Event) -> bytes:
    """What tells one event from another under the same name."""
    said: tuple[Any, ...] = (event.fact.type, event.occurred_at.isoformat())
    return sha256("\x1f".join(said).encode() + b"\x1f" + encode_value(event.fact)).digest()


def _refusal(error: PoisonMessage) -> Refusal:
    """The field is named in the reason's own words: `type: field: what is wrong`."""
    text = str(error)
    if error.reason == "bad_data":
        _, _, rest = text.partition(": ")
        field, found, message = rest.partition(": ")
        return Refusal(f"data.{field}", message) if found else Refusal("data", rest)
    if error.reason == "missing_attribute":
        return Refusal(text.partition("'")[2].rstrip("'"), text)
    return Refusal(_NAMED.get(error.reason, "event"), text)


_NAMED = {"unknown_type": "type", "too_large": "data", "bad_envelope": "data"}
