"""What breaks a reader and what does not: hundreds of mutations of the real schemas."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator

import pytest

from shared.events.compatibility import breaking_changes, changes
from shared.events.contracts.schemas import schema_of
from shared.events.registry import FACTS
from tests.contract.harmless import (
    COMPATIBLE,
    add_an_optional_field,
    order_it_otherwise,
    say_it_in_other_words,
)
from tests.contract.mutations import (
    BREAKING,
    Mutation,
    Schema,
    add_a_field_without_default,
    add_a_required_field,
    remove_a_field,
)

SCHEMAS = [schema_of(fact) for fact in FACTS.values()]
MANY, SOME = 110, 30


def mutants(mutation: Mutation, wanted: int) -> Iterator[tuple[Schema, Schema, str]]:
    rng = random.Random(mutation.__name__)
    made = 0
    while made < wanted:
        old = rng.choice(SCHEMAS)
        new = copy.deepcopy(old)
        touched = mutation(new, rng)
        if touched is not None:
            made += 1
            yield old, new, touched


@pytest.mark.parametrize("mutation", BREAKING, ids=lambda mutation: mutation.__name__)
def test_a_breaking_change_is_named_by_type_and_field(mutation: Mutation) -> None:
    for old, new, touched in mutants(mutation, MANY):
        found = breaking_changes(old, new)
        name = old["$id"].split(":")[3]
        assert found, (name, touched)
        assert all(line.startswith(f"{name}: ") for line in found)
        assert any(touched in line for line in found), (touched, found)


@pytest.mark.parametrize("mutation", BREAKING, ids=lambda mutation: mutation.__name__)
def test_what_breaks_one_way_breaks_the_other_way_too(mutation: Mutation) -> None:
    """The gate is FULL; only a new field is no break when seen from the older schema's side."""
    for old, new, touched in mutants(mutation, SOME):
        if mutation not in (add_a_required_field, add_a_field_without_default):
            assert breaking_changes(new, old) or mutation is remove_a_field, touched


@pytest.mark.parametrize("mutation", COMPATIBLE, ids=lambda mutation: mutation.__name__)
def test_a_compatible_change_passes(mutation: Mutation) -> None:
    for old, new, touched in mutants(mutation, MANY):
        assert breaking_changes(old, new) == [], touched
        assert bool(changes(old, new)) == (mutation is add_an_optional_field)


@pytest.mark.parametrize("mutation", BREAKING, ids=lambda mutation: mutation.__name__)
def test_compatible_changes_do_not_hide_a_breaking_one(mutation: Mutation) -> None:
    rng = random.Random(mutation.__name__)
    for old, new, touched in mutants(mutation, SOME):
        mixed = copy.deepcopy(new)
        for other in (say_it_in_other_words, order_it_otherwise):
            other(mixed, rng)
        assert breaking_changes(old, mixed), touched


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema["title"])
def test_a_schema_does_not_break_itself_and_a_gone_type_does(schema: Schema) -> None:
    assert changes(schema, copy.deepcopy(schema)) == []
    assert breaking_changes(schema, None) == [f"{schema['$id'].split(':')[3]}: the type is gone"]


def test_a_change_is_told_in_words() -> None:
    old = schema_of(FACTS["trust.changed"])
    new = copy.deepcopy(old)
    new["$defs"]["FacetTrust"]["properties"]["score"]["maximum"] = 2
    new["properties"]["revision"]["minimum"] = 5
    assert breaking_changes(old, new) == [
        "trust.changed: revision: minimum went from 1 to 5: earlier records may not meet it",
        "trust.changed: about_mentor.facets.*.score: maximum went from 1 to 2:"
        " earlier readers refuse more",
        "trust.changed: about_mentee.facets.*.score: maximum went from 1 to 2:"
        " earlier readers refuse more",
    ]


def test_a_part_that_holds_itself_is_compared_once() -> None:
    part = {
        "type": "object",
        "properties": {
            "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}], "default": None},
            "size": {"type": "integer", "minimum": 0},
        },
    }
    old = {"title": "tree", "type": "object", "properties": {"root": {"$ref": "#/$defs/Node"}}}
    old["$defs"] = {"Node": part}
    new = copy.deepcopy(old)
    assert changes(old, new) == []
    new["$defs"]["Node"]["properties"]["size"]["minimum"] = 1  # type: ignore[index]
    assert len(breaking_changes(old, new)) == 1
