"""Compares two schemas of OpenAPI documents in one direction: sent by a caller, or answered. Pure.

Sent: nothing that was taken may be refused. Answered: nothing may be said that was not said, and
nothing that was always there may be missing, but a new field may be there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

Node = dict[str, Any]

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_EXACT = ("pattern", "format", "multipleOf", "uniqueItems")


@dataclass(frozen=True, slots=True)
class Sides:
    """Two documents, and the references already followed on this path (shapes may recurse)."""

    old: Node
    new: Node
    seen: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    @staticmethod
    def follow(document: Node, node: Node) -> Node:
        """The node itself, not a reference to it."""
        while "$ref" in node:
            target: Any = document
            for part in str(node["$ref"]).removeprefix("#/").split("/"):
                target = target[part]
            node = {**target, **{name: node[name] for name in node if name != "$ref"}}
        return node


def compare(sides: Sides, old: Node, new: Node, place: str, *, is_answer: bool) -> Iterator[str]:
    """What breaks, each beginning with `place` and the field's path."""
    before, after = _kinds(sides.old, old), _kinds(sides.new, new)
    # One direction is the other with the sides changed: what was taken, what may be said.
    wide, narrow = (after, before) if is_answer else (before, after)
    if len(before) == len(after) == 1:
        (one,), (other,) = before.values(), after.values()
        yield from _one(sides, one, other, place, is_answer=is_answer)
        return
    if narrow.get("anything") is None or "anything" in wide:
        for name in wide.keys() - narrow.keys():
            said = "may now be" if is_answer else "may no longer be"
            yield f"{place}: {said} {name}"
    for name in before.keys() & after.keys():
        yield from _one(sides, before[name], after[name], place, is_answer=is_answer)


def _kinds(document: Node, node: Node) -> dict[str, Node]:
    """What the value may be, each under a name: null, a type, or a type and its title."""
    target = Sides.follow(document, node)
    members = target.get("anyOf") or target.get("oneOf")
    if members is None:
        kind = _type(target)
        return {f"{kind} {target.get('title', '')}" if kind == "object" else kind: node}
    return {name: kind for each in members for name, kind in _kinds(document, each).items()}


def _type(node: Node) -> str:
    return str(node.get("type", "object" if "properties" in node else "anything"))


def _one(sides: Sides, old: Node, new: Node, place: str, *, is_answer: bool) -> Iterator[str]:
    refs = (str(old.get("$ref", "")), str(new.get("$ref", "")))
    if all(refs):
        if refs in sides.seen:
            return
        sides = replace(sides, seen=sides.seen | {refs})
    old, new = Sides.follow(sides.old, old), Sides.follow(sides.new, new)
    if _type(old) != _type(new):
        yield f"{place}: was {_type(old)} and is now {_type(new)}"
        return
    yield from _choices(old, new, place, is_answer=is_answer)
    if not is_answer:
        yield from _bounds(old, new, place)
    yield from _fields(sides, old, new, place, is_answer=is_answer)
    for keyword, step in (("items", "[]"), ("additionalProperties", ".*")):
        before, after = old.get(keyword, True), new.get(keyword, True)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from compare(sides, before, after, place + step, is_answer=is_answer)
        elif before != after and (isinstance(before, dict) if is_answer else after is not True):
            yield f"{place}: {keyword} changed"


def _choices(old: Node, new: Node, place: str, *, is_answer: bool) -> Iterator[str]:
    before, after = _set(old), _set(new)
    wide, narrow = (after, before) if is_answer else (before, after)
    if narrow is None:
        return
    if wide is None:
        yield f"{place}: " + ("the set is open now" if is_answer else "takes only a set now")
        return
    for value in wide:
        if value not in narrow:
            yield f"{place}: " + (f"may now say {value!r}" if is_answer else f"refuses {value!r}")


def _set(node: Node) -> list[Any] | None:
    return [node["const"]] if "const" in node else node.get("enum")


def _bounds(old: Node, new: Node, place: str) -> Iterator[str]:
    for keyword in (*_LOWER, *_UPPER):
        before, after = old.get(keyword), new.get(keyword)
        if after is None:
            continue
        if before is None or (after > before if keyword in _LOWER else after < before):
            yield f"{place}: {keyword} is now {after!r}"
    for keyword in _EXACT:
        if keyword in new and old.get(keyword) != new[keyword]:
            yield f"{place}: {keyword} is now {new[keyword]!r}"


def _fields(sides: Sides, old: Node, new: Node, place: str, *, is_answer: bool) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed, needed_now = set(old.get("required", ())), set(new.get("required", ()))
    for name, node in before.items():
        if name in after:
            yield from compare(sides, node, after[name], f"{place}.{name}", is_answer=is_answer)
        else:
            yield f"{place}.{name}: the field is gone"
    if is_answer:
        for name in sorted((needed - needed_now) & after.keys()):
            yield f"{place}.{name}: may be missing now"
    else:
        for name in sorted(needed_now - needed):
            yield f"{place}.{name}: is needed now"
