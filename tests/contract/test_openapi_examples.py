"""The examples in the document of insights are answers it could give."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from services.insights.views.exports import COLUMNS
from tests.contract.openapi_changes import operations

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs/reference/openapi/insights.json").read_bytes())
SHOWN = (
    "get /v1/alerts",
    "get /v1/programmes",
    "get /v1/programmes/{programme_id}/measures",
    "get /v1/programmes/{programme_id}/export",
)
NAMES = [column.name for column in COLUMNS]


def is_instant(value: object) -> bool:
    """RFC 3339 with a zone; the library's own check needs a package that nobody has."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


FORMATS = FormatChecker(("uuid",))
FORMATS.checkers = {**FORMATS.checkers, "date-time": (is_instant, ValueError)}


def wrong(schema: dict[str, Any], value: object) -> list[str]:
    """What the schema, a part of the document, says against a value."""
    whole = {**schema, "components": DOCUMENT["components"]}
    judge = Draft202012Validator(whole, format_checker=FORMATS)
    return [error.message for error in judge.iter_errors(value)]


def examples(node: Any) -> Iterator[tuple[dict[str, Any], object]]:
    """Every example anywhere in a part of the document, with the schema it has to fit."""
    if isinstance(node, list):
        for each in node:
            yield from examples(each)
    if not isinstance(node, dict):
        return
    schema = node.get("schema", node)
    yield from ((schema, value) for value in node.get("examples", ()))
    if "example" in node:
        yield schema, node["example"]
    for name, each in node.items():
        if name not in ("example", "examples"):
            yield from examples(each)


def test_every_example_fits_its_shape() -> None:
    found = list(examples(DOCUMENT))
    assert len(found) >= 9
    assert [(value, said) for schema, value in found if (said := wrong(schema, value))] == []


@pytest.mark.parametrize("place", SHOWN)
def test_an_operation_shows_what_it_answers(place: str) -> None:
    (operation,) = [it for where, it in operations(DOCUMENT) if where == place]
    for kind, content in operation["responses"]["200"]["content"].items():
        schema = content["schema"]
        name = schema.get("$ref", "").rpartition("/")[2]
        shape = DOCUMENT["components"]["schemas"][name] if name else content
        assert shape.get("examples") or shape.get("example") or schema.get("format") == "binary", (
            kind
        )


@pytest.mark.parametrize("breaks", [{"pairs": "many"}, {"bands": {"fine": 1.0}}, {"as_of": "May"}])
def test_an_example_that_is_no_answer_is_found(breaks: dict[str, object]) -> None:
    schema = {"$ref": "#/components/schemas/ProgrammeMeasures"}
    (shown, *_) = DOCUMENT["components"]["schemas"]["ProgrammeMeasures"]["examples"]
    assert wrong(schema, {**shown, "items": [{**shown["items"][0], **breaks}]})


def test_the_export_that_is_shown_has_every_column() -> None:
    place = DOCUMENT["paths"]["/v1/programmes/{programme_id}/export"]["get"]
    shown = place["responses"]["200"]["content"]
    header, row = csv.reader(io.StringIO(shown["text/csv"]["example"]), strict=True)
    line = json.loads(shown["application/x-ndjson"]["example"])
    assert (header, list(line)) == (NAMES, NAMES)
    assert row == [str(value) for value in line.values()]
