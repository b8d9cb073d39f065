"""What directories send that the standard does not know, put into its words. Judges nothing else.

Each function is one habit of one directory, by name: when a directory drops it, so do we.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from scim2_models import Resource, ScimFilter
from scim2_models.path import CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator

from services.matching.scim.schemas import ENTERPRISE

_MANAGER = f"{ENTERPRISE}:manager".lower()
_QUOTED_BOOLEAN = re.compile(r'(\bprimary\s+eq\s+)"(true|false)"', re.IGNORECASE)
_FILTERED = re.compile(r"(?P<attribute>[A-Za-z]\w*)\[(?P<filter>.+)\]\.(?P<part>\w+)")

Json = dict[str, Any]


def understood(body: bytes) -> bytes:
    """The body in the standard's words; as it came when it is no JSON object.

    Raises ValueError for a text with NUL in it, which cannot be kept.
    """
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
    if "\\u0000" in body.decode("utf-8", "replace") and _has_nul(said):
        raise ValueError("a text holds the character NUL")
    return orjson.dumps(_mended(said)) if isinstance(said, dict) else body


def _has_nul(value: object) -> bool:
    match value:
        case str():
            return "\x00" in value
        case list():
            return any(map(_has_nul, value))
        case dict():
            return any(_has_nul(each) for pair in value.items() for each in pair)
        case _:
            return False


def _mended(said: Json) -> Json:
    """A resource, a PATCH, or a bulk request of them."""
    operations = said.get("Operations")
    if not isinstance(operations, list):
        return _entra_bare_manager(said)
    mended: list[Any] = []
    for each in operations:
        if not isinstance(each, dict):
            mended.append(each)
        elif isinstance(each.get("data"), dict):
            mended.append({**each, "data": _mended(each["data"])})
        else:
            mended += _operations(each)
    return {**said, "Operations": mended}


def _operations(operation: Json) -> Iterator[Json]:
    path, value = operation.get("path"), operation.get("value")
    if isinstance(path, str):
        operation = {**operation, "path": _QUOTED_BOOLEAN.sub(_unquoted, path)}
        if path.lower() == _MANAGER:
            yield _entra_manager_operation(operation)
        elif path.lower() == "members" and _op(operation) == "remove" and "value" in operation:
            yield from _entra_remove_members(operation)
        else:
            yield operation
    elif isinstance(value, dict):
        yield from _entra_paths_as_keys({**operation, "value": _entra_bare_manager(value)})
    else:
        yield operation


def _op(operation: Json) -> str:
    return str(operation.get("op", "")).lower()


def _unquoted(match: re.Match[str]) -> str:
    """Entra ID: `roles[primary eq "True"].value`, a boolean in quotes."""
    return match[1] + match[2].lower()


def _entra_bare_manager(resource: Json) -> Json:
    """Entra ID: the manager as a string, in the extension or flattened."""
    mended = dict(resource)
    for name, value in resource.items():
        if name.lower() == _MANAGER:
            mended[name] = _manager(value)
        elif name.lower() == ENTERPRISE.lower() and isinstance(value, dict):
            mended[name] = {
                key: _manager(each) if key.lower() == "manager" else each
                for key, each in value.items()
            }
    return mended


def _entra_manager_operation(operation: Json) -> Json:
    """Entra ID: the manager as a string, as a list of one, removed with a value, or by ''."""
    value = _manager(operation.get("value"))
    if _op(operation) == "remove" or value in ("", None):
        return {"op": "remove", "path": operation["path"]}
    return {**operation, "value": value}


def _manager(value: object) -> object:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str) and value:
        return {"value": value}
    return None if value == "" else value


def _entra_remove_members(operation: Json) -> Iterator[Json]:
    """Entra ID: members are removed by a value, not by a filter in the path."""
    members = operation["value"] if isinstance(operation["value"], list) else [operation["value"]]
    for each in members:
        value = each.get("value") if isinstance(each, dict) else each
        if isinstance(value, str):
            yield {"op": "remove", "path": f"members[value eq {orjson.dumps(value).decode()}]"}


def _entra_paths_as_keys(operation: Json) -> Iterator[Json]:
    """Entra ID: `{"emails[type eq \\"work\\"].value": ...}` in a value without a path."""
    value = operation["value"]
    paths = [key for key in value if "[" in key]
    rest = {key: each for key, each in value.items() if key not in paths}
    if rest or not paths:
        yield {**operation, "value": rest}
    for key in paths:
        # What is replaced without a path need not be there; with one, it must.
        yield {"op": "add", "path": key, "value": value[key]}


def with_places_for_adds(current: Resource[Any], added: Iterable[str]) -> Resource[Any]:
    """Entra ID: `Add phoneNumbers[type eq "mobile"].value` where there is none: the place is made.

    `added` are the paths that a PATCH adds to.
    """
    data: Json = {}
    for path in added:
        found = _FILTERED.fullmatch(path)
        wanted = _equalities(ScimFilter(found["filter"]).ast) if found else None
        if found is None or wanted is None:
            continue
        data = data or current.model_dump()
        held = data.setdefault(found["attribute"], [])
        if isinstance(held, list) and not any(_has(each, wanted) for each in held):
            held.append(wanted)
    return type(current).model_validate(data) if data else current


def _has(entry: Json, wanted: Json) -> bool:
    return all(_folded(entry.get(name)) == _folded(value) for name, value in wanted.items())


def _folded(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _equalities(node: FilterNode) -> Json | None:
    """What a filter of equalities asks for; None for any other."""
    if isinstance(node, Comparison) and node.op is CompareOperator.eq:
        return {node.attr_path.attr: node.value}
    if isinstance(node, LogicalExpr) and node.op is LogicalOperator.and_:
        parts = [_equalities(each) for each in node.terms]
        if None not in parts:
            return {name: value for part in parts if part for name, value in part.items()}
    return None
