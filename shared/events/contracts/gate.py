"""Holds the committed contracts against the code: refuses what would break a reader.

The baseline is the folder itself: each version of each type ever published keeps its schema there,
and what the classes say now must read and be read by all of them. It never writes; `files` does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from shared.events.compatibility import Schema, breaking_changes, changes
from shared.events.contracts.schemas import FILE_NAME, schema_of
from shared.events.fact import Fact

SCHEMAS = Path("shared/events/schemas")
EXAMPLES = Path("shared/events/examples")

Facts = Mapping[str, type[Fact]]
Committed = Mapping[str, Mapping[int, Schema]]


def refusals(root: Path, facts: Facts, released: Path | None = None) -> list[str]:
    """What no regeneration can mend, in words. `released` is the tree of an earlier release."""
    committed, problems = _committed(root / SCHEMAS)
    for name in sorted(committed.keys() - facts.keys()):
        problems.append(
            f"{name}: the type is gone, but it was published: put its class back (stop sending it"
            " instead, and say so in its docstring)"
        )
    for name, fact in facts.items():
        problems += _versions(name, fact, committed.get(name, {}), root)
    problems += _examples(root / EXAMPLES, facts)
    return problems + list(_since(root, released) if released else ())


def _committed(folder: Path) -> tuple[dict[str, dict[int, Schema]], list[str]]:
    found: dict[str, dict[int, Schema]] = {}
    problems = []
    for path in sorted(folder.glob("*")):
        named = FILE_NAME.fullmatch(path.name)
        if named is None:
            problems.append(f"{SCHEMAS / path.name}: is not called <type>.v<version>.json")
            continue
        try:
            schema = json.loads(path.read_bytes())
        except ValueError:
            schema = None
        if not isinstance(schema, dict):
            problems.append(f"{SCHEMAS / path.name}: is not a JSON Schema; restore it")
            schema = {}
        found.setdefault(named["type"], {})[int(named["version"])] = schema
    return found, problems


def _versions(
    name: str, fact: type[Fact], committed: Mapping[int, Schema], root: Path
) -> Iterator[str]:
    for version in range(1, fact.version):
        for folder in (SCHEMAS, EXAMPLES):
            path = folder / f"{name}.v{version}.json"
            if not (root / path).exists():
                yield f"{path}: is gone; what was published stays for ever: restore it"
    if newer := [version for version in committed if version > fact.version]:
        yield f"{name}: version {max(newer)} is committed, but {fact.__name__} says {fact.version}"
    now = schema_of(fact)
    for version, schema in sorted(committed.items()):
        if broken := breaking_changes(schema, now):
            yield from (f"{problem} (since v{version})" for problem in broken)
            yield f"{name}: this breaks readers: undo it, or make it a new type beside {name!r}"
        elif version == fact.version and (grown := changes(schema, now)):
            said = "; ".join(f"{change.path} {change.words}" for change in grown)
            yield (
                f"{name}: {said}: a compatible change, so set version = {fact.version + 1} on"
                f" {fact.__name__} and run make contracts"
            )


def _examples(folder: Path, facts: Facts) -> Iterator[str]:
    """Golden examples that the classes read no longer: a validator says what a schema cannot."""
    for path in sorted(folder.glob("*.json")):
        named = FILE_NAME.fullmatch(path.name)
        fact = facts.get(named["type"]) if named else None
        if fact is None:
            yield f"{EXAMPLES / path.name}: belongs to no fact"
            continue
        try:
            fact.model_validate_json(json.dumps(json.loads(path.read_bytes())["value"]))
        except (ValueError, LookupError, TypeError):
            yield f"{EXAMPLES / path.name}: {fact.__name__} reads it no longer: undo what did that"


def _since(root: Path, released: Path) -> Iterator[str]:
    """What differs from an earlier release although it may not."""
    for folder in (SCHEMAS, EXAMPLES):
        for path in sorted((released / folder).glob("*.json")):
            here = root / folder / path.name
            if not here.exists():
                yield f"{folder / path.name}: was released and is gone: restore it"
            elif _differs(folder, json.loads(path.read_bytes()), json.loads(here.read_bytes())):
                yield f"{folder / path.name}: was released and now says something else: restore it"


def _differs(folder: Path, released: Schema, here: Schema) -> bool:
    # The words of a schema may still be mended; an example stands for records in the logs.
    return bool(changes(released, here)) if folder == SCHEMAS else released != here
