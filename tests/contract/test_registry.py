"""The registry and the topics: what is permanent about them."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from shared.events import topics
from shared.events.fact import Fact
from shared.events.registry import FACTS, SCHEMA_URN, dataschema

# Past tense: a regular -ed, or one of the irregular words facts are told with.
PAST = re.compile(r".+ed|held|made|kept|left|given|sent|told|met|begun|withdrawn|broken|shown|set")
BY_TYPE = pytest.mark.parametrize("fact", FACTS.values(), ids=list(FACTS))


@BY_TYPE
def test_a_type_is_a_subject_and_a_verb_in_the_past_tense(fact: type[Fact]) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z_]+(\.v[2-9])?", fact.type)
    verbs = fact.type.split(".")[1].split("_")
    assert any(PAST.fullmatch(verb) for verb in verbs)


@BY_TYPE
def test_a_class_is_called_as_its_type(fact: type[Fact]) -> None:
    words = re.split(r"[._]", fact.type)
    assert fact.__name__ == "".join(word.capitalize() for word in words)


@BY_TYPE
def test_a_fact_says_what_it_is_in_its_own_words(fact: type[Fact]) -> None:
    assert fact.__doc__
    assert all(fact.__doc__ != base.__doc__ for base in fact.__mro__[1:])


@BY_TYPE
def test_a_fact_is_frozen_and_ignores_fields_it_does_not_know(fact: type[Fact]) -> None:
    assert fact.model_config.get("frozen") is True
    assert fact.model_config.get("extra") == "ignore"
    assert fact.model_config.get("allow_inf_nan") is False


@BY_TYPE
def test_the_urn_of_a_schema_names_type_and_version(fact: type[Fact]) -> None:
    assert dataschema(fact) == f"{SCHEMA_URN}{fact.type}:{fact.version}"
    assert fact.version >= 1


def test_every_topic_has_a_fact_and_every_fact_a_topic() -> None:
    assert {fact.topic.name for fact in FACTS.values()} == {topic.name for topic in topics.ALL}


def test_topics_and_groups_have_names_of_their_own() -> None:
    names = [topic.name for topic in topics.every_topic()]
    groups = [group.name for group in topics.GROUPS]
    assert max(Counter(names).values()) == 1
    assert max(Counter(groups).values()) == 1
    # Dots and dashes only: metric names mix up "." and "_", and Kubernetes takes no "_".
    assert all(re.fullmatch(r"[a-z0-9.-]{1,249}", name) for name in names)


@pytest.mark.parametrize("group", topics.GROUPS, ids=lambda group: group.name)
def test_a_group_reads_only_what_it_may(group: topics.Group) -> None:
    for topic in group.topics:
        assert group.name in topic.readers, topic.name


def test_private_answers_are_read_by_insights_alone() -> None:
    assert topics.FEEDBACK.readers == ("insights",)
    assert [group.name for group in topics.GROUPS if topics.FEEDBACK in group.topics] == [
        "insights"
    ]
