"""Makes the JSON Schema of a fact: 2020-12, closed, one URN. Pure: makes documents, writes none."""

from __future__ import annotations

import json
import re
from typing import Any

from shared.events.compatibility import Schema
from shared.events.fact import Fact
from shared.events.registry import dataschema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# The name of a schema file or golden example: the type and the version it was published as.
FILE_NAME = re.compile(r"(?P<type>[a-z][a-z0-9_.]*)\.v(?P<version>[1-9][0-9]*)\.json")
_FIRST = ("$schema", "$id", "title", "description", "type")


def file_name(fact: type[Fact], version: int | None = None) -> str:
    """`<type>.v<version>.json`, of the fact's own version unless another is named."""
    return f"{fact.type}.v{version or fact.version}.json"


def schema_of(fact: type[Fact]) -> Schema:
    """The fact's schema: closed wherever it is a model, so that registries let fields be added.

    Readers stay tolerant all the same: the classes ignore fields they do not know.
    """
    made = fact.model_json_schema(mode="validation")
    made |= {"$schema": DIALECT, "$id": dataschema(fact)}
    ordered = {name: made.pop(name) for name in _FIRST if name in made}
    parts = made.pop("$defs", {})
    closed = _closed({**ordered, **made})
    if parts:
        closed["$defs"] = {name: _closed(part) for name, part in sorted(parts.items())}
    return closed


def _closed(node: Schema) -> Schema:
    # A model has `properties`; a map has `additionalProperties` of its own and keeps it.
    if "properties" in node and "additionalProperties" not in node:
        return {**node, "additionalProperties": False}
    return node


def as_text(document: Any) -> str:
    """A JSON document as it is committed: two spaces, UTF-8, a newline at its end."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
