"""Makes the AsyncAPI 3 document of the network from topics, groups and registry. Pure, no files.

A channel per topic, a message per type, an operation per producer or group and topic. Payloads are
the committed schemas with their parts hoisted into `components/schemas`, under the same names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.events.compatibility import Schema
from shared.events.contracts.schemas import schema_of
from shared.events.envelope import MAX_ATTRIBUTE_CHARS, MAX_VALUE_BYTES
from shared.events.fact import Fact
from shared.events.registry import SCHEMA_URN, dataschema
from shared.events.topics import ALL, DEAD_LETTER_SUFFIX, GROUPS, Group, Topic, dead_letter_topic

Facts = Mapping[str, type[Fact]]
Examples = Mapping[str, Mapping[str, Any]]

SPECIFICATION = "3.0.0"
KAFKA_BINDING = "0.5.0"
MEDIA_TYPE = "application/json"
HEADERS = "CloudEventHeaders"
DEAD_LETTER = "DeadLetter"
KEY_PATTERN = "^[^/]{1,64}/[^/]+(/[^/]+)?$"


def document(facts: Facts, examples: Examples, version: str) -> dict[str, Any]:
    """The whole document. `examples` holds the golden example of each type."""
    return {
        "asyncapi": SPECIFICATION,
        "id": "urn:trustfold:contracts",
        "info": {
            "title": "Trustfold",
            "version": version,
            "description": "The facts of an event-driven mentoring network, as CloudEvents 1.0 on"
            " Kafka: binary mode out, both modes in. The record's key is `<tenant>/<subject>`, so"
            " everything about one person or pair is in order.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": MEDIA_TYPE,
        "channels": {
            **{topic.name: _channel(topic, types_on(topic, facts)) for topic in ALL},
            **{topic.name: _channel(topic, [DEAD_LETTER]) for _, _, topic in _dead_letters()},
        },
        "operations": dict(_operations(facts)),
        "components": {
            "messages": {
                **{name: _message(facts[name], examples[name]) for name in sorted(facts)},
                DEAD_LETTER: _dead_letter_message(),
            },
            "schemas": {HEADERS: _headers_schema(), **_payload_schemas(facts)},
        },
    }


def types_on(topic: Topic, facts: Facts) -> list[str]:
    """The types published on `topic`, in the order of their classes."""
    return [name for name, fact in facts.items() if fact.topic == topic]


def _dead_letters() -> Iterator[tuple[Group, Topic, Topic]]:
    for group in GROUPS:
        for topic in group.topics:
            yield group, topic, dead_letter_topic(topic, group)


def _channel(topic: Topic, messages: list[str]) -> dict[str, Any]:
    return {
        "address": topic.name,
        "title": topic.name,
        "description": topic.summary,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": _topic_configuration(topic),
                "bindingVersion": KAFKA_BINDING,
            }
        },
        "x-key": topic.key,
        "x-producers": list(topic.producers),
        "x-readers": list(topic.readers),
    }


def _topic_configuration(topic: Topic) -> dict[str, Any]:
    # The binding types these as numbers and a list; Kafka's own configuration is all text.
    settings: dict[str, Any] = dict(topic.settings())
    settings["cleanup.policy"] = settings["cleanup.policy"].split(",")
    for name in ("retention.ms", "delete.retention.ms", "max.message.bytes"):
        settings[name] = int(settings[name])
    return settings


def _operations(facts: Facts) -> Iterator[tuple[str, dict[str, Any]]]:
    for topic in ALL:
        types = types_on(topic, facts)
        for producer in topic.producers:
            summary = f"{producer} tells what happened."
            yield f"{producer}.send.{topic.name}", _operation("send", topic, types, summary)
    for group in GROUPS:
        for topic in group.topics:
            summary = f"{group.name} reads {topic.name}."
            operation = _operation("receive", topic, types_on(topic, facts), summary)
            group_id = {"type": "string", "const": group.name}
            operation["bindings"] = {
                "kafka": {"groupId": group_id, "bindingVersion": KAFKA_BINDING}
            }
            yield f"{group.name}.receive.{topic.name}", operation
    for group, topic, dead in _dead_letters():
        summary = f"{group.name} puts aside what it cannot handle of {topic.name}."
        yield f"{group.name}.send.{dead.name}", _operation("send", dead, [DEAD_LETTER], summary)


def _operation(action: str, topic: Topic, types: list[str], summary: str) -> dict[str, Any]:
    channel = f"#/channels/{topic.name}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "summary": summary,
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in types],
    }


def _message(fact: type[Fact], example: Mapping[str, Any]) -> dict[str, Any]:
    described = schema_of(fact).get("description", "")
    return {
        "name": fact.type,
        "title": fact.__name__,
        "summary": described.split("\n", 1)[0],
        "description": described,
        "contentType": MEDIA_TYPE,
        "headers": {
            "allOf": [
                {"$ref": f"#/components/schemas/{HEADERS}"},
                {"type": "object", "properties": {"ce_type": {"const": fact.type}}},
            ]
        },
        "payload": {"$ref": f"#/components/schemas/{fact.type}"},
        "correlationId": {
            "description": "The id of the event that began it all.",
            "location": "$message.header#/ce_correlationid",
        },
        "bindings": {"kafka": {"key": _key_schema(fact, example), "bindingVersion": KAFKA_BINDING}},
        "examples": [
            {
                "name": f"{fact.type}.v{fact.version}",
                "headers": dict(example["headers"]),
                "payload": example["value"],
            }
        ],
        "x-dataschema": dataschema(fact),
    }


def _key_schema(fact: type[Fact], example: Mapping[str, Any]) -> Schema:
    return {
        "type": "string",
        "description": f"<{(fact.record_key or fact.topic.key).replace('/', '>/<')}>",
        "pattern": KEY_PATTERN,
        "examples": [example["key"]],
    }


def _dead_letter_message() -> dict[str, Any]:
    return {
        "name": DEAD_LETTER,
        "title": "A record that could not be handled",
        "summary": f"Key, value and headers as they came (`<topic>.<group>.{DEAD_LETTER_SUFFIX}`),"
        " and headers that say why.",
        "payload": {"description": "Whatever the value was, byte for byte."},
    }


def _headers_schema() -> Schema:
    text = {"type": "string", "minLength": 1, "maxLength": MAX_ATTRIBUTE_CHARS}
    return {
        "type": "object",
        "title": HEADERS,
        "description": "CloudEvents 1.0.2 in Kafka's binary mode: each value is UTF-8. Unknown"
        f" headers are ignored. A value is at most {MAX_VALUE_BYTES} bytes.",
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_tenant"],
        "properties": {
            "content-type": {"type": "string", "pattern": "^application/json"},
            "ce_specversion": {"type": "string", "const": "1.0"},
            "ce_id": {**text, "description": "With ce_source, what makes two records one event."},
            "ce_source": {**text, "format": "uri-reference"},
            "ce_type": {**text, "description": "What happened."},
            "ce_time": {"type": "string", "format": "date-time"},
            "ce_tenant": {"type": "string", "minLength": 1, "maxLength": 64},
            "ce_subject": {**text, "description": "The person or pair it is about."},
            "ce_dataschema": {**text, "pattern": f"^{SCHEMA_URN}"},
            "ce_partitionkey": {**text, "description": "The same as the record's key."},
            "ce_correlationid": {**text, "description": "The id of the event that began it all."},
            "ce_causationid": {**text, "description": "The id of the event that caused this one."},
            "ce_traceparent": {**text, "description": "W3C Trace Context."},
        },
    }


def _payload_schemas(facts: Facts) -> dict[str, Schema]:
    hoisted: dict[str, Schema] = {}
    for name in sorted(facts):
        schema = schema_of(facts[name])
        parts = schema.pop("$defs", {})
        # An $id would become the base of every reference inside: the URN is in x-dataschema.
        body = {key: value for key, value in schema.items() if key not in ("$schema", "$id")}
        for title, part in {name: body, **parts}.items():
            placed = _with_references_to_components(part)
            if hoisted.setdefault(title, placed) != placed:
                raise TypeError(f"two different parts of facts are called {title}")
    return dict(sorted(hoisted.items()))


def _with_references_to_components(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_references_to_components(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: value.replace("#/$defs/", "#/components/schemas/")
        if key == "$ref" and isinstance(value, str)
        else _with_references_to_components(value)
        for key, value in node.items()
    }
