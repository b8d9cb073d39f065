"""Writes and checks `docs/reference/openapi/<service>.json`. Touches only those files.

The committed document is the baseline. A break on purpose is made visible: delete the document,
generate it, and say so in the CHANGELOG.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.errors import TrustfoldError
from shared.openapi.breaking import breaking_changes
from shared.openapi.document import documents

FOLDER = Path("docs/reference/openapi")
# Paths, a path, a method; components, a kind, a part.
LINE_DEPTH = 3
Documents = Mapping[str, Mapping[str, Any]]


class OpenApiBroken(TrustfoldError):
    """The documents cannot be written: a caller would break. `problems` says where."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def generate(root: Path, made: Documents | None = None) -> list[Path]:
    """Write what is missing or stale under `root`; returns those paths, relative to it.

    Raises OpenApiBroken, and writes nothing, when a caller of the committed API would break.
    """
    wanted = documents() if made is None else made
    if problems := _refusals(root, wanted):
        raise OpenApiBroken(problems)
    stale = [service for service in wanted if _stale(root, service, wanted[service])]
    for service in stale:
        (root / FOLDER).mkdir(parents=True, exist_ok=True)
        (root / _path(service)).write_text(_text(wanted[service]), encoding="utf-8", newline="\n")
    return [_path(service) for service in stale]


def check(root: Path, made: Documents | None = None) -> list[str]:
    """Every problem of the committed documents, in words; empty means that all is well."""
    wanted = documents() if made is None else made
    stale = [
        f"{_path(service)}: {why}: run make contracts"
        for service in wanted
        if (why := _stale(root, service, wanted[service]))
    ]
    return _refusals(root, wanted) or stale


def _refusals(root: Path, wanted: Documents) -> list[str]:
    return [
        f"{service}: {problem}"
        for service, document in wanted.items()
        if (root / _path(service)).exists()
        for problem in _against(root / _path(service), document)
    ]


def _against(path: Path, document: Mapping[str, Any]) -> list[str]:
    try:
        committed = json.loads(path.read_bytes())
    except ValueError:
        return ["the committed document is not JSON: restore it"]
    return breaking_changes(committed, dict(document))


def _stale(root: Path, service: str, document: Mapping[str, Any]) -> str:
    path = root / _path(service)
    if not path.exists():
        return "is missing"
    return "" if path.read_text(encoding="utf-8") == _text(document) else "is stale"


def _path(service: str) -> Path:
    return FOLDER / f"{service}.json"


def _text(document: Mapping[str, Any]) -> str:
    """One line for each operation and each part: a change is one line of a diff."""
    return "".join(_lines(document, "", depth=0)) + "\n"


def _lines(node: Mapping[str, Any], indent: str, depth: int) -> Iterator[str]:
    is_whole = depth == LINE_DEPTH or not all(isinstance(it, dict) for it in node.values())
    if depth and (is_whole or not node):
        yield json.dumps(node, ensure_ascii=False, allow_nan=False)
        return
    yield "{"
    for at, (name, value) in enumerate(node.items()):
        yield f"{',' if at else ''}\n{indent}  {json.dumps(name, ensure_ascii=False)}: "
        if isinstance(value, dict):
            yield from _lines(value, indent + "  ", depth + 1)
        else:
            yield json.dumps(value, ensure_ascii=False, allow_nan=False)
    yield f"\n{indent}}}"
