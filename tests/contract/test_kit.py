"""The conformance kit is judged by `verify` exactly as it says; schemas go to a registry whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shared.cli import app
from shared.events.contracts import export, verdicts, write_kit
from shared.events.contracts.kit import TYPES
from shared.events.contracts.schemas import schema_of
from shared.events.registry import FACTS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kit")
    write_kit(folder)
    return folder


def events(kit: Path) -> list[Path]:
    return sorted(p for folder in ("valid", "invalid") for p in (kit / folder).rglob("*.*json"))


def test_every_event_of_the_kit_is_judged_as_it_says(kit: Path) -> None:
    said = {
        each.place.removeprefix(f"{kit}/"): {
            name: each.as_json()[name] for name in ("ok", "reason", "field")
        }
        for each in verdicts(events(kit))
    }
    assert said == json.loads((kit / "expected.json").read_text())


def test_the_kit_has_each_type_valid_and_invalid_in_each_form(kit: Path) -> None:
    for type_ in TYPES:
        for form in ("binary", "structured"):
            assert (kit / f"valid/{form}/{type_}.json").exists()
            assert len(list((kit / f"invalid/{form}").glob(f"{type_}.*.json"))) >= 9
    assert len(json.loads((kit / "valid/batch.json").read_text())) == len(TYPES)


def test_nothing_of_a_valid_event_is_ignored(kit: Path) -> None:
    assert not [each for each in verdicts((kit / "valid").rglob("*.*json")) if each.ignored]


def test_the_command_ends_with_1_and_names_the_field(kit: Path) -> None:
    bad = kit / "invalid/binary/person.joined.bad-email.json"
    good = kit / "valid/batch.json"

    refused = CliRunner().invoke(app, ["contracts", "verify", "--json", str(bad)])
    taken = CliRunner().invoke(app, ["contracts", "verify", "--json", str(good)])

    assert (refused.exit_code, taken.exit_code) == (1, 0)
    assert json.loads(refused.stdout)["field"] == "data.email"
    assert len(taken.stdout.splitlines()) == len(TYPES)


def test_a_refusal_quotes_nothing_personal(kit: Path) -> None:
    bad = kit / "invalid/binary/person.joined.bad-email.json"
    (said,) = verdicts([bad])
    assert "not an address" not in json.dumps(said.as_json())


def test_a_registry_is_given_every_type_closed_and_oldest_first(tmp_path: Path) -> None:
    export(ROOT, tmp_path)
    subjects = json.loads((tmp_path / "subjects.json").read_text())
    assert set(subjects) == {f"{fact.topic.name}-{name}" for name, fact in FACTS.items()}
    for name, fact in FACTS.items():
        told = subjects[f"{fact.topic.name}-{name}"]
        assert [each.split(".v")[-1] for each in told["files"]] == [
            f"{version}.json" for version in range(1, fact.version + 1)
        ]
        newest = json.loads((tmp_path / told["files"][-1]).read_text())
        assert newest["schemaType"] == "JSON"
        schema = json.loads(newest["schema"])
        assert schema == schema_of(fact)
        assert schema["additionalProperties"] is False
