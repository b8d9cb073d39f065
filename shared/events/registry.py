"""Every fact by its type string. A type claimed twice is an error when this module is imported."""

from __future__ import annotations

from collections.abc import Iterator

from shared.events import erasures, insights, matching, notifications, people, sessions
from shared.events.fact import Fact
from shared.events.topics import ALL

_MODULES = (people, matching, sessions, insights, notifications, erasures)
SCHEMA_URN = "urn:trustfold:schema:"


def _facts() -> Iterator[type[Fact]]:
    for module in _MODULES:
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Fact) and "type" in vars(value):
                yield value


def _by_type() -> dict[str, type[Fact]]:
    found: dict[str, type[Fact]] = {}
    for fact in _facts():
        if fact.topic not in ALL:
            raise TypeError(f"{fact.__name__} belongs to a topic that is not in topics.ALL")
        if found.setdefault(fact.type, fact) is not fact:
            raise TypeError(f"two facts claim the type {fact.type!r}")
    return found


FACTS: dict[str, type[Fact]] = _by_type()


def dataschema(fact: type[Fact]) -> str:
    """The URN of the fact's schema, as it travels in `ce_dataschema`."""
    return f"{SCHEMA_URN}{fact.type}:{fact.version}"
