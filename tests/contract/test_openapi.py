"""The APIs' documents are what is served, and a change that would break a caller is refused."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.command import SERVICES
from shared.openapi import OpenApiBroken, check, generate
from shared.openapi.breaking import breaking_changes
from tests.contract.openapi_changes import BREAKING, HARMLESS, Change, follow, operations

ROOT = Path(__file__).parents[2]
FOLDER = Path("docs/reference/openapi")
DOCUMENTS: dict[str, dict[str, Any]] = {
    service: json.loads((ROOT / FOLDER / f"{service}.json").read_bytes()) for service in SERVICES
}
EACH = 27  # of each service: 108 of a kind


def changed(change: Change) -> list[tuple[dict[str, Any], dict[str, Any], str]]:
    """Before, after and where, of many random spots."""
    made = []
    for service, old in DOCUMENTS.items():
        rng = random.Random(f"{change.__name__} {service}")
        text = orjson.dumps(old)
        for _ in range(EACH):
            new = orjson.loads(text)
            place = change(new, rng)
            if place is not None:
                made.append((old, new, f"{service}: {place}"))
    assert len(made) >= 100
    return made


@pytest.mark.parametrize("change", BREAKING, ids=lambda change: change.__name__)
def test_a_change_that_breaks_a_caller_is_found(change: Change) -> None:
    missed = [where for old, new, where in changed(change) if not breaking_changes(old, new)]
    assert missed == []


@pytest.mark.parametrize("change", HARMLESS, ids=lambda change: change.__name__)
def test_a_change_that_breaks_nobody_passes(change: Change) -> None:
    for old, new, where in changed(change):
        assert breaking_changes(old, new) == [], where


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_says_what_it_is_and_how_it_refuses(service: str) -> None:
    document = DOCUMENTS[service]
    known = [operation["operationId"] for _, operation in operations(document)]
    assert len(known) == len(set(known))
    for place, operation in operations(document):
        assert operation["summary"], place
        assert operation["tags"], place
        refused = follow(document, operation["responses"]["4XX"])
        assert "application/problem+json" in refused["content"], place


def test_the_committed_documents_are_what_is_served() -> None:
    assert check(ROOT) == []


@pytest.fixture
def root(tmp_path: Path) -> Path:
    generate(tmp_path, DOCUMENTS)
    return tmp_path


def test_what_would_break_a_caller_is_not_written(root: Path) -> None:
    broken = copy.deepcopy(DOCUMENTS)
    del broken["matching"]["paths"]["/v1/pairs"]
    before = (root / FOLDER / "matching.json").read_bytes()

    with pytest.raises(OpenApiBroken, match="matching: /v1/pairs: the path is gone"):
        generate(root, broken)

    assert (root / FOLDER / "matching.json").read_bytes() == before


def test_what_is_stale_is_said_and_written(root: Path) -> None:
    grown = copy.deepcopy(DOCUMENTS)
    grown["insights"]["paths"]["/v1/more"] = grown["insights"]["paths"]["/v1/trust"]

    assert check(root, grown) == [f"{FOLDER}/insights.json: is stale: run make contracts"]
    assert generate(root, grown) == [FOLDER / "insights.json"]
    assert check(root, grown) == []
