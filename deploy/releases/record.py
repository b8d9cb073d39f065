"""Keeps what this release asks of its database: its statements, and the migrations it has.

    python -m deploy.releases.record    when a release is made; writes <version>.json here

The next release's tests run them on their own schema (docs/howto/upgrade.md): the code of the
release before goes on while a rollout is under way.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from shared.command import SERVICES
from shared.postgres.schema import files, folders_of

PLACE = Path(__file__).parent
ROOT = PLACE.parents[1]
_STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
# Insights takes no commands over HTTP, so it remembers no request.
NOT_OF = {"insights": "shared.postgres.requests."}
_PARTS = ("shared", *(f"services.{service}" for service in SERVICES))


@dataclass(frozen=True, slots=True)
class Release:
    """Of each service: statements by the name of their constant, and migrations by their file's."""

    version: str
    statements: dict[str, dict[str, str]]
    migrations: dict[str, list[str]]


def release(version: str) -> Release:
    """What the code asks now."""
    every, names = _constants(), {it: files(folders_of(it)) for it in SERVICES}
    return Release(
        version,
        {service: dict(_of(service, every)) for service in SERVICES},
        {service: [path.name for path in paths] for service, paths in names.items()},
    )


def _of(service: str, every: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What a service asks, with what every service asks."""
    for name, text in every.items():
        mine = name.startswith(("shared.", f"services.{service}."))
        if mine and not name.startswith(NOT_OF.get(service, "-")):
            yield name, text


def _constants() -> dict[str, str]:
    """Every constant of the code that is a statement. Templates, which have braces, are not."""
    found = {}
    for part in _PARTS:
        package = importlib.import_module(part)
        for module in pkgutil.walk_packages(package.__path__, f"{part}."):
            for name, value in vars(importlib.import_module(module.name)).items():
                is_one = isinstance(value, str) and name.isupper() and _STATEMENT.match(value)
                if is_one and "{" not in value.replace("'{}'", ""):
                    found[f"{module.name}.{name}"] = value
    return dict(sorted(found.items()))


def newest() -> Release:
    """The release before this one."""
    places = sorted(PLACE.glob("*.json"), key=lambda path: [int(n) for n in path.stem.split(".")])
    return Release(**json.loads(places[-1].read_bytes()))


def main() -> int:
    """Write the record of this version. A record that is there stands."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    path = PLACE / f"{version}.json"
    if path.exists():
        print(f"{path.name} is there: a release is not made twice", file=sys.stderr)
        return 1
    path.write_text(json.dumps(asdict(release(version)), indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
