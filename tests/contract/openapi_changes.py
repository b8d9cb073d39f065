"""Changes of an OpenAPI document, one function a kind; each changes it in place at a random spot.

They return where, or None if there is nothing to change. Schemas are changed where one operation
alone refers to them, by a copy of its own.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

Node = dict[str, Any]
Change = Callable[[Node, random.Random], str | None]
METHODS = ("get", "put", "post", "patch", "delete")


def operations(document: Node) -> list[tuple[str, Node]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def follow(document: Node, node: Node) -> Node:
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def own(document: Node, holder: Node, key: str) -> Node:
    """What stands under `key`, no longer a reference: the copy can be changed alone."""
    holder[key] = copy.deepcopy(follow(document, holder[key]))
    found: Node = holder[key]
    return found


def objects(document: Node, holder: Node, key: str, depth: int = 4) -> Iterator[Node]:
    """Every object in a schema, made its own on the way."""
    if not isinstance(holder.get(key), dict) or depth == 0:
        return
    node = own(document, holder, key)
    if node.get("properties"):
        yield node
        for name in node["properties"]:
            yield from objects(document, node["properties"], name, depth - 1)
    yield from objects(document, node, "items", depth - 1)
    # An object among alternatives is told by its title: it can be changed, not taken away.
    for at, _ in enumerate(node.get("anyOf", ())):
        members = dict(enumerate(node["anyOf"]))
        found = list(objects(document, members, at, depth - 1))  # type: ignore[arg-type]
        node["anyOf"][at] = members[at]
        yield from found


def bodies(document: Node, operation: Node) -> list[Node]:
    body = operation.get("requestBody")
    if body is None:
        return []
    return [it for media in body["content"].values() for it in objects(document, media, "schema")]


def answers(document: Node, operation: Node) -> list[Node]:
    found: list[Node] = []
    for status, answer in operation["responses"].items():
        if status.startswith("2") and "$ref" not in answer:
            for media in answer.get("content", {}).values():
                found += objects(document, media, "schema")
    return found


def fields(nodes: list[Node]) -> list[tuple[Node, str]]:
    return [(node, name) for node in nodes for name in node["properties"]]


def anywhere(
    document: Node, rng: random.Random, look: Callable[[Node], list[Any]]
) -> tuple[str, Any] | None:
    """One of what `look` finds in the operations, tried in random order."""
    for place, operation in rng.sample(known := operations(document), len(known)):
        if found := look(operation):
            return place, rng.choice(found)
    return None


def take_a_path_away(document: Node, rng: random.Random) -> str | None:
    path = rng.choice(list(document["paths"]))
    del document["paths"][path]
    return str(path)


def take_a_method_away(document: Node, rng: random.Random) -> str | None:
    several = [path for path, methods in document["paths"].items() if len(methods) > 1]
    if not several:
        return None
    path = rng.choice(several)
    method = rng.choice([each for each in document["paths"][path] if each in METHODS])
    del document["paths"][path][method]
    return f"{method} {path}"


def need_another_parameter(document: Node, rng: random.Random) -> str | None:
    place, operation = rng.choice(operations(document))
    new = {"name": "why", "in": "query", "required": True, "schema": {"type": "string"}}
    operation.setdefault("parameters", []).append(new)
    return place


def need_another_field(document: Node, rng: random.Random) -> str | None:
    found = anywhere(document, rng, lambda it: bodies(document, it))
    if found is None:
        return None
    place, node = found
    node["properties"]["why_now"] = {"type": "string"}
    node["required"] = [*node.get("required", ()), "why_now"]
    return place


def take_an_answered_field_away(document: Node, rng: random.Random) -> str | None:
    found = anywhere(document, rng, lambda it: fields(answers(document, it)))
    if found is None:
        return None
    place, (node, name) = found
    del node["properties"][name]
    node["required"] = [each for each in node.get("required", ()) if each != name]
    return f"{place} {name}"


def leave_an_answered_field_out_at_times(document: Node, rng: random.Random) -> str | None:
    def needed(operation: Node) -> list[tuple[Node, str]]:
        nodes = answers(document, operation)
        return [(node, name) for node in nodes for name in node.get("required", ())]

    found = anywhere(document, rng, needed)
    if found is None:
        return None
    place, (node, name) = found
    node["required"] = [each for each in node["required"] if each != name]
    return f"{place} {name}"


def answer_with_another_type(document: Node, rng: random.Random) -> str | None:
    def plain(operation: Node) -> list[tuple[Node, str]]:
        return [
            (node, name)
            for node, name in fields(answers(document, operation))
            if node["properties"][name].get("type") in ("string", "integer", "number", "boolean")
        ]

    found = anywhere(document, rng, plain)
    if found is None:
        return None
    place, (node, name) = found
    node["properties"][name] = {"type": "array", "items": {"type": "string"}}
    return f"{place} {name}"


def take_less_text(document: Node, rng: random.Random) -> str | None:
    def texts(operation: Node) -> list[tuple[Node, str]]:
        return [
            (node, name)
            for node, name in fields(bodies(document, operation))
            if node["properties"][name].get("type") == "string"
            and not {"enum", "const"} & node["properties"][name].keys()
        ]

    found = anywhere(document, rng, texts)
    if found is None:
        return None
    place, (node, name) = found
    node["properties"][name]["maxLength"] = 1
    node["properties"][name]["minLength"] = 1
    return f"{place} {name}"


def answer_no_longer(document: Node, rng: random.Random) -> str | None:
    place, operation = rng.choice(operations(document))
    del operation["responses"][rng.choice(list(operation["responses"]))]
    return place


def name_the_operation_anew(document: Node, rng: random.Random) -> str | None:
    place, operation = rng.choice(operations(document))
    operation["operationId"] += "_v2"
    return place


BREAKING: tuple[Change, ...] = (
    take_a_path_away,
    take_a_method_away,
    need_another_parameter,
    need_another_field,
    take_an_answered_field_away,
    leave_an_answered_field_out_at_times,
    answer_with_another_type,
    take_less_text,
    answer_no_longer,
    name_the_operation_anew,
)


def add_a_path(document: Node, rng: random.Random) -> str | None:
    name, methods = rng.choice(list(document["paths"].items()))
    document["paths"][f"{name}/more"] = copy.deepcopy(methods)
    return str(name)


def take_another_parameter(document: Node, rng: random.Random) -> str | None:
    place, operation = rng.choice(operations(document))
    new = {"name": "why", "in": "query", "required": False, "schema": {"type": "string"}}
    operation.setdefault("parameters", []).append(new)
    return place


def take_another_field(document: Node, rng: random.Random) -> str | None:
    found = anywhere(document, rng, lambda it: bodies(document, it))
    if found is None:
        return None
    place, node = found
    node["properties"]["why_now"] = {"type": "string", "default": ""}
    return place


def need_a_field_less(document: Node, rng: random.Random) -> str | None:
    found = anywhere(
        document, rng, lambda it: [each for each in bodies(document, it) if each.get("required")]
    )
    if found is None:
        return None
    place, node = found
    node["required"] = node["required"][1:]
    return place


def answer_another_field(document: Node, rng: random.Random) -> str | None:
    found = anywhere(document, rng, lambda it: answers(document, it))
    if found is None:
        return None
    place, node = found
    node["properties"]["why_now"] = {"type": "string"}
    node["required"] = [*node.get("required", ()), "why_now"]
    return place


def say_it_in_other_words(document: Node, rng: random.Random) -> str | None:
    place, operation = rng.choice(operations(document))
    operation["summary"] = operation["description"] = "In other words."
    return place


def answer_another_status(document: Node, rng: random.Random) -> str | None:
    place, operation = rng.choice(operations(document))
    operation["responses"]["207"] = {"description": "some of it"}
    return place


HARMLESS: tuple[Change, ...] = (
    add_a_path,
    take_another_parameter,
    take_another_field,
    need_a_field_less,
    answer_another_field,
    say_it_in_other_words,
    answer_another_status,
)
