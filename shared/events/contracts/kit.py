"""The conformance kit: events that HR may send, events that are refused, and what is expected.

Made from the examples of the facts; writes only the folder it is given.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from shared.events.contracts.examples import sample
from shared.events.contracts.kit_readme import README
from shared.events.contracts.schemas import as_text
from shared.events.registry import FACTS
from shared.events.topics import PEOPLE

EXPECTED = "expected.json"
JSON_TYPE = "application/json; charset=utf-8"
Document = dict[str, Any]

# What HR may send about people.
TYPES = tuple(name for name, fact in FACTS.items() if fact.topic == PEOPLE)
_KEPT = ("specversion", "id", "source", "type", "time", "tenant", "subject")


def write_kit(folder: Path) -> list[Path]:
    """Write the kit into `folder`, and return its files. `expected.json` says of each event what
    `trustfold contracts verify` answers: ok, or the refusal's reason and field.
    """
    files = _valid()
    expected: dict[str, dict[str, object]] = {}
    for name, document in files.items():
        many = enumerate(document) if isinstance(document, list) else ()
        for place in [f"{name}[{number}]" for number, _ in many] or [name]:
            expected[place] = {"ok": True, "reason": None, "field": None}
    for name, (document, reason, field) in _invalid().items():
        files[name] = document
        expected[name] = {"ok": False, "reason": reason, "field": field}
    texts = {name: as_text(document) for name, document in files.items()}
    lines = [json.dumps(_structured(_binary(type_)), ensure_ascii=False) for type_ in TYPES]
    texts["valid/people.ndjson"] = "\n".join(lines) + "\n"
    for number in range(1, len(lines) + 1):
        expected[f"valid/people.ndjson:{number}"] = {"ok": True, "reason": None, "field": None}
    texts |= {EXPECTED: as_text(expected), "README.md": README}
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in texts]


def _valid() -> dict[str, Any]:
    files: dict[str, Any] = {}
    for type_ in TYPES:
        files[f"valid/binary/{type_}.json"] = _binary(type_)
        files[f"valid/structured/{type_}.json"] = _structured(_binary(type_))
    files["valid/batch.json"] = [_structured(_binary(type_)) for type_ in TYPES]
    return files


def _binary(type_: str) -> Document:
    """One record: key, headers, and the value that stands alone in it."""
    made = sample(FACTS[type_])
    told = {name: made["headers"].get(f"ce_{name}") for name in _KEPT}
    told |= {"id": f"hr-{type_}", "source": "urn:example:hr"}
    headers = {"content-type": JSON_TYPE, **{f"ce_{n}": text for n, text in told.items() if text}}
    return {"key": made["key"], "headers": headers, "value": made["value"]}


def _structured(record: Document) -> Document:
    named = {name[3:]: text for name, text in record["headers"].items() if name[:3] == "ce_"}
    return {
        **named,
        "partitionkey": record["key"],
        "datacontenttype": "application/json",
        "data": record["value"],
    }


def _invalid() -> dict[str, tuple[Document, str, str]]:
    """Each refusal once per type and form: the document, the reason, the field."""
    made = {}
    for type_ in TYPES:
        for name, (spoil, reason, field) in _SPOILT.items():
            record = copy.deepcopy(_binary(type_))
            spoil(record)
            made[f"invalid/binary/{type_}.{name}.json"] = (record, reason, field)
            made[f"invalid/structured/{type_}.{name}.json"] = (_structured(record), reason, field)
    for name, (field, value) in _FIELDS.items():
        record = copy.deepcopy(_binary("person.joined"))
        record["value"][field.partition(".")[0]] = value
        made[f"invalid/binary/person.joined.{name}.json"] = (record, "bad_data", f"data.{field}")
    return made


def _without_header(name: str) -> Callable[[Document], None]:
    return lambda record: record["headers"].pop(name)


def _header(name: str, text: str) -> Callable[[Document], None]:
    return lambda record: record["headers"].update({name: text})


def _key(record: Document) -> None:
    record["key"] = "acme/somebody-else"


def _person(record: Document) -> None:
    del record["value"]["person_id"]


_SPOILT: Mapping[str, tuple[Callable[[Document], None], str, str]] = {
    "no-id": (_without_header("ce_id"), "missing_attribute", "id"),
    "no-tenant": (_without_header("ce_tenant"), "missing_attribute", "tenant"),
    "no-time": (_without_header("ce_time"), "missing_attribute", "time"),
    "time-without-zone": (_header("ce_time", "2026-01-05T08:00:00"), "bad_attribute", "time"),
    "bad-tenant": (_header("ce_tenant", "a tenant"), "bad_attribute", "tenant"),
    "old-version": (_header("ce_specversion", "0.3"), "bad_attribute", "specversion"),
    "unknown-type": (_header("ce_type", "person.hired"), "unknown_type", "type"),
    "wrong-key": (_key, "wrong_key", "partitionkey"),
    "no-person": (_person, "bad_data", "data.person_id"),
}
# A field of person.joined, and what it may not hold.
_FIELDS: Mapping[str, tuple[str, Any]] = {
    "bad-email": ("email", "not an address"),
    "bad-timezone": ("timezone", "Middle/Earth"),
    "bad-country": ("country", "Germany"),
    "bad-language": ("languages.0", ["English"]),
    "bad-grade": ("grade", -1),
}
