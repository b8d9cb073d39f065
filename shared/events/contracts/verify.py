"""Says of events in files whether Trustfold would read them, and if not, why. Reads, never writes.

For producers: HR can try its export before it sends the first record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from shared.errors import PoisonMessage
from shared.events.envelope import Event, decode

_STRUCTURED = [("content-type", b"application/cloudevents+json; charset=utf-8")]


def verify(paths: Iterable[Path]) -> list[str]:
    """One line per event: `ok <place> <type>`, or `no <place> <reason>: <words>`.

    A file holds one example document (`key`, `headers`, `value`), or structured CloudEvents: one
    alone, or one a line. A structured event names its record's key in `partitionkey`.
    """
    return [line for path in paths for line in _verify_file(path)]


def _verify_file(path: Path) -> Iterator[str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        yield f"no {path} unreadable: {error.strerror}"
        return
    whole = _parsed(content)
    if isinstance(whole, dict):
        yield _verdict(str(path), content, whole)
        return
    lines = [(place, line) for place, line in enumerate(content.splitlines(), 1) if line.strip()]
    if not lines:
        yield f"no {path} empty: there is no event in it"
    for place, line in lines:
        yield _verdict(f"{path}:{place}", line, _parsed(line))


def _parsed(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except ValueError:
        return None


def _verdict(place: str, content: bytes, parsed: Any) -> str:
    try:
        event, value = _decoded(content, parsed)
    except PoisonMessage as error:
        return f"no {place} {error.reason}: {error}"
    ignored = sorted(value.keys() - type(event.fact).model_fields.keys())
    note = f" (ignored: {', '.join(ignored)})" if ignored else ""
    return f"ok {place} {event.fact.type}{note}"


def _decoded(content: bytes, parsed: Any) -> tuple[Event, dict[str, Any]]:
    if isinstance(parsed, dict) and isinstance(parsed.get("headers"), dict):
        headers = [(name, str(text).encode()) for name, text in parsed["headers"].items()]
        # The bytes a producer would send, as they stand: json keeps a number as it was written.
        value = json.dumps(parsed.get("value"), ensure_ascii=False).encode()
        return decode(str(parsed.get("key")).encode(), value, headers), parsed["value"]
    key = parsed.get("partitionkey") if isinstance(parsed, dict) else None
    if isinstance(parsed, dict) and not isinstance(key, str):
        raise PoisonMessage("wrong_key", "there is no partitionkey to be the record's key")
    return decode(str(key).encode(), content, _STRUCTURED), (parsed or {}).get("data") or {}
