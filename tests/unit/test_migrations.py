"""Migrations leave a database in use alone: by name, by their locks, one way only."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SQUAWK = Path(sys.executable).parent / "squawk"
FOLDERS = [*sorted((ROOT / "services").glob("*/migrations")), ROOT / "shared/postgres/migrations"]
FILES = sorted(path for folder in FOLDERS for path in folder.glob("*.sql"))
# What is older was written before there was a database in use: it locked nobody out.
FIRST_RELEASE = "20261201"
NAME = re.compile(r"\d{14}_[a-z][a-z0-9_]*_(pre|post)\.sql")


def wrong(path: Path) -> list[str]:
    """What the linter finds in a file, a rule each."""
    done = subprocess.run(
        [SQUAWK, "--config", ROOT / ".squawk.toml", "--reporter", "gcc", path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return re.findall(r"(?:warning|error): ([a-z-]+)", done.stdout)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_migration_says_by_its_name_whether_it_comes_before_or_after_the_new_code(
    path: Path,
) -> None:
    assert NAME.fullmatch(path.name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_there_is_no_way_back(path: Path) -> None:
    _, _, down = path.read_text("utf-8").partition("-- migrate:down")
    assert not down.strip()


def test_two_migrations_of_a_service_have_two_numbers() -> None:
    for folder in FOLDERS:
        numbers = [path.name[:14] for path in folder.glob("*.sql")]
        assert len(numbers) == len(set(numbers)), folder


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.name >= FIRST_RELEASE], ids=lambda path: path.name
)
def test_a_migration_locks_nobody_out(path: Path) -> None:
    assert wrong(path) == []


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("CREATE INDEX i ON pair (mentor_id);", "require-concurrent-index-creation"),
        ("ALTER TABLE pair ADD COLUMN a int NOT NULL;", "adding-required-field"),
        ("ALTER TABLE pair RENAME COLUMN mentor_id TO m;", "renaming-column"),
        ("ALTER TABLE pair ALTER COLUMN mentor_id TYPE uuid;", "changing-column-type"),
        ("ALTER TABLE pair DROP COLUMN mentor_id;", "ban-drop-column"),
        ("DROP TABLE pair;", "ban-drop-table"),
        ("ALTER TABLE pair ADD CHECK (ended_at > started_at);", "constraint-missing-not-valid"),
    ],
)
def test_one_that_would_is_found(tmp_path: Path, statement: str, rule: str) -> None:
    path = tmp_path / "20270101000000_wrong_pre.sql"
    path.write_text(f"-- migrate:up\n{statement}\n-- migrate:down\n")
    assert rule in wrong(path)
