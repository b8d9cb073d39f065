"""The threat model leaves out no kind and no door, and names a test that exists for each line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "threat-model.md"
DOORS = {
    "The API", "HR's doors", "The broker", "The database", "Outgoing HTTP",
    "Mail, calendars and links", "The command line",
}  # fmt: skip
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows() -> list[tuple[str, str, str, str, str]]:
    """Door, kind, threat, what stops it, tests."""
    found, door = [], ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            door = line.removeprefix("## ")
        if line.startswith("| ") and not line.startswith("| kind"):
            kind, threat, stops, tests = (cell.strip() for cell in line.strip("|").split("|"))
            found.append((door, kind, threat, stops, tests))
    return found


def test_no_door_and_no_kind_is_left_out() -> None:
    assert {door for door, *_ in rows()} == DOORS
    assert {kind for _, kind, *_ in rows()} == set("STRIDE")


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[0]}: {row[2]}")
def test_what_stops_a_threat_is_held_by_a_test(row: tuple[str, str, str, str, str]) -> None:
    *_, stops, tests = row
    named = TEST.findall(tests)
    assert stops
    assert named
    gone = [
        f"{file}::{test}"
        for file, test in named
        if not (ROOT / file).exists() or f"def {test}(" not in (ROOT / file).read_text()
    ]
    assert not gone
