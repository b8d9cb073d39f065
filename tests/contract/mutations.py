"""Mutations of a schema that break a reader, one function for each kind.

A mutation changes the schema in place and returns the field it touched, or None if it found none.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

Schema = dict[str, Any]
Mutation = Callable[[Schema, random.Random], str | None]

NUMBERS = ("minimum", "maximum", "exclusiveMinimum")
SIZES = ("minLength", "maxLength", "minItems", "maxItems")


def models(schema: Schema) -> list[Schema]:
    """Every model in a schema document: the fact itself and its parts."""
    return [schema, *schema.get("$defs", {}).values()]


def fields(schema: Schema) -> list[tuple[str, Schema]]:
    return [item for model in models(schema) for item in model["properties"].items()]


def leaves(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every plain value in a schema document, with the name of the field it is in."""
    for name, field in fields(schema):
        for node in [field, *field.get("anyOf", [])]:
            for inner in (node, node.get("items"), node.get("propertyNames")):
                if not isinstance(inner, dict) or inner.get("type") == "null":
                    continue
                if not {"$ref", "anyOf", "items"} & inner.keys():
                    yield name, inner


def pick(rng: random.Random, found: list[Any]) -> Any:
    return rng.choice(found) if found else None


def remove_a_field(schema: Schema, rng: random.Random) -> str | None:
    model = rng.choice(models(schema))
    name = rng.choice(list(model["properties"]))
    del model["properties"][name]
    model["required"] = [other for other in model.get("required", []) if other != name]
    return str(name)


def require_an_optional_field(schema: Schema, rng: random.Random) -> str | None:
    found = [
        (model, name)
        for model in models(schema)
        for name in model["properties"]
        if name not in model.get("required", [])
    ]
    if not found:
        return None
    model, name = rng.choice(found)
    model["required"] = [*model.get("required", []), name]
    model["properties"][name].pop("default")
    return str(name)


def make_a_required_field_optional(schema: Schema, rng: random.Random) -> str | None:
    model = rng.choice([model for model in models(schema) if model.get("required")])
    name = rng.choice(model["required"])
    model["required"] = [other for other in model["required"] if other != name]
    model["properties"][name]["default"] = None
    return str(name)


def add_a_required_field(schema: Schema, rng: random.Random) -> str | None:
    model = rng.choice(models(schema))
    model["properties"]["title"] = {"type": "string", "default": "x"}
    model["required"] = [*model.get("required", []), "title"]
    return "title"


def add_a_field_without_default(schema: Schema, rng: random.Random) -> str | None:
    rng.choice(models(schema))["properties"]["description"] = {"type": "string"}
    return "description"


def change_a_type(schema: Schema, rng: random.Random) -> str | None:
    name, node = rng.choice([leaf for leaf in leaves(schema) if "type" in leaf[1]])
    kinds = {"string", "integer", "number", "boolean", "array"} - {node["type"]}
    node["type"] = rng.choice(sorted(kinds))
    return name


def remove_an_enum_value(schema: Schema, rng: random.Random) -> str | None:
    name, node = pick(rng, [leaf for leaf in leaves(schema) if "enum" in leaf[1]]) or ("", None)
    if node is None:
        return None
    node["enum"].remove(rng.choice(node["enum"]))
    return str(name)


def add_an_enum_value(schema: Schema, rng: random.Random) -> str | None:
    name, node = pick(rng, [leaf for leaf in leaves(schema) if "enum" in leaf[1]]) or ("", None)
    if node is None:
        return None
    node["enum"].insert(rng.randrange(len(node["enum"]) + 1), f"new_{rng.random()}")
    return str(name)


def open_an_enum(schema: Schema, rng: random.Random) -> str | None:
    name, node = pick(rng, [leaf for leaf in leaves(schema) if "enum" in leaf[1]]) or ("", None)
    return None if node is None or not node.pop("enum") else str(name)


def close_a_string(schema: Schema, rng: random.Random) -> str | None:
    found = [leaf for leaf in leaves(schema) if leaf[1].get("type") == "string"]
    name, node = rng.choice([leaf for leaf in found if "enum" not in leaf[1]])
    node["enum"] = ["a", "b"]
    return name


def move_a_bound(schema: Schema, rng: random.Random) -> str | None:
    return _on_keyword(schema, rng, NUMBERS, lambda value: value + rng.choice([-1, 0.5, 1, 100]))


def move_a_size(schema: Schema, rng: random.Random) -> str | None:
    found = [(name, node) for name, node in _with_arrays(schema) if node.keys() & set(SIZES)]
    if not found:
        return None
    name, node = rng.choice(found)
    keyword = rng.choice(sorted(node.keys() & set(SIZES)))
    node[keyword] += rng.choice([-1, 1, 10])
    return str(name)


def drop_a_bound(schema: Schema, rng: random.Random) -> str | None:
    return _on_keyword(schema, rng, (*NUMBERS, "pattern", "format"), lambda _value: None)


def add_a_bound(schema: Schema, rng: random.Random) -> str | None:
    name, node = rng.choice([leaf for leaf in leaves(schema) if "type" in leaf[1]])
    keyword = rng.choice(["multipleOf", "contentEncoding", "maxProperties", "a_new_keyword"])
    node[keyword] = 7
    return name


def add_a_bound_beside_alternatives(schema: Schema, rng: random.Random) -> str | None:
    found = [(name, node) for name, node in fields(schema) if "anyOf" in node]
    if not found:
        return None
    name, node = rng.choice(found)
    node[rng.choice(["maximum", "enum", "type", "not"])] = rng.choice([1, [1], {}])
    return name


def change_a_pattern(schema: Schema, rng: random.Random) -> str | None:
    return _on_keyword(schema, rng, ("pattern",), lambda value: value.replace("^", "^x?"))


def change_a_format(schema: Schema, rng: random.Random) -> str | None:
    return _on_keyword(schema, rng, ("format",), lambda value: f"{value}-other")


def allow_null(schema: Schema, rng: random.Random) -> str | None:
    model = rng.choice(models(schema))
    found = [name for name, node in model["properties"].items() if "anyOf" not in node]
    if not found:
        return None
    name = rng.choice(found)
    node = model["properties"][name]
    default = {"default": node.pop("default")} if "default" in node else {}
    model["properties"][name] = {"anyOf": [node, {"type": "null"}], **default}
    return str(name)


def refuse_null(schema: Schema, rng: random.Random) -> str | None:
    found = [(name, node) for name, node in fields(schema) if "anyOf" in node]
    if not found:
        return None
    name, node = rng.choice(found)
    node |= node.pop("anyOf")[0]
    return name


def add_an_alternative(schema: Schema, rng: random.Random) -> str | None:
    found = [(name, node) for name, node in fields(schema) if "anyOf" in node]
    if not found:
        return None
    name, node = rng.choice(found)
    node["anyOf"].append({"type": "integer"})
    return name


def change_a_default(schema: Schema, rng: random.Random) -> str | None:
    found = [(name, node) for name, node in fields(schema) if "default" in node]
    if not found:
        return None
    name, node = rng.choice(found)
    # True beside 1 and 0: equal to Python, different in JSON.
    node["default"] = True if node["default"] in (0, 1) else "something else"
    return name


def change_what_a_list_or_map_holds(schema: Schema, rng: random.Random) -> str | None:
    found = [
        (name, node, keyword)
        for name, node in fields(schema)
        for keyword in ("items", "additionalProperties")
        if isinstance(node.get(keyword), dict)
    ]
    if not found:
        return None
    name, node, keyword = rng.choice(found)
    node[keyword] = rng.choice([{"type": "null"}, {"type": "boolean"}, True, {}])
    return str(name)


def open_a_model(schema: Schema, rng: random.Random) -> str | None:
    rng.choice(models(schema)).pop("additionalProperties")
    return ""


def _with_arrays(schema: Schema) -> list[tuple[str, Schema]]:
    whole = [(name, node) for name, node in fields(schema) if "items" in node]
    return [*whole, *leaves(schema)]


def _on_keyword(
    schema: Schema, rng: random.Random, keywords: tuple[str, ...], change: Callable[[Any], Any]
) -> str | None:
    found = [(name, node) for name, node in leaves(schema) if node.keys() & set(keywords)]
    if not found:
        return None
    name, node = rng.choice(found)
    keyword = rng.choice(sorted(node.keys() & set(keywords)))
    changed = change(node.pop(keyword))
    if changed is not None:
        node[keyword] = changed
    return name


BREAKING: list[Mutation] = [
    remove_a_field,
    require_an_optional_field,
    make_a_required_field_optional,
    add_a_required_field,
    add_a_field_without_default,
    change_a_type,
    remove_an_enum_value,
    add_an_enum_value,
    open_an_enum,
    close_a_string,
    move_a_bound,
    move_a_size,
    drop_a_bound,
    add_a_bound,
    add_a_bound_beside_alternatives,
    change_a_pattern,
    change_a_format,
    allow_null,
    refuse_null,
    add_an_alternative,
    change_a_default,
    change_what_a_list_or_map_holds,
    open_a_model,
]
