"""Mutations of a schema that break no reader, one function for each kind."""

from __future__ import annotations

import copy
import random
from typing import Any

from tests.contract.mutations import Mutation, Schema, fields, leaves, models


def add_an_optional_field(schema: Schema, rng: random.Random) -> str | None:
    maybe: Schema = {"anyOf": [{"type": "number"}, {"type": "null"}]}
    node: Schema = rng.choice([{"type": "string"}, maybe, {}])
    name = rng.choice(["note", "title", "required", "$ref_count", "default"])
    rng.choice(models(schema))["properties"][name] = {**node, "default": rng.choice([None, 1, ""])}
    return str(name)


def say_it_in_other_words(schema: Schema, rng: random.Random) -> str | None:
    node = rng.choice([*models(schema), *(node for _, node in fields(schema))])
    node[rng.choice(["title", "description", "$comment"])] = f"words {rng.random()}"
    node["examples"] = [rng.random()]
    return ""


def order_it_otherwise(schema: Schema, rng: random.Random) -> str | None:
    for model in models(schema):
        names = list(model["properties"])
        rng.shuffle(names)
        model["properties"] = {name: model["properties"][name] for name in names}
        rng.shuffle(model.get("required", []))
    for _, node in leaves(schema):
        rng.shuffle(node.get("enum", []))
    return ""


def call_a_part_otherwise(schema: Schema, rng: random.Random) -> str | None:
    parts = schema.get("$defs", {})
    if not parts:
        return None
    old = rng.choice(list(parts))
    parts["Renamed"] = {**parts.pop(old), "title": "Renamed"}
    _point(schema, f"#/$defs/{old}", "#/$defs/Renamed")
    return ""


def write_a_part_out(schema: Schema, rng: random.Random) -> str | None:
    found = [(name, node) for name, node in fields(schema) if "$ref" in node]
    if not found:
        return None
    _, node = rng.choice(found)
    node |= copy.deepcopy(schema["$defs"][node.pop("$ref").rsplit("/", 1)[-1]])
    return ""


def _point(node: Any, old: str, new: str) -> None:
    if isinstance(node, dict):
        if node.get("$ref") == old:
            node["$ref"] = new
        for child in node.values():
            _point(child, old, new)
    elif isinstance(node, list):
        for child in node:
            _point(child, old, new)


COMPATIBLE: list[Mutation] = [
    add_an_optional_field,
    say_it_in_other_words,
    order_it_otherwise,
    call_a_part_otherwise,
    write_a_part_out,
]
