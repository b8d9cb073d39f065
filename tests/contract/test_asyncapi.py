"""The AsyncAPI document: valid by the specification, whole, and with no reference astray."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from faststream.specification.asyncapi.v3_0_0.schema.schema import ApplicationSchema

from shared.events.contracts import asyncapi
from shared.events.contracts.examples import sample
from shared.events.registry import FACTS, dataschema
from shared.events.topics import ALL, GROUPS, every_topic

ROOT = Path(__file__).parents[2]
# AsyncAPI's own JSON Schema of 3.0.0 (Apache-2.0), without prose and other protocols' bindings.
OFFICIAL = json.loads((Path(__file__).parent / "asyncapi-3.0.0.schema.json").read_bytes())


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads((ROOT / "docs/reference/asyncapi.json").read_bytes())
    return made


def values(node: Any, name: str) -> Iterator[Any]:
    if isinstance(node, dict):
        for key, child in node.items():
            if key == name:
                yield child
            yield from values(child, name)
    elif isinstance(node, list):
        for child in node:
            yield from values(child, name)


def test_the_document_is_valid_by_the_official_schema(document: dict[str, Any]) -> None:
    problems = jsonschema.Draft7Validator(OFFICIAL).iter_errors(document)
    assert [(list(problem.path), problem.message[:200]) for problem in problems] == []


def test_the_official_schema_would_find_a_mistake(document: dict[str, Any]) -> None:
    broken = {**document, "info": {"title": "Trustfold"}}
    assert list(jsonschema.Draft7Validator(OFFICIAL).iter_errors(broken))


def test_faststream_reads_the_document(document: dict[str, Any]) -> None:
    read = ApplicationSchema(**document)
    assert len(read.channels) == len(every_topic())


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = list(values(document, "$ref"))
    assert references
    for reference in references:
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_every_topic_is_a_channel_exactly_once(document: dict[str, Any]) -> None:
    addresses = Counter(channel["address"] for channel in document["channels"].values())
    assert addresses == Counter(topic.name for topic in every_topic())
    for topic in every_topic():
        kafka = document["channels"][topic.name]["bindings"]["kafka"]
        assert kafka["partitions"] == topic.partitions
        told = {
            name: ",".join(value) if isinstance(value, list) else str(value)
            for name, value in kafka["topicConfiguration"].items()
        }
        assert told == topic.settings()


def test_every_type_is_a_message_of_its_topic_exactly_once(document: dict[str, Any]) -> None:
    placed = Counter(
        (name, channel["address"])
        for channel in document["channels"].values()
        for name in channel["messages"]
        if name != asyncapi.DEAD_LETTER
    )
    assert placed == Counter((fact.type, fact.topic.name) for fact in FACTS.values())


@pytest.mark.parametrize("name", FACTS)
def test_a_message_tells_key_headers_payload_and_an_example(
    document: dict[str, Any], name: str
) -> None:
    message = document["components"]["messages"][name]
    components = {"components": document["components"]}
    example = message["examples"][0]
    key = message["bindings"]["kafka"]["key"]
    assert message["headers"]["allOf"][1]["properties"]["ce_type"] == {"const": name}
    assert message["x-dataschema"] == dataschema(FACTS[name])
    assert message["correlationId"]["location"] == "$message.header#/ce_correlationid"
    jsonschema.validate(example["headers"], {**message["headers"], **components})
    jsonschema.validate(example["payload"], {**message["payload"], **components})
    jsonschema.validate(example["headers"]["ce_partitionkey"], key)


def test_every_group_receives_each_of_its_topics_exactly_once(document: dict[str, Any]) -> None:
    told = Counter(
        (
            operation["bindings"]["kafka"]["groupId"]["const"],
            operation["channel"]["$ref"].removeprefix("#/channels/"),
        )
        for operation in document["operations"].values()
        if operation["action"] == "receive"
    )
    assert told == Counter((group.name, topic.name) for group in GROUPS for topic in group.topics)


def test_every_producer_sends_to_each_of_its_topics_exactly_once(document: dict[str, Any]) -> None:
    told = Counter(
        (name.split(".send.")[0], operation["channel"]["$ref"].removeprefix("#/channels/"))
        for name, operation in document["operations"].items()
        if operation["action"] == "send"
    )
    assert told == Counter(
        (producer, topic.name) for topic in every_topic() for producer in topic.producers
    )


def test_an_operation_carries_every_message_of_its_channel(document: dict[str, Any]) -> None:
    for operation in document["operations"].values():
        channel = operation["channel"]["$ref"]
        messages = document["channels"][channel.removeprefix("#/channels/")]["messages"]
        carried = [message["$ref"] for message in operation["messages"]]
        assert carried == [f"{channel}/messages/{name}" for name in messages]


def test_the_catalogue_tells_every_topic_type_and_group() -> None:
    text = (ROOT / "docs/reference/events.md").read_text("utf-8")
    for topic in ALL:
        assert text.count(f"\n## {topic.name}\n") == 1
    for name in FACTS:
        assert text.count(f"\n### {name}\n") == 1


def test_two_parts_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def clashing(fact: Any) -> dict[str, Any]:
        return {"title": fact.type, "$defs": {"Same": {"title": fact.type}}}

    monkeypatch.setattr(asyncapi, "schema_of", clashing)
    with pytest.raises(TypeError, match="Same"):
        asyncapi.document(FACTS, {name: sample(FACTS[name]) for name in FACTS}, "1")
