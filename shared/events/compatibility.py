"""Says what between two JSON Schemas of one fact would break a reader. Pure: compares, never reads.

The gate is FULL: a log must replay under a newer reader, and a newer record must be read by an
older one. So a bound, pattern or enum may move in neither direction: tightened, it refuses records
already written; loosened (an enum value added), an older reader with the closed set refuses the new
record. The one change of shape that passes is a new optional field with a default: readers ignore
fields they do not know, and an older record means the default. Words (title, description) are free.
Any keyword this module does not know counts as breaking when it changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

WORDS = frozenset({"$schema", "$id", "$defs", "$comment", "title", "description", "examples"})
# Compared by the functions below; every other keyword must be equal.
_STRUCTURE = frozenset(
    {"$ref", "anyOf", "type", "enum", "const", "properties", "required", "items", "prefixItems"}
    | {"additionalProperties", "propertyNames", "default"}
)
_LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One difference of shape, at a field's path, in words."""

    path: str
    words: str
    breaking: bool = True


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two schema documents and the pairs of references already followed (parts may recurse)."""

    old: Schema
    new: Schema
    seen: frozenset[tuple[str, str]]


def breaking_changes(old_schema: Schema, new_schema: Schema | None) -> list[str]:
    """What would break a reader, each as `type: field.path: what`. Empty means compatible.

    `new_schema` None means that the type is no longer published.
    """
    name = type_of(old_schema)
    if new_schema is None:
        return [f"{name}: the type is gone"]
    found = [change for change in changes(old_schema, new_schema) if change.breaking]
    return [f"{name}: {change.path}: {change.words}" for change in found]


def changes(old_schema: Schema, new_schema: Schema) -> list[Change]:
    """Every difference of shape, compatible ones included; differing words are no difference."""
    pair = _Pair(old_schema, new_schema, frozenset())
    return list(_compare(pair, old_schema, new_schema, ""))


def type_of(schema: Schema) -> str:
    """The fact's type, from the schema's URN; its title where there is no URN."""
    parts = str(schema.get("$id", "")).split(":")
    return parts[3] if len(parts) == 5 else str(schema.get("title", "schema"))


def _compare(pair: _Pair, old: Schema, new: Schema, path: str) -> Iterator[Change]:
    yield from _compare_default(old, new, path)
    old_nullable, old_kinds = _alternatives(pair.old, old)
    new_nullable, new_kinds = _alternatives(pair.new, new)
    where = path or "the value"
    yield from _compare_rest(_beside(pair.old, old), _beside(pair.new, new), where, frozenset())
    if old_nullable and not new_nullable:
        yield Change(where, "may no longer be null")
    if new_nullable and not old_nullable:
        yield Change(where, "may now be null, which earlier readers refuse")
    if len(old_kinds) != len(new_kinds):
        yield Change(where, f"had {len(old_kinds)} alternatives and now has {len(new_kinds)}")
        return
    for old_kind, new_kind in zip(old_kinds, new_kinds, strict=True):
        yield from _compare_kind(pair, old_kind, new_kind, path)


def _alternatives(document: Schema, node: Schema) -> tuple[bool, list[Schema]]:
    """Whether the node may be null, and what else it may be."""
    members = _follow(document, node).get("anyOf")
    if members is None:
        return (True, []) if node.get("type") == "null" else (False, [node])
    nullable, kinds = False, []
    for member in members:
        inner_nullable, inner = _alternatives(document, member)
        nullable = nullable or inner_nullable
        kinds += inner
    return nullable, kinds


def _beside(document: Schema, node: Schema) -> Schema:
    """What a node says beside its alternatives: it holds for all of them."""
    node = _follow(document, node)
    own = node.keys() - WORDS - {"anyOf", "default"} if "anyOf" in node else ()
    return {name: node[name] for name in own}


def _follow(document: Schema, node: Schema) -> Schema:
    while "$ref" in node:
        beside = {key: value for key, value in node.items() if key != "$ref"}
        target: Any = document
        for part in str(node["$ref"]).removeprefix("#/").split("/"):
            target = target[part]
        node = {**target, **beside}
    return node


def _compare_kind(pair: _Pair, old: Schema, new: Schema, path: str) -> Iterator[Change]:
    refs = (str(old.get("$ref", "")), str(new.get("$ref", "")))
    if all(refs):
        if refs in pair.seen:
            return
        # Only along this path: the same part under another field is compared (and named) again.
        pair = _Pair(pair.old, pair.new, pair.seen | {refs})
    old, new = _follow(pair.old, old), _follow(pair.new, new)
    where = path or "the value"
    if old.get("type") != new.get("type"):
        yield Change(where, f"was {_kind_name(old)} and is now {_kind_name(new)}")
        return
    yield from _compare_choices(old, new, where)
    yield from _compare_rest(old, new, where, _STRUCTURE)
    yield from _compare_fields(pair, old, new, path)
    yield from _compare_inner(pair, old, new, path)


def _kind_name(node: Schema) -> str:
    return str(node.get("type", "anything"))


def _compare_default(old: Schema, new: Schema, path: str) -> Iterator[Change]:
    before, after = old.get("default", _ABSENT), new.get("default", _ABSENT)
    # Going to or from no default at all is the same change as becoming required or optional.
    if _ABSENT not in (before, after) and not _equal(before, after):
        yield Change(path, f"its default went from {before!r} to {after!r}")


def _compare_choices(old: Schema, new: Schema, where: str) -> Iterator[Change]:
    before, after = _choices(old), _choices(new)
    if before is None and after is None:
        return
    if before is None or after is None:
        was, now = (
            ("any value", "a closed set") if before is None else ("a closed set", "any value")
        )
        yield Change(where, f"took {was} and now takes {now}")
        return
    for value in before:
        if not any(_equal(value, other) for other in after):
            yield Change(where, f"no longer takes {value!r}, which earlier records hold")
    for value in after:
        if not any(_equal(value, other) for other in before):
            yield Change(where, f"now takes {value!r}, which earlier readers refuse")


def _choices(node: Schema) -> list[Any] | None:
    if "const" in node:
        return [node["const"]]
    return list(node["enum"]) if "enum" in node else None


def _compare_rest(
    old: Schema, new: Schema, where: str, compared: frozenset[str]
) -> Iterator[Change]:
    for keyword in sorted((old.keys() | new.keys()) - WORDS - compared):
        before, after = old.get(keyword, _ABSENT), new.get(keyword, _ABSENT)
        if not _equal(before, after):
            yield Change(where, f"{keyword} {_moved(keyword, before, after)}")


def _moved(keyword: str, before: Any, after: Any) -> str:
    if before is _ABSENT:
        return f"{after!r} is new: earlier records may not meet it"
    if after is _ABSENT:
        return f"{before!r} is gone: earlier readers still insist on it"
    moved = f"went from {before!r} to {after!r}"
    if keyword in _LOWER | _UPPER:
        tighter = (after > before) == (keyword in _LOWER)
        refused = "earlier records may not meet it" if tighter else "earlier readers refuse more"
        return f"{moved}: {refused}"
    return moved


def _compare_fields(pair: _Pair, old: Schema, new: Schema, path: str) -> Iterator[Change]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed, needed_now = set(old.get("required", ())), set(new.get("required", ()))
    for name in before:
        at = _join(path, name)
        if name not in after:
            yield Change(at, "the field is gone")
            continue
        if name in needed_now - needed:
            yield Change(at, "was optional and is now required: earlier records may lack it")
        if name in needed - needed_now:
            yield Change(at, "was required and is now optional: earlier readers insist on it")
        yield from _compare(pair, before[name], after[name], at)
    for name in after:
        if name not in before:
            yield _added(_join(path, name), after[name], name in needed_now)


def _added(path: str, node: Schema, required: bool) -> Change:
    if required:
        return Change(path, "is new and required: earlier records lack it")
    if "default" not in node:
        return Change(path, "is new but has no default: what do earlier records mean?")
    return Change(path, "is new and optional", breaking=False)


def _compare_inner(pair: _Pair, old: Schema, new: Schema, path: str) -> Iterator[Change]:
    """Array items, map values and map keys."""
    steps = (("items", "[]"), ("additionalProperties", ".*"), ("propertyNames", " (key)"))
    for keyword, step in steps:
        before, after = old.get(keyword, _ABSENT), new.get(keyword, _ABSENT)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _compare(pair, before, after, path + step)
        elif not _equal(before, after):
            yield Change(path or "the value", f"{keyword} changed")
    before, after = old.get("prefixItems", []), new.get("prefixItems", [])
    if len(before) != len(after):
        yield Change(path, f"had {len(before)} places and now has {len(after)}")
        return
    for place, (old_item, new_item) in enumerate(zip(before, after, strict=True)):
        yield from _compare(pair, old_item, new_item, f"{path}[{place}]")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _equal(left: Any, right: Any) -> bool:
    """Equal as JSON: True is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[k], right[k]) for k in left)
    return bool(left == right)
