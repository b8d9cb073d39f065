"""Says what between two OpenAPI documents of one service would break a caller. Pure.

What a caller sends may be asked for less strictly, never more; what it is answered may say more,
never less. A value added to an answer's closed set breaks, as callers choose by it. A header that
is read no longer breaks nobody. Words (summary, description, examples) are free.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.openapi.shapes import Sides, compare

Node = dict[str, Any]
METHODS = frozenset({"get", "put", "post", "patch", "delete", "head", "options"})


def breaking_changes(old: Node, new: Node) -> list[str]:
    """What would break a caller, each as `METHOD /path: what`. Empty means compatible."""
    return list(_paths(old, new))


def _paths(old: Node, new: Node) -> Iterator[str]:
    for path, before in old.get("paths", {}).items():
        after = new.get("paths", {}).get(path)
        if after is None:
            yield f"{path}: the path is gone"
            continue
        for method in sorted(before.keys() & METHODS):
            place = f"{method.upper()} {path}"
            if method not in after:
                yield f"{place}: the method is gone"
                continue
            for words in _operation(Sides(old, new), before[method], after[method]):
                yield f"{place}: {words}"


def _operation(sides: Sides, old: Node, new: Node) -> Iterator[str]:
    if old.get("operationId") != new.get("operationId"):
        yield "its operationId is another: generated clients lose the call"
    yield from _parameters(sides, old, new)
    yield from _body(sides, old, new)
    for status, before in old.get("responses", {}).items():
        after = new.get("responses", {}).get(status)
        if after is None:
            yield f"it answers {status} no longer"
            continue
        yield from _content(sides, before, after, f"answer {status}", is_answer=True)


def _parameters(sides: Sides, old: Node, new: Node) -> Iterator[str]:
    before, after = _named(sides.old, old), _named(sides.new, new)
    for (where, name), parameter in before.items():
        other = after.get((where, name))
        if other is not None:
            shapes = parameter.get("schema", {}), other.get("schema", {})
            yield from compare(sides, *shapes, f"{where} {name}", is_answer=False)
        elif where != "header":
            yield f"{where} {name}: the parameter is gone"
    for (where, name), parameter in after.items():
        is_new = (where, name) not in before
        if parameter.get("required") and (is_new or not before[where, name].get("required")):
            yield f"{where} {name}: is needed now"


def _named(document: Node, operation: Node) -> dict[tuple[str, str], Node]:
    found = [Sides.follow(document, each) for each in operation.get("parameters", ())]
    # HTTP does not tell X-Person from x-person.
    return {(p["in"], p["name"].lower() if p["in"] == "header" else p["name"]): p for p in found}


def _body(sides: Sides, old: Node, new: Node) -> Iterator[str]:
    before, after = old.get("requestBody"), new.get("requestBody")
    if before is None:
        if after is not None and after.get("required"):
            yield "body: is needed now"
        return
    if after is None:
        yield "body: is taken no longer"
        return
    before, after = Sides.follow(sides.old, before), Sides.follow(sides.new, after)
    if after.get("required") and not before.get("required"):
        yield "body: is needed now"
    yield from _content(sides, before, after, "body", is_answer=False)


def _content(sides: Sides, old: Node, new: Node, place: str, *, is_answer: bool) -> Iterator[str]:
    old, new = Sides.follow(sides.old, old), Sides.follow(sides.new, new)
    for media, before in old.get("content", {}).items():
        after = new.get("content", {}).get(media)
        if after is None:
            yield f"{place}: {media} is gone"
            continue
        shapes = before.get("schema", {}), after.get("schema", {})
        yield from compare(sides, *shapes, place, is_answer=is_answer)
