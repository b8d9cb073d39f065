"""Records to decode: right ones, and right ones with one thing changed."""

from __future__ import annotations

import json
from typing import Any

import orjson

from shared.errors import PoisonMessage
from shared.events.contracts.examples import sample
from shared.events.envelope import Event, decode
from shared.events.reasons import REASONS
from shared.events.registry import FACTS

Headers = list[tuple[str, Any]]
Record = tuple[bytes | None, bytes | None, Headers]

STRUCTURED = b"application/cloudevents+json; charset=UTF-8"
# A reason is a log line and a header of the dead letter: short, whatever the record holds.
MAX_WORDS = 400


def outcome(record: Record) -> Event | str:
    """The event, or the reason it is poison. Any other exception fails the test."""
    try:
        event = decode(*record)
    except PoisonMessage as error:
        poison = error
    else:
        assert isinstance(event, Event)
        return event
    assert poison.reason in REASONS
    assert 0 < len(str(poison)) <= MAX_WORDS
    return poison.reason


def binary(name: str = "session.held", **headers: bytes | None) -> Record:
    document = sample(FACTS[name])
    told = {key: text.encode() for key, text in document["headers"].items()}
    changed = {key.replace("content_type", "content-type"): text for key, text in headers.items()}
    key = document["key"].encode()
    return key, orjson.dumps(document["value"]), list({**told, **changed}.items())


def without(name: str) -> Record:
    key, value, headers = binary()
    return key, value, [header for header in headers if header[0] != name]


def holding(name: str = "session.held", **fields: Any) -> Record:
    key, value, headers = binary(name)
    return key, json.dumps({**orjson.loads(value or b""), **fields}).encode(), headers


def with_value(value: bytes | None) -> Record:
    key, _, headers = binary()
    return key, value, headers


def structured(data: bytes, **changed: Any) -> Record:
    key, _, headers = binary()
    named = {name[3:]: text.decode() for name, text in headers if name.startswith("ce_")}
    head = json.dumps({**named, **changed})
    return key, head[:-1].encode() + b', "data": ' + data + b"}", [("content-type", STRUCTURED)]


def deep(levels: int) -> bytes:
    """A fact that is fine, but for one unknown field that is nested deep."""
    value = binary()[1] or b""
    return value[:-1] + b',"x":' + b"[" * levels + b"]" * levels + b"}"
