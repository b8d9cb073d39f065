"""The house rules that a program can check: who imports whom, sizes, no await in a domain."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("matching", "sessions", "notifications", "insights")
CODE = [
    path
    for folder in ("services", "shared", "deploy")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
DOMAIN = [path for path in CODE if "domain" in path.parts]
TESTS = sorted((ROOT / "tests").rglob("*.py"))

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
# What every service's folder holds; a newcomer who knows one knows all four.
ANATOMY = ("README.md", "app.py", "settings.py", "subscribers.py", "domain", "migrations")
# `annotated_types` are limits said beside a type; nothing is done by them.
DOMAIN_MAY_IMPORT = ("shared.events", "shared.errors", "shared.ids", "annotated_types")
SPOKEN = ("handlers", "queries", "api")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_a_file_fits_on_a_few_screens_and_says_first_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= MAX_FILE_LINES
    assert ast.get_docstring(ast.parse(text)), "the first line says what the file is for"


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_a_function_fits_on_one_screen(path: Path) -> None:
    long = {
        f.name: f.end_lineno - f.lineno + 1
        for f in functions(path)
        if f.end_lineno and f.end_lineno - f.lineno + 1 > MAX_FUNCTION_LINES
    }
    assert not long


@pytest.mark.parametrize("path", DOMAIN, ids=name_of)
def test_a_domain_knows_facts_and_nothing_of_the_world(path: Path) -> None:
    service = path.relative_to(ROOT).parts[1]
    allowed = (*DOMAIN_MAY_IMPORT, f"services.{service}.domain")
    outside = [
        module
        for module in imports(path)
        if module.partition(".")[0] not in _standard_library() and not module.startswith(allowed)
    ]
    assert not outside
    waits = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Await)]
    assert not waits, "a domain never awaits"


@pytest.mark.parametrize("path", DOMAIN, ids=name_of)
def test_a_domain_never_asks_for_the_time_or_for_chance(path: Path) -> None:
    asked = [
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"datetime.now", "datetime.utcnow", "time.time", "new_id"}
    ]
    assert not asked
    assert "random" not in set(imports(path))


@pytest.mark.parametrize("service", SERVICES)
def test_all_four_services_have_the_same_anatomy(service: str) -> None:
    folder = ROOT / "services" / service
    assert not [name for name in ANATOMY if not (folder / name).exists()]
    # A file that outgrew its 300 lines is a folder of the same name.
    assert not [n for n in SPOKEN if not ((folder / f"{n}.py").exists() or (folder / n).is_dir())]


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_only_settings_read_the_environment(path: Path) -> None:
    if name_of(path).startswith("deploy/"):
        return  # the launcher makes environments
    read = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}
    ]
    assert not read


@pytest.mark.parametrize("path", [p for p in TESTS if p.name.startswith("test_")], ids=name_of)
def test_no_test_waits_for_a_time(path: Path) -> None:
    sleeps = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"time.sleep", "asyncio.sleep"}
        and ast.unparse(node.args[0]) != "0"
    ]
    assert not sleeps


def _standard_library() -> frozenset[str]:
    import sys

    return frozenset(sys.stdlib_module_names)
