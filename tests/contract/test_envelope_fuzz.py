"""Whatever arrives, decoding returns an event or raises one error, for one of nine reasons."""

from __future__ import annotations

import json
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.events.envelope import Event, attributes, decode, encode, encode_value
from tests.contract.facts import events
from tests.contract.records import STRUCTURED, Headers, Record, binary, outcome

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def few(examples: int) -> settings:
    """So many examples under Hypothesis' default profile; a profile with more raises them all."""
    scaled = examples * settings.default.max_examples // 100 if settings.default else examples
    return settings(max_examples=scaled, deadline=None, suppress_health_check=SLOW)


@few(200)
@given(event=events())
def test_what_is_written_is_read_as_it_was(event: Event) -> None:
    assert decode(*encode(event)) == event


@few(150)
@given(event=events())
def test_what_is_written_structured_is_read_as_it_was(event: Event) -> None:
    value = orjson.dumps({**attributes(event), "data": orjson.loads(encode_value(event.fact))})
    assert decode(event.key.encode(), value, [("content-type", STRUCTURED)]) == event


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
HEADER_NAMES = st.text(max_size=20) | st.sampled_from([name for name, _ in binary()[2]])
HEADER_VALUES = st.none() | st.binary(max_size=60) | st.sampled_from([STRUCTURED, b"1.0", b""])


@few(300)
@given(
    key=st.none() | st.binary(max_size=80),
    value=st.none() | st.binary(max_size=300) | JSON.map(lambda made: json.dumps(made).encode()),
    headers=st.lists(st.tuples(HEADER_NAMES, HEADER_VALUES), max_size=15),
)
def test_arbitrary_records_are_read_or_poison(
    key: bytes | None, value: bytes | None, headers: Headers
) -> None:
    outcome((key, value, headers))


@st.composite
def nearly_right(draw: st.DrawFn) -> Record:
    """A record that is right but for one to three changes."""
    key, value, headers = encode(draw(events()))
    named: dict[str, Any] = dict(headers)
    data = orjson.loads(value)
    for change in draw(st.lists(st.sampled_from("hHdDxks"), min_size=1, max_size=3)):
        match change:
            case "h":
                named.pop(draw(st.sampled_from(sorted(named))), None)
                named.setdefault("ce_type", b"session.held")
            case "H":
                named[draw(st.sampled_from(sorted(named)))] = draw(HEADER_VALUES)
            case "d" if data:
                data.pop(draw(st.sampled_from(sorted(data))))
            case "D" if data:
                data[draw(st.sampled_from(sorted(data)))] = draw(JSON)
            case "x":
                data[draw(st.text(max_size=10))] = draw(JSON)
            case "k":
                key = draw(st.binary(max_size=80))
            case "s":
                named["content-type"] = STRUCTURED
    value = json.dumps(data).encode()
    if named.get("content-type") == STRUCTURED and draw(st.booleans()):
        told = {name[3:]: text.decode("latin-1") for name, text in named.items() if text}
        value = json.dumps({**told, "data": data}).encode()
    return key, value, list(named.items())


@few(300)
@given(record=nearly_right())
def test_nearly_right_records_are_poison_or_survive_being_written_again(record: Record) -> None:
    read = outcome(record)
    if isinstance(read, Event):
        assert read.key.encode() == record[0]
        assert decode(*encode(read)) == read


@few(200)
@given(event=events(), at=st.integers(min_value=0), bit=st.integers(0, 7), cut=st.booleans())
def test_bits_may_flip_and_ends_may_be_cut_off(event: Event, at: int, bit: int, cut: bool) -> None:
    key, value, headers = encode(event)
    place = at % len(value)
    flipped = value[:place] + bytes([value[place] ^ 1 << bit]) + value[place + 1 :]
    outcome((key, value[:place] if cut else flipped, headers))
