"""Hypothesis strategies, made from the schemas: any fact of a class, any event about it."""

from __future__ import annotations

import functools
import json
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from hypothesis import strategies as st
from pydantic import ValidationError

from shared.events.compatibility import Schema
from shared.events.contracts.schemas import schema_of
from shared.events.envelope import OWN_SOURCE_PREFIX, Event
from shared.events.fact import Fact
from shared.events.registry import FACTS
from shared.ids import TenantId, derived_id

# What Postgres can keep: any text but U+0000 (and no lone surrogate, which is not UTF-8).
TEXT = st.characters(codec="utf-8", exclude_characters="\x00")
PLAIN = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
INSTANTS = st.datetimes(timezones=st.just(UTC))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Africa/Lagos", "America/Argentina/Ushuaia"])


@functools.cache
def facts_of(fact: type[Fact]) -> st.SearchStrategy[Fact]:
    """Any fact of the class that its schema allows, and the rules between its fields."""
    schema = schema_of(fact)

    def made(value: dict[str, Any]) -> Fact | None:
        try:
            return fact.model_validate_json(json.dumps(value))
        except ValidationError as error:
            if any(problem["type"] != "value_error" for problem in error.errors()):
                raise  # what a schema allows, the class must read
            return None

    found: Any = _objects(schema, schema).map(made).filter(lambda fact: fact is not None)
    return cast("st.SearchStrategy[Fact]", found)


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Any event of ours or of another producer, about any fact."""
    fact = draw(st.sampled_from(list(FACTS.values())).flatmap(facts_of))
    own = draw(st.booleans())
    event_id = draw(st.uuids())
    name = draw(st.text(PLAIN, min_size=1, max_size=80))
    source = OWN_SOURCE_PREFIX + name if own else "urn:other:" + name
    ce_id = str(event_id) if own else draw(st.text(PLAIN, min_size=1, max_size=512))
    hints = st.text(PLAIN, max_size=512)
    tenant = TenantId(draw(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True)))
    return Event(
        event_id=event_id if own else derived_id(tenant, source, ce_id),
        source=source,
        tenant=tenant,
        occurred_at=draw(INSTANTS),
        fact=fact,
        ce_id=ce_id,
        correlation_id=draw(hints),
        causation_id=draw(hints),
        traceparent=draw(hints),
    )


def _objects(document: Schema, node: Schema) -> st.SearchStrategy[dict[str, Any]]:
    needed = set(node.get("required", ()))
    fields = {
        name: ZONES if name == "timezone" else _values(document, field)
        for name, field in node["properties"].items()
    }
    return st.fixed_dictionaries(
        {name: fields[name] for name in fields if name in needed},
        optional={name: fields[name] for name in fields if name not in needed},
    )


def _values(document: Schema, node: Schema) -> st.SearchStrategy[Any]:
    if "$ref" in node:
        part = document["$defs"][str(node["$ref"]).rsplit("/", 1)[-1]]
        return _values(document, part)
    if "anyOf" in node:
        return st.one_of([_values(document, member) for member in node["anyOf"]])
    if "enum" in node:
        return st.sampled_from(node["enum"])
    match node["type"]:
        case "object" if "properties" in node:
            return _objects(document, node)
        case "object":
            keys = _values(document, {"type": "string", **node.get("propertyNames", {})})
            return st.dictionaries(keys, _values(document, node["additionalProperties"]))
        case "array":
            most = min(node.get("maxItems", 4), 4)
            items = _values(document, node["items"])
            return st.lists(items, min_size=node.get("minItems", 0), max_size=most)
        case "string":
            return _texts(node)
        case "integer":
            return st.integers(node.get("minimum", -(2**40)), node.get("maximum", 2**40))
        case "number":
            return _numbers(node)
        case "boolean":
            return st.booleans()
    return st.none()


def _texts(node: Schema) -> st.SearchStrategy[str]:
    formats: dict[str, st.SearchStrategy[str]] = {
        "uuid": st.uuids().map(UUID.__str__),
        "date-time": INSTANTS.map(datetime.isoformat),
        "date": st.dates().map(str),
    }
    if "format" in node:
        return formats[node["format"]]
    least, most = node.get("minLength", 0), node.get("maxLength", 40)
    if "pattern" in node:
        bare = str(node["pattern"]).removeprefix("^").removesuffix("$")
        made = st.from_regex(bare, fullmatch=True, alphabet=TEXT)
        return made.filter(lambda text: least <= len(text) <= most)
    return st.text(TEXT, min_size=least, max_size=most)


def _numbers(node: Schema) -> st.SearchStrategy[float]:
    least = node.get("minimum", node.get("exclusiveMinimum", -1e300))
    return st.floats(
        min_value=least,
        max_value=node.get("maximum", node.get("exclusiveMaximum", 1e300)),
        exclude_min="exclusiveMinimum" in node,
        exclude_max="exclusiveMaximum" in node,
    )
