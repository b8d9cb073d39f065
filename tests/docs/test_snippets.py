"""What the documents say is true of the code: links, commands, settings, routes, snippets."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from services.sessions.api.agreement_shapes import TermsIn
from shared.cli import app
from shared.command import SERVICES
from shared.events.contracts import verify
from shared.events.insights import PartnerSafe
from shared.events.registry import FACTS
from shared.identity.issuers import read_issuers
from shared.settings import ServiceSettings

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    path
    for folder, pattern in (("", "*.md"), ("docs", "**/*.md"), ("services", "*/README.md"))
    for path in sorted((ROOT / folder).glob(pattern))
]
FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
NAMED_TEST = re.compile(r"`(?P<file>tests/[\w/]+\.py)?::(?P<test>test_\w+)`")
NAMED_PATH = re.compile(r"`(?P<path>(?:tests|shared|services|deploy|docs)/[\w./-]+)`")
ROUTE = re.compile(r"^\| `(?P<route>(?:GET|POST|PUT|PATCH|DELETE) [^`?]+)` \|", re.MULTILINE)
SETTING = re.compile(r"^\| `(?P<name>[A-Z_]+)` \| (?P<default>[^|]+) \|", re.MULTILINE)
RUN_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Snippet:
    """A fenced block of a document."""

    place: str
    info: str
    text: str


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def snippets(language: str) -> list[Snippet]:
    """Every block whose info string begins with `language`."""
    found = []
    for path in DOCUMENTS:
        for match in FENCE.finditer(path.read_text(encoding="utf-8")):
            if match["info"].split(" ")[0] == language:
                line = path.read_text(encoding="utf-8").count("\n", 0, match.start()) + 1
                found.append(Snippet(f"{name_of(path)}:{line}", match["info"], match["text"]))
    return found


def commands(first: str) -> Iterator[tuple[str, list[str]]]:
    """Where and how a program is called in bash blocks."""
    for snippet in snippets("bash"):
        for line in snippet.text.splitlines():
            for part in re.split(r"&&|\|\||;", line):
                words = part.split()
                if words and words[0] == first:
                    yield snippet.place, words[1:]


def leaves(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command of `trustfold` by its full name."""
    if not hasattr(command, "commands"):
        yield " ".join(words), command
        return
    for name, sub in command.commands.items():
        yield from leaves(sub, (*words, name))


COMMANDS = dict(leaves(typer.main.get_command(app)))


def settings_class(service: str) -> type[ServiceSettings]:
    module = importlib.import_module(f"services.{service}.settings")
    cls: type[ServiceSettings] = getattr(module, f"{service.capitalize()}Settings")
    return cls


def routes_of(service: str) -> set[str]:
    """The routes of the service's OpenAPI, as `METHOD /path`."""
    needed: dict[str, Any] = {"postgres": SecretStr("postgresql://nobody@nowhere"), "kafka": "x:1"}
    if service == "notifications":
        needed |= {"smtp_host": "nowhere", "sender": "nobody@mentoring.example"}
    build = importlib.import_module(f"services.{service}.app").build
    paths = build(settings_class(service)(**needed), None, None).api.openapi()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def section(text: str, heading: str) -> str:
    """What stands under a second-level heading."""
    return re.split(r"^## ", text.split(f"\n## {heading}\n", 1)[1], flags=re.MULTILINE)[0]


def reference(name: str) -> str:
    return (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_a_link_leads_to_a_file_of_the_project(path: Path) -> None:
    prose = FENCE.sub("", path.read_text(encoding="utf-8"))
    targets = [match["target"] for match in LINK.finditer(prose)]
    relative = [target for target in targets if not target.startswith(("https://", "#"))]
    missing = [
        target
        for target in relative
        if not (path.parent / unquote(target.partition("#")[0])).exists()
    ]
    assert not missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_a_named_file_and_a_named_test_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    paths = {match["path"].partition("::")[0] for match in NAMED_PATH.finditer(text)}
    gone = {each for each in paths if not (ROOT / each).exists()}
    latest = ""
    for match in NAMED_TEST.finditer(text):
        # `::test_x` alone is a test of the file that was named last.
        latest = match["file"] or latest
        if f"def {match['test']}(" not in (ROOT / latest).read_text(encoding="utf-8"):
            gone.add(f"{latest}::{match['test']}")
    assert not gone


def test_make_is_called_with_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    called = list(commands("make"))
    assert called
    unknown = [(place, words) for place, words in called if not set(words) <= targets]
    assert not unknown


def test_every_make_target_is_told_to_contributors() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    told = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE)
    assert not [target for target in targets if f"make {target}" not in told and target != "help"]


def test_trustfold_is_called_with_commands_and_options_that_exist() -> None:
    called = list(commands("trustfold"))
    assert called
    wrong = []
    for place, words in called:
        named = [" ".join(words[:depth]) for depth in (3, 2, 1)]
        command = next((COMMANDS[name] for name in named if name in COMMANDS), None)
        options = {name for param in command.params for name in param.opts} if command else set()
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        if command is None or not used <= options:
            wrong.append((place, words))
    assert not wrong


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_is_in_the_reference_with_its_options(name: str) -> None:
    row = re.search(rf"^\| `trustfold {name}\b[^\n]*", reference("cli.md"), re.MULTILINE)
    assert row, "no row in docs/reference/cli.md"
    options = [
        param.opts[0]
        for param in COMMANDS[name].params
        if param.param_type_name == "option" and param.opts[0] != "--help"
    ]
    assert not [option for option in options if f"`{option}" not in row[0]]


def test_the_reference_names_no_command_that_is_gone() -> None:
    rows = re.findall(r"^\| `trustfold ([a-z -]+)", reference("cli.md"), re.MULTILINE)
    assert {row.strip() for row in rows} == set(COMMANDS)


@pytest.mark.parametrize("service", SERVICES)
def test_settings_are_told_with_their_defaults(service: str) -> None:
    cls, text = settings_class(service), reference("settings.md")
    prefix = str(cls.model_config["env_prefix"])
    told = {
        **{prefix + name: shown for name, shown in SETTING.findall(section(text, "Every service"))},
        **dict(SETTING.findall(section(text, service))),
    }
    wanted = {prefix + name.upper(): shown_default(it) for name, it in cls.model_fields.items()}
    assert {name: shown.strip() for name, shown in told.items()} == wanted


def shown_default(field: Any) -> str:
    """A default as the reference writes it."""
    match field.default:
        case value if value is PydanticUndefined:
            return "needed"
        case None:
            return "none"
        case "":
            return "empty"
        case timedelta() as span:
            hours = int(span / timedelta(hours=1))
            return f"`PT{hours}H`" if hours % 24 else f"`P{span.days}D`"
        case bool() as value:
            return f"`{str(value).lower()}`"
        case value:
            return f"`{value}`"


def test_the_variables_of_the_stack_are_told() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "deploy").rglob("*.py"))
    used = set(re.findall(r"\"(TRUSTFOLD_[A-Z_]+)\"", code))
    assert used
    text = reference("settings.md")
    assert not [name for name in used if f"`{name}`" not in text]


@pytest.mark.parametrize("service", SERVICES)
def test_routes_are_those_of_the_app(service: str) -> None:
    assert set(ROUTE.findall(section(reference("http.md"), service))) == routes_of(service)


@pytest.mark.parametrize("snippet", snippets("python"), ids=lambda it: it.place)
def test_a_python_snippet_compiles_and_runs_if_it_says_so(snippet: Snippet) -> None:
    compile(snippet.text, snippet.place, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if snippet.info == "python run":
        done = subprocess.run(
            [sys.executable, "-c", snippet.text],
            cwd=ROOT, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("snippet", snippets("json"), ids=lambda it: it.place)
def test_a_json_snippet_is_an_event_or_part_of_one(snippet: Snippet, tmp_path: Path) -> None:
    document = json.loads(snippet.text)
    if isinstance(document, list) and "issuer" in document[0]:
        (tmp_path / "issuers.json").write_text(snippet.text, encoding="utf-8")
        assert read_issuers(tmp_path / "issuers.json")
        return
    if "about_mentor" in document:
        PartnerSafe.model_validate_json(snippet.text)
        return
    if "cadence_days" in document:
        TermsIn.model_validate_json(snippet.text)
        return
    (tmp_path / "event.json").write_text(snippet.text, encoding="utf-8")
    said = verify([tmp_path / "event.json"])
    assert [line for line in said if line.startswith("ok ") and "ignored" not in line] == said


def test_the_example_events_can_be_read() -> None:
    said = verify(sorted((ROOT / "docs" / "examples").glob("*.ndjson")))
    assert said
    assert [line for line in said if line.startswith("ok ") and "ignored" not in line] == said


@pytest.mark.parametrize("service", SERVICES)
def test_every_topic_a_service_reads_or_writes_is_on_the_map(service: str) -> None:
    from shared.events import topics

    row = re.search(rf"^\| \[{service}\][^\n]*", (ROOT / "ARCHITECTURE.md").read_text(), re.M)
    assert row
    cells = [cell.strip() for cell in row[0].strip("|").split("|")]
    consumed, published = ({part.strip() for part in cells[n].split(",")} for n in (2, 3))
    group = next(each for each in topics.GROUPS if each.name == service)
    assert consumed == {short(topic) for topic in group.topics}
    assert published == {short(topic) for topic in topics.ALL if service in topic.producers}


def short(topic: Any) -> str:
    """The word of a topic's name that says what it holds."""
    return str(topic.name.split(".")[2])


@pytest.mark.parametrize("fact", sorted(FACTS))
def test_operators_are_told_of_every_fact(fact: str) -> None:
    assert f"`{fact}`" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=name_of)
def test_a_decision_has_a_number_and_names_what_holds_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    number = path.name[:4]
    assert text.startswith(f"# {'NNNN' if number == '0000' else number}: ")
    assert "**Held by**" in text
    assert number == "0000" or "`tests/" in text


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_a_document_is_finished_and_names_no_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"\bTODO\b|\bTBD\b|\bFIXME\b|/tmp/\w|/home/|/work/|/root/", text)
    assert not found
