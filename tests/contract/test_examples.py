"""The golden examples: records as they are in the logs, kept for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.events.contracts.examples import sample
from shared.events.contracts.schemas import FILE_NAME
from shared.events.contracts.verify import verify
from shared.events.envelope import decode, encode
from shared.events.registry import FACTS

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "shared/events/examples").glob("*.json"))
BY_NAME = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def record(document: dict[str, Any]) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    headers = [(name, text.encode()) for name, text in document["headers"].items()]
    return document["key"].encode(), orjson.dumps(document["value"]), headers


def structured(document: dict[str, Any]) -> dict[str, Any]:
    named = {name[3:]: text for name, text in document["headers"].items() if name[:3] == "ce_"}
    return {**named, "datacontenttype": "application/json", "data": document["value"]}


def holds(newer: Any, older: Any) -> bool:
    """Whether everything that the older value says is in the newer one, at every depth."""
    if isinstance(older, dict):
        return all(name in newer and holds(newer[name], value) for name, value in older.items())
    return bool(newer == older)


def test_every_fact_has_an_example_of_its_version() -> None:
    names = {path.name for path in EXAMPLES}
    assert {f"{fact.type}.v{fact.version}.json" for fact in FACTS.values()} <= names


@BY_NAME
def test_an_example_is_read_and_written_again_as_it_was(path: Path) -> None:
    document = read(path)
    key, value, headers = record(document)
    again = encode(decode(key, value, headers))
    named = FILE_NAME.fullmatch(path.name)
    assert named is not None
    if FACTS[named["type"]].version == int(named["version"]):
        assert again == (key, value, headers)
    else:  # an older version comes back with the newer one's defaults
        assert holds(json.loads(again[1]), document["value"])


@BY_NAME
def test_both_modes_say_the_same(path: Path) -> None:
    key, value, headers = record(read(path))
    envelope = orjson.dumps(structured(read(path)))
    told = [("content-type", b"Application/CloudEvents+json; charset=UTF-8")]
    assert decode(key, envelope, told) == decode(key, value, headers)


@BY_NAME
def test_repeated_headers_do_not_change_the_mode(path: Path) -> None:
    """The binding lets a structured record repeat its attributes; the content-type decides."""
    key, value, headers = record(read(path))
    told = [*headers[:-1], ("content-type", b"application/cloudevents+json")]
    assert decode(key, orjson.dumps(structured(read(path))), told) == decode(key, value, headers)


@BY_NAME
def test_the_story_of_the_examples_holds(path: Path) -> None:
    document = read(path)
    assert document["key"] == document["headers"]["ce_partitionkey"]
    tenant, _, subject = document["key"].partition("/")
    assert (tenant, subject) == (
        document["headers"]["ce_tenant"],
        document["headers"]["ce_subject"],
    )


@pytest.mark.parametrize("name", FACTS)
def test_a_first_example_is_always_the_same(name: str) -> None:
    assert sample(FACTS[name]) == sample(FACTS[name])


def test_verify_accepts_the_examples() -> None:
    lines = verify(EXAMPLES)
    assert len(lines) == len(EXAMPLES)
    assert all(line.startswith("ok ") for line in lines), lines


def test_verify_says_line_by_line_what_is_wrong(tmp_path: Path) -> None:
    good = structured(read(EXAMPLES[0]))
    lines = [
        good,
        {**good, "type": "session.heeld"},
        {name: text for name, text in good.items() if name != "partitionkey"},
        {**good, "partitionkey": "acme/somebody"},
        {**good, "data": {**good["data"], "typo": 1}},
    ]
    export = tmp_path / "export.ndjson"
    export.write_text("\n".join(json.dumps(line) for line in lines) + "\n\nnot json\n")
    told = [line.replace(str(export), "f") for line in verify([export])]
    assert [line.split(" ")[:3] for line in told] == [
        ["ok", "f:1", good["type"]],
        ["no", "f:2", "unknown_type:"],
        ["no", "f:3", "wrong_key:"],
        ["no", "f:4", "wrong_key:"],
        ["ok", "f:5", good["type"]],
        ["no", "f:7", "bad_envelope:"],
    ]
    assert told[4].endswith("(ignored: typo)")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"", "no f empty: there is no event in it", id="an empty file"),
        pytest.param(b"\xff\xfe", "no f:1 bad_envelope", id="not text"),
        pytest.param(b"[]", "no f:1 bad_envelope", id="a list"),
        pytest.param(b'{"headers": {}}', "no f missing_attribute", id="no attributes"),
        pytest.param(b'{"headers": {"ce_id": null}, "value": NaN}', "no f:1 bad_env", id="NaN"),
        pytest.param(b'{"headers": {"ce_id": null}, "value": 3}', "no f missing", id="null"),
    ],
)
def test_verify_reads_anything(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert verify([path])[0].replace(str(path), "f").startswith(expected)


def test_verify_says_that_a_file_is_not_there(tmp_path: Path) -> None:
    assert verify([tmp_path / "gone"])[0].startswith("no ")
