"""Writes the published schemas as a schema registry takes them. Reads the committed ones only."""

from __future__ import annotations

import json
from pathlib import Path

from shared.events.contracts.gate import SCHEMAS
from shared.events.contracts.schemas import FILE_NAME, as_text
from shared.events.registry import FACTS

INDEX = "subjects.json"
# Closed schemas may gain an optional field by a registry's BACKWARD check alone; that an older
# reader takes the newer record holds because readers ignore what they do not know.
COMPATIBILITY = "BACKWARD_TRANSITIVE"


def subject(type_: str) -> str:
    """The subject of a type: its topic, then the type (Confluent's TopicRecordNameStrategy)."""
    return f"{FACTS[type_].topic.name}-{type_}"


def export(root: Path, folder: Path) -> list[Path]:
    """Write `<subject>.v<version>.json` (the body of a registration) for each published schema.

    Also `subjects.json`: each subject with its compatibility and its files, the oldest first: the
    order to register them in. Returns the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bodies: dict[tuple[str, int], str] = {}
    for path in (root / SCHEMAS).glob("*.json"):
        named = FILE_NAME.fullmatch(path.name)
        if named is not None and named["type"] in FACTS:
            body = {"schemaType": "JSON", "schema": json.dumps(json.loads(path.read_bytes()))}
            bodies[subject(named["type"]), int(named["version"])] = as_text(body)
    index: dict[str, dict[str, object]] = {}
    written = []
    for (name, version), text in sorted(bodies.items()):
        path = folder / f"{name}.v{version}.json"
        path.write_text(text, encoding="utf-8", newline="\n")
        written.append(path)
        known = index.setdefault(name, {"compatibility": COMPATIBILITY, "files": []})
        known["files"] = [*known["files"], path.name]  # type: ignore[misc]
    (folder / INDEX).write_text(as_text(index), encoding="utf-8", newline="\n")
    return [*written, folder / INDEX]
