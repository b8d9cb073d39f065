"""Generating and checking the contracts: what is refused, what is told, what is never touched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from pydantic import Field

from shared.events.contracts import ContractBroken, check, generate
from shared.events.fact import Fact
from shared.events.registry import FACTS
from shared.events.sessions import SessionHeld
from shared.events.topics import SESSIONS, Topic

ROOT = Path(__file__).parents[2]
SCHEMA = Path("shared/events/schemas/session.held.v1.json")
EXAMPLE = Path("shared/events/examples/session.held.v1.json")
DURATION = Annotated[int, Field(ge=1, le=24 * 60)]


class Grown(SessionHeld):
    """A session took place; where is new."""

    place: str | None = None


class GrownVersion2(Grown):
    """A session took place; where is new."""

    version: ClassVar[int] = 2


class Broken(SessionHeld):
    """A session took place, for a minute at least."""

    duration_minutes: DURATION
    version: ClassVar[int] = 2


class Reworded(SessionHeld):
    """A session took place (in other words)."""


class SessionMoved(SessionHeld):
    """A session took place elsewhere."""

    type: ClassVar[str] = "session.moved"
    topic: ClassVar[Topic] = SESSIONS


def with_held(fact: type[Fact]) -> dict[str, type[Fact]]:
    return {**FACTS, "session.held": fact}


def files(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("fresh")
    (made / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    for folder in (SCHEMA.parent, EXAMPLE.parent):
        (made / folder).mkdir(parents=True)
        for fact in FACTS.values():  # what earlier releases published is never made again
            for version in range(1, fact.version):
                name = folder / f"{fact.type}.v{version}.json"
                shutil.copy(ROOT / name, made / name)
    assert len(generate(made)) == 2 * len(FACTS) + 2
    return made


@pytest.fixture
def root(fresh: Path, tmp_path: Path) -> Path:
    """A checkout whose contracts are fresh."""
    return shutil.copytree(fresh, tmp_path / "root")


def refused(root: Path, facts: Mapping[str, type[Fact]]) -> list[str]:
    """The problems of `facts`, after seeing that nothing is written because of them."""
    before = files(root)
    with pytest.raises(ContractBroken) as caught:
        generate(root, facts)
    assert files(root) == before
    assert check(root, facts=facts) == caught.value.problems
    return caught.value.problems


def test_fresh_contracts_have_no_problem_and_are_not_written_again(root: Path) -> None:
    assert check(root) == []
    assert generate(root) == []


@pytest.mark.parametrize(
    "path",
    [SCHEMA, EXAMPLE, Path("docs/reference/asyncapi.json"), Path("docs/reference/events.md")],
    ids=str,
)
def test_a_missing_file_is_told_and_made_again(root: Path, path: Path) -> None:
    before = files(root)
    (root / path).unlink()
    assert check(root)[0] == f"{path}: is missing: run make contracts"
    generate(root)
    assert files(root) == before


@pytest.mark.parametrize("path", ["docs/reference/asyncapi.json", "docs/reference/events.md"])
def test_a_stale_file_is_told_and_made_again(root: Path, path: str) -> None:
    (root / path).write_text("{}")
    assert check(root) == [f"{path}: is stale: run make contracts"]
    assert generate(root) == [Path(path)]


def test_other_words_are_stale_but_need_no_version(root: Path) -> None:
    facts = with_held(Reworded)
    assert f"{SCHEMA}: is stale: run make contracts" in check(root, facts=facts)
    assert SCHEMA in generate(root, facts)
    assert check(root, facts=facts) == []


def test_a_compatible_change_needs_a_new_version(root: Path) -> None:
    assert refused(root, with_held(Grown)) == [
        "session.held: place is new and optional: a compatible change, so set version = 2 on"
        " Grown and run make contracts"
    ]


def test_a_new_version_stands_beside_the_old_one(root: Path) -> None:
    before = files(root)
    written = generate(root, with_held(GrownVersion2))
    assert Path(str(SCHEMA).replace("v1", "v2")) in written
    assert Path(str(EXAMPLE).replace("v1", "v2")) in written
    assert (root / SCHEMA).read_bytes() == before[root / SCHEMA]
    assert (root / EXAMPLE).read_bytes() == before[root / EXAMPLE]
    assert check(root, facts=with_held(GrownVersion2)) == []


def test_a_breaking_change_is_refused_whatever_its_version(root: Path) -> None:
    problems = refused(root, with_held(Broken))
    assert problems == [
        "session.held: duration_minutes: minimum went from 5 to 1: earlier readers refuse more"
        " (since v1)",
        "session.held: this breaks readers: undo it, or make it a new type beside 'session.held'",
    ]


def test_a_version_is_held_against_every_earlier_one(root: Path) -> None:
    generate(root, with_held(GrownVersion2))
    assert any("(since v1)" in line for line in refused(root, with_held(Broken)))
    assert any("place: the field is gone" in line for line in refused(root, with_held(Broken)))


def test_a_version_does_not_go_back(root: Path) -> None:
    generate(root, with_held(GrownVersion2))
    problems = refused(root, FACTS)
    assert "session.held: version 2 is committed, but SessionHeld says 1" in problems


def test_a_new_type_is_the_way_out(root: Path) -> None:
    facts: dict[str, type[Fact]] = {**FACTS, "session.moved": SessionMoved}
    assert Path("shared/events/schemas/session.moved.v1.json") in generate(root, facts)
    assert check(root, facts=facts) == []


def test_a_type_that_was_published_may_not_go(root: Path) -> None:
    facts = {name: fact for name, fact in FACTS.items() if name != "session.held"}
    assert any(line.startswith("session.held: the type is gone") for line in refused(root, facts))


@pytest.mark.parametrize("path", [SCHEMA, EXAMPLE], ids=str)
def test_an_older_version_stays_for_ever(root: Path, path: Path) -> None:
    generate(root, with_held(GrownVersion2))
    (root / path).unlink()
    told = f"{path}: is gone; what was published stays for ever: restore it"
    assert told in refused(root, with_held(GrownVersion2))


def test_an_example_is_never_written_over(root: Path) -> None:
    example = json.loads((root / EXAMPLE).read_bytes())
    example["value"]["duration_minutes"] = 50
    (root / EXAMPLE).write_text(json.dumps(example))
    kept = (root / EXAMPLE).read_bytes()
    generate(root)
    assert (root / EXAMPLE).read_bytes() == kept
    assert check(root) == []


def test_an_example_that_is_read_no_longer_is_a_problem(root: Path) -> None:
    example = json.loads((root / EXAMPLE).read_bytes())
    example["value"]["duration_minutes"] = 1
    (root / EXAMPLE).write_text(json.dumps(example))
    told = f"{EXAMPLE}: SessionHeld reads it no longer: undo what did that"
    assert refused(root, FACTS) == [told]


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{"], ids=repr)
@pytest.mark.parametrize("path", [SCHEMA, EXAMPLE], ids=str)
def test_a_spoilt_file_is_told_not_raised(root: Path, path: Path, content: bytes) -> None:
    (root / path).write_bytes(content)
    assert any(str(path) in line for line in refused(root, FACTS))


def test_a_stray_file_is_told(root: Path) -> None:
    (root / SCHEMA).with_name("notes.txt").write_text("")
    (root / EXAMPLE).with_name("session.hold.v1.json").write_text("{}")
    told = refused(root, FACTS)
    assert "shared/events/schemas/notes.txt: is not called <type>.v<version>.json" in told
    assert "shared/events/examples/session.hold.v1.json: belongs to no fact" in told


def test_a_released_schema_edited_in_place_is_found(root: Path, tmp_path: Path) -> None:
    """Without a release to look at, deleting the old schema would hide the break."""
    released = tmp_path / "released"
    shutil.copytree(root / "shared", released / "shared")
    (root / SCHEMA).unlink()
    facts = with_held(Grown)
    generate(root, facts)
    assert check(root, facts=facts) == []
    told = [f"{SCHEMA}: was released and now says something else: restore it"]
    assert check(root, released, facts) == told


def test_a_released_example_deleted_is_found(root: Path, tmp_path: Path) -> None:
    released = tmp_path / "released"
    shutil.copytree(root / "shared", released / "shared")
    (root / EXAMPLE).unlink()
    assert check(root, released) == [f"{EXAMPLE}: was released and is gone: restore it"]
