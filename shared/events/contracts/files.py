"""Writes and checks the generated contracts: schemas, examples, AsyncAPI, catalogue.

Touches only those files, under the root it is given, and never an example that is there.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.errors import TrustfoldError
from shared.events.contracts import asyncapi, catalogue
from shared.events.contracts.examples import sample
from shared.events.contracts.gate import EXAMPLES, SCHEMAS, Facts, refusals
from shared.events.contracts.schemas import as_text, file_name, schema_of
from shared.events.registry import FACTS

ASYNCAPI = Path("docs/reference/asyncapi.json")
CATALOGUE = Path("docs/reference/events.md")


class ContractBroken(TrustfoldError):
    """The contracts cannot be generated: a reader would break. `problems` says where."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def generate(root: Path, facts: Facts = FACTS) -> list[Path]:
    """Write what is missing or stale under `root`; returns those paths, relative to it.

    Raises ContractBroken, and writes nothing, when a change would break a reader or lacks its new
    version. There is no way to force it: the way out is a new type.
    """
    if problems := refusals(root, facts):
        raise ContractBroken(problems)
    written = []
    for path, content in _wanted(root, facts).items():
        if _read(root / path) != content:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content, encoding="utf-8", newline="\n")
            written.append(path)
    return written


def check(root: Path, released: Path | None = None, facts: Facts = FACTS) -> list[str]:
    """Every problem of the committed contracts, in words; empty means that all is well.

    The folder of schemas is its own baseline. `released` is the tree of an earlier release: with
    it, a schema or example that was edited or deleted since is found as well.
    """
    problems = refusals(root, facts, released)
    if problems:
        return problems
    for path, content in _wanted(root, facts).items():
        there = _read(root / path)
        if there is None:
            problems.append(f"{path}: is missing: run make contracts")
        elif there != content:
            problems.append(f"{path}: is stale: run make contracts")
    return problems + _strays(root)


def _wanted(root: Path, facts: Facts) -> dict[Path, str]:
    """Every generated file as it should be."""
    schemas = {SCHEMAS / file_name(fact): as_text(schema_of(fact)) for fact in facts.values()}
    examples = {EXAMPLES / file_name(fact): _example(root, fact) for fact in facts.values()}
    by_type = {name: json.loads(examples[EXAMPLES / file_name(facts[name])]) for name in facts}
    described = asyncapi.document(facts, by_type, _version(root))
    return {
        **schemas,
        **examples,
        ASYNCAPI: as_text(described),
        CATALOGUE: catalogue.text(facts),
    }


def _example(root: Path, fact: Any) -> str:
    # An example that is there is as it should be: it stands for the records in the logs.
    return _read(root / EXAMPLES / file_name(fact)) or as_text(sample(fact))


def _strays(root: Path) -> list[str]:
    known = {path.name for path in (root / SCHEMAS).glob("*")}
    examples = sorted(path.name for path in (root / EXAMPLES).glob("*"))
    return [f"{EXAMPLES / name}: has no schema" for name in examples if name not in known]


def _version(root: Path) -> str:
    project: Mapping[str, Any] = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    return str(project["project"]["version"])


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
