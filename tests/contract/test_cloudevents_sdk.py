"""The CloudEvents SDK as an oracle: it reads what we write, and we read what it writes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from cloudevents.core.bindings import kafka
from cloudevents.core.v1.event import CloudEvent

from shared.errors import PoisonMessage
from shared.events.contracts.examples import sample_event
from shared.events.envelope import Event, attributes, decode, encode, encode_value
from shared.events.registry import FACTS

BY_TYPE = pytest.mark.parametrize("name", FACTS)


def record(message: kafka.KafkaMessage) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    key = message.key if isinstance(message.key, bytes) else str(message.key).encode()
    return key, message.value, list(message.headers.items())


def told_to_the_sdk(event: Event) -> CloudEvent:
    named: dict[str, Any] = {**attributes(event), "time": event.occurred_at}
    named["datacontenttype"] = "application/json"
    return CloudEvent(named, orjson.loads(encode_value(event.fact)))


@BY_TYPE
def test_the_sdk_reads_what_we_write(name: str) -> None:
    event = sample_event(FACTS[name])
    key, value, headers = encode(event)
    read = kafka.from_kafka_event(kafka.KafkaMessage(dict(headers), key, value))
    assert read.get_attributes() == {
        **attributes(event),
        "time": event.occurred_at,
        "datacontenttype": "application/json; charset=utf-8",
    }
    assert read.get_data() == orjson.loads(value)


@BY_TYPE
def test_we_read_what_the_sdk_writes_in_binary_mode(name: str) -> None:
    event = sample_event(FACTS[name])
    assert decode(*record(kafka.to_binary_event(told_to_the_sdk(event)))) == event


@BY_TYPE
def test_we_read_what_the_sdk_writes_in_structured_mode(name: str) -> None:
    event = sample_event(FACTS[name])
    assert decode(*record(kafka.to_structured_event(told_to_the_sdk(event)))) == event


def test_the_sdk_guesses_the_mode_by_headers_and_we_go_by_the_content_type() -> None:
    """The reason why the envelope is ours: a structured record may repeat its attributes."""
    event = sample_event(FACTS["session.held"])
    message = kafka.to_structured_event(told_to_the_sdk(event))
    repeated = {f"ce_{name}": text.encode() for name, text in attributes(event).items()}
    both = kafka.KafkaMessage({**message.headers, **repeated}, message.key, message.value)
    assert kafka.from_kafka_event(both).get_data() != orjson.loads(encode_value(event.fact))
    assert decode(*record(both)) == event


def test_the_sdk_writes_no_tombstone_and_what_it_writes_is_poison() -> None:
    event = sample_event(FACTS["person.left"])
    named: dict[str, Any] = {**attributes(event), "time": event.occurred_at}
    with pytest.raises(PoisonMessage) as poison:
        decode(*record(kafka.to_binary_event(CloudEvent(named, None))))
    assert poison.value.reason == "bad_data"
