"""Says of events in files whether Trustfold would read them, and if not, why. Reads, never writes.

For producers: HR can try its export before it sends the first record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from shared.errors import PoisonMessage
from shared.events.envelope import Event, decode

_STRUCTURED = [("content-type", b"application/cloudevents+json; charset=utf-8")]
# Which attribute the words of a refusal are about.
_NAMED = re.compile(r"'(\w+)'|\b(specversion|source|tenant|time|id|partitionkey|key|data)\b")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one event. `reason` is empty when it can be read; `field` names what is
    wrong as the producer knows it: a field of the data, or an attribute of the envelope.
    """

    place: str
    type: str = ""
    reason: str = ""
    field: str = ""
    words: str = ""
    ignored: tuple[str, ...] = ()

    @property
    def is_ok(self) -> bool:
        """Whether the network reads the event."""
        return not self.reason

    @property
    def line(self) -> str:
        """`ok <place> <type>`, or `no <place> <reason>: <words>`."""
        if not self.is_ok:
            return f"no {self.place} {self.reason}: {self.words}"
        note = f" (ignored: {', '.join(self.ignored)})" if self.ignored else ""
        return f"ok {self.place} {self.type}{note}"

    def as_json(self) -> dict[str, Any]:
        """For machines; what does not apply is null or empty."""
        return {
            "place": self.place,
            "ok": self.is_ok,
            "type": self.type or None,
            "reason": self.reason or None,
            "field": self.field or None,
            "detail": self.words or None,
            "ignored": list(self.ignored),
        }


def verify(paths: Iterable[Path]) -> list[str]:
    """One line per event: `ok <place> <type>`, or `no <place> <reason>: <words>`."""
    return [each.line for each in verdicts(paths)]


def verdicts(paths: Iterable[Path]) -> list[Verdict]:
    """What is said of each event in the files, in their order. Never raises for what they hold.

    A file holds one event in binary form (`key`, `headers`, `value`), or structured CloudEvents:
    one alone, a batch (a list), or one a line. A structured event names its record's key in
    `partitionkey`.
    """
    return [each for path in paths for each in _of_file(path)]


def _of_file(path: Path) -> Iterator[Verdict]:
    try:
        content = path.read_bytes()
    except OSError as error:
        yield Verdict(str(path), reason="unreadable", words=str(error.strerror))
        return
    whole = _parsed(content)
    if isinstance(whole, dict):
        yield _verdict(str(path), content, whole)
        return
    if isinstance(whole, list) and whole:
        for number, each in enumerate(whole):
            yield _verdict(f"{path}[{number}]", json.dumps(each).encode(), each)
        return
    lines = [(place, line) for place, line in enumerate(content.splitlines(), 1) if line.strip()]
    if not lines:
        yield Verdict(str(path), reason="empty", words="there is no event in it")
    for place, line in lines:
        yield _verdict(f"{path}:{place}", line, _parsed(line))


def _parsed(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except ValueError:
        return None


def _verdict(place: str, content: bytes, parsed: Any) -> Verdict:
    try:
        event, value = _decoded(content, parsed)
    except PoisonMessage as error:
        field = _field(error.reason, str(error))
        return Verdict(place, reason=error.reason, field=field, words=str(error))
    ignored = sorted(value.keys() - type(event.fact).model_fields.keys())
    return Verdict(place, event.fact.type, ignored=tuple(ignored))


def _field(reason: str, words: str) -> str:
    """The field that the refusal is about, as its words name it."""
    match reason:
        case "bad_data":
            named = words.split(": ")
            return f"data.{named[1]}" if len(named) > 2 and named[1] != "the value" else "data"
        case "unknown_type":
            return "type"
        case "wrong_key":
            return "partitionkey"
    found = _NAMED.search(words)
    return (found[1] or found[2]) if found else ""


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
