"""The committed JSON Schemas: closed, named, and true of the examples."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.events.contracts import check
from shared.events.contracts.schemas import DIALECT, FILE_NAME, as_text, schema_of
from shared.events.registry import FACTS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "shared/events/schemas"
SCHEMAS = sorted(FOLDER.glob("*.json"))
BY_NAME = pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from nodes(child)
    elif isinstance(node, list):
        for child in node:
            yield from nodes(child)


def test_the_committed_contracts_are_fresh_and_break_nobody() -> None:
    assert check(ROOT) == []


@BY_NAME
def test_a_schema_is_a_closed_json_schema_named_by_its_urn(path: Path) -> None:
    schema = json.loads(path.read_bytes())
    named = FILE_NAME.fullmatch(path.name)
    assert named is not None
    assert schema["$schema"] == DIALECT
    assert schema["$id"] == f"urn:trustfold:schema:{named['type']}:{named['version']}"
    assert schema["title"]
    assert schema["description"]
    jsonschema.Draft202012Validator.check_schema(schema)
    for node in nodes(schema):
        if isinstance(node.get("properties"), dict) and node.get("type") == "object":
            assert node["additionalProperties"] is False


@BY_NAME
def test_an_example_is_valid_and_a_stranger_field_is_not(path: Path) -> None:
    schema = json.loads(path.read_bytes())
    value = json.loads((ROOT / "shared/events/examples" / path.name).read_bytes())["value"]
    checker = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    assert list(checker.iter_errors(value)) == []
    assert list(checker.iter_errors({**value, "stranger": 1}))


@pytest.mark.parametrize("name", FACTS)
def test_a_schema_is_made_the_same_each_time(name: str) -> None:
    made = as_text(schema_of(FACTS[name]))
    assert made == as_text(schema_of(FACTS[name]))
    assert made.endswith("}\n")


def test_maps_keep_the_schema_of_their_values() -> None:
    facets = schema_of(FACTS["trust.changed"])["$defs"]["DirectionTrust"]["properties"]["facets"]
    assert facets["additionalProperties"] == {"$ref": "#/$defs/FacetTrust"}


def test_no_service_imports_the_tool_that_generates_contracts() -> None:
    for path in (ROOT / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            module = node.module if isinstance(node, ast.ImportFrom) else ""
            assert not (module or "").startswith("shared.events.contracts"), path
