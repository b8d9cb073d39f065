"""CloudEvents 1.0 on Kafka: bytes in, bytes out. Binary mode out, both modes in. Pure.

Sources: CloudEvents 1.0.2 and its Kafka protocol binding 1.0.2 (section 3.1: the mode is told by
the content-type, not by which headers are there). `decode` raises PoisonMessage and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from asyncpg.pgproto.pgproto import UUID as PostgresUUID
from pydantic import ValidationError

from shared.errors import PoisonMessage
from shared.events.fact import Fact
from shared.events.registry import FACTS, dataschema
from shared.ids import TenantId, derived_id

Headers = Sequence[tuple[str, bytes]]

# In the place of the key of what is no record.
_NO_RECORD: Any = object()

CONTENT_TYPE = "application/json; charset=utf-8"
MAX_VALUE_BYTES = 256 * 1024
MAX_ATTRIBUTE_CHARS = 512
STRUCTURED_PREFIX = b"application/cloudevents"
# The services' own sources; their ids are UUIDs, unique across all of them.
OWN_SOURCE_PREFIX = "urn:trustfold:service:"
_NO_CAUSE = ""
# Postgres keeps no U+0000, and U+001F parts derived ids: such a record would fail for ever.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TENANT = re.compile(r"[A-Za-z0-9_-]{1,64}")
# What is read of an event's attributes, required ones first; the others are not even decoded.
_ATTRIBUTES = (
    *("specversion", "id", "source", "type", "time", "tenant"),
    *("correlationid", "causationid", "traceparent"),
)
_HEADERS = tuple(f"ce_{name}" for name in _ATTRIBUTES)
_NUL_IN_JSON = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Event(NamedTuple):
    """A fact and where it came from.

    `event_id` is what makes two deliveries the same event: tenant, source and id as one UUID.
    A named tuple because one is made per record: a frozen dataclass costs four times as much.
    """

    event_id: UUID
    source: str
    tenant: TenantId
    occurred_at: datetime
    fact: Fact
    ce_id: str
    correlation_id: str = _NO_CAUSE
    causation_id: str = _NO_CAUSE
    traceparent: str = _NO_CAUSE

    @property
    def key(self) -> str:
        """The record's key: everything about one subject of a tenant is in order."""
        return f"{self.tenant}/{self.fact.subject}"


def new_event(
    fact: Fact,
    *,
    event_id: UUID,
    tenant: TenantId,
    service: str,
    now: datetime,
    cause: Event | None = None,
) -> Event:
    """An event of ours about `fact`, which happened at `now` (aware), because of `cause`."""
    return Event(
        event_id=event_id,
        source=OWN_SOURCE_PREFIX + service,
        tenant=tenant,
        occurred_at=now.astimezone(UTC),
        fact=fact,
        ce_id=str(event_id),
        correlation_id=cause.correlation_id or cause.ce_id if cause else str(event_id),
        causation_id=cause.ce_id if cause else _NO_CAUSE,
        traceparent=cause.traceparent if cause else _NO_CAUSE,
    )


def attributes(event: Event) -> dict[str, str]:
    """The event's CloudEvents attributes by their plain names, extensions included."""
    named = {
        "specversion": "1.0",
        "id": event.ce_id,
        "source": event.source,
        "type": event.fact.type,
        "time": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "subject": event.fact.subject,
        "dataschema": dataschema(type(event.fact)),
        "partitionkey": event.key,
        "tenant": event.tenant,
        "correlationid": event.correlation_id,
        "causationid": event.causation_id,
        "traceparent": event.traceparent,
    }
    return {name: value for name, value in named.items() if value}


def encode_value(fact: Fact) -> bytes:
    """The fact as the record's value: compact UTF-8 JSON."""
    return fact.__pydantic_serializer__.to_json(fact)


def encode(event: Event) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """Key, value and headers of the record in binary mode."""
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes(event).items()]
    headers.append(("content-type", CONTENT_TYPE.encode()))
    return event.key.encode(), encode_value(event.fact), headers


def decode(key: bytes | None, value: bytes | None, headers: Headers) -> Event:
    """Read a record in either mode.

    Raises PoisonMessage, and nothing else, with the reason `no_value`, `too_large`, `bad_header`,
    `missing_attribute`, `bad_attribute`, `unknown_type`, `bad_data`, `bad_envelope` or `wrong_key`.
    """
    if value is None:
        raise PoisonMessage("no_value", "the record has no value")
    return _decode(value, headers, key)


def read(value: bytes, headers: Headers) -> Event:
    """Read an event in either mode that comes without a record's key. Raises as `decode` does."""
    return _decode(value, headers, _NO_RECORD)


def read_structured(envelope: dict[str, Any]) -> Event:
    """Read an event in structured mode that is parsed already. Raises as `decode` does."""
    named, data = _open_envelope(envelope)
    if len(data) > MAX_VALUE_BYTES:
        raise PoisonMessage("too_large", f"the data is over {MAX_VALUE_BYTES} bytes")
    return _build([named.get(name) for name in _ATTRIBUTES], data, _NO_RECORD)


def _decode(value: bytes, headers: Headers, key: bytes | None) -> Event:
    if len(value) > MAX_VALUE_BYTES:
        raise PoisonMessage("too_large", f"the value is over {MAX_VALUE_BYTES} bytes")
    raw = dict(headers)
    content_type = raw.get("content-type")
    if content_type and content_type[: len(STRUCTURED_PREFIX)].lower() == STRUCTURED_PREFIX:
        named, data = _open_structured(value)
        return _build([named.get(name) for name in _ATTRIBUTES], data, key)
    try:
        found = [text if text is None else text.decode() for text in map(raw.get, _HEADERS)]
    except UnicodeDecodeError:
        raise PoisonMessage("bad_header", "a ce_ header is not UTF-8") from None
    return _build(found, value, key)


def _open_structured(value: bytes) -> tuple[dict[str, str], bytes]:
    try:
        envelope: Any = orjson.loads(value)
    except orjson.JSONDecodeError:
        raise PoisonMessage("bad_envelope", "the value is not a JSON envelope") from None
    if not isinstance(envelope, dict):
        raise PoisonMessage("bad_envelope", "the envelope is no object")
    return _open_envelope(envelope)


def _open_envelope(envelope: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    if "data" not in envelope:
        raise PoisonMessage("bad_envelope", "the envelope has no data")
    try:
        data = orjson.dumps(envelope.pop("data"))
    except orjson.JSONEncodeError:
        raise PoisonMessage("bad_envelope", "the data is nested too deep") from None
    return {name: text for name, text in envelope.items() if isinstance(text, str)}, data


def _build(found: list[str | None], data: bytes, key: bytes | None) -> Event:
    """An event from its attributes, in the order of _ATTRIBUTES, and its data."""
    version, ce_id, source, type_, time, tenant, correlation, causation, trace = found
    if version is None or ce_id is None or source is None:
        raise _missing(found)
    if type_ is None or time is None or tenant is None:
        raise _missing(found)
    origin = _origin(version, source, type_, tenant)
    correlation, causation, trace = correlation or "", causation or "", trace or ""
    _check_text(ce_id, correlation, causation, trace)
    fact = _read_fact(origin.fact, data)
    event_id = _own_id(ce_id) if origin.own else derived_id(tenant, source, ce_id)
    # A key of another subject would put the fact out of order with its own: refuse it.
    if key is not _NO_RECORD and key != f"{tenant}/{fact.subject}".encode():
        raise PoisonMessage("wrong_key", "the record's key is not <tenant>/<subject>")
    at, of = _instant(time), origin.tenant
    # Event() itself, without the call in between: once per record.
    return tuple.__new__(
        Event, (event_id, source, of, at, fact, ce_id, correlation, causation, trace)
    )


def _missing(found: list[str | None]) -> PoisonMessage:
    first = _ATTRIBUTES[found.index(None)]
    return PoisonMessage("missing_attribute", f"there is no {first!r}")


class _Origin(NamedTuple):
    tenant: TenantId
    fact: type[Fact]
    own: bool


@lru_cache(maxsize=4096)
def _origin(version: str, source: str, type_: str, tenant: str) -> _Origin:
    """What is the same for all events of a type from one source, checked once."""
    if version != "1.0":
        raise PoisonMessage("bad_attribute", "specversion is not 1.0")
    if not source:
        raise PoisonMessage("bad_attribute", "the source is empty")
    _check_text(source)
    if not _TENANT.fullmatch(tenant):
        raise PoisonMessage("bad_attribute", "tenant is not a short name of letters and digits")
    fact = FACTS.get(type_)
    if fact is None:
        raise PoisonMessage("unknown_type", f"no fact is called {type_!r:.80}")
    return _Origin(TenantId(tenant), fact, source.startswith(OWN_SOURCE_PREFIX))


def _check_text(first: str, *others: str) -> None:
    """The first may not be empty; none may be long or hold a control character."""
    if not first:
        raise PoisonMessage("bad_attribute", "the id is empty")
    together = "".join((first, *others)) if others else first
    # The common case is one comparison; whether one is too long is asked only when it may be.
    if len(together) > MAX_ATTRIBUTE_CHARS and (
        max(map(len, (first, *others))) > MAX_ATTRIBUTE_CHARS
    ):
        raise PoisonMessage("bad_attribute", "an id, the source or the trace is too long")
    if not together.isprintable() and _CONTROL.search(together):
        raise PoisonMessage("bad_attribute", "an attribute holds a control character")


def _read_fact(cls: type[Fact], data: bytes) -> Fact:
    type_ = cls.type
    if b"\\u0000" in data and _NUL_IN_JSON.search(data):
        raise PoisonMessage("bad_data", f"{type_}: a text holds U+0000")
    try:
        fact: Fact = cls.__pydantic_validator__.validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise PoisonMessage(
            "bad_data", f"{type_}: {_where(first['loc'])}: {first['msg']}"
        ) from None
    except LookupError:
        # pydantic lets it through: zoneinfo's "no such zone" is a KeyError.
        raise PoisonMessage("bad_data", f"{type_}: a field names what does not exist") from None
    return fact


def _where(location: tuple[int | str, ...]) -> str:
    # Before "[key]" stands a map's key, which is the record's own content: not to be quoted.
    named = (*location[:-2], "*") if location[-1:] == ("[key]",) else location
    return ".".join(map(str, named))[:120] or "the value"


def _own_id(ce_id: str) -> UUID:
    try:
        # asyncpg's UUID is uuid.UUID's equal written in C: a fifth of the time, once per record.
        return PostgresUUID(ce_id)
    except ValueError:
        raise PoisonMessage("bad_attribute", "the id of an own event is not a UUID") from None


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise PoisonMessage("bad_attribute", "time has no zone")
        return at if at.tzinfo is UTC else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise PoisonMessage("bad_attribute", "time is not an RFC 3339 instant") from None
