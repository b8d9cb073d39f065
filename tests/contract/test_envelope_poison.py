"""Each kind of poison by its name and reason, and what a reader ignores instead."""

from __future__ import annotations

import ast
import inspect

import pytest

from shared.errors import PoisonMessage
from shared.events import envelope
from shared.events.contracts.examples import sample
from shared.events.envelope import MAX_ATTRIBUTE_CHARS, MAX_VALUE_BYTES, Event, decode
from shared.events.reasons import REASONS
from shared.events.registry import FACTS
from tests.contract.records import (
    STRUCTURED,
    Record,
    binary,
    deep,
    holding,
    outcome,
    structured,
    with_value,
    without,
)

LONG = b"x" * (MAX_ATTRIBUTE_CHARS + 1)
# In UTC it lies before the first year.
DAY_ONE = "0001-01-01T00:00:00+14:00"
HELD = binary()[1] or b""
NAMED: dict[str, list[tuple[str, Record]]] = {
    "no_value": [
        ("a tombstone", with_value(None)),
        ("a structured tombstone", (b"k", None, [("content-type", STRUCTURED)])),
    ],
    "too_large": [("a huge value", with_value(b" " * MAX_VALUE_BYTES + HELD))],
    "bad_header": [
        ("a header that is not UTF-8", binary(ce_source=b"\xff\xfe")),
        ("a surrogate", binary(ce_id=b"\xed\xa0\x80")),
    ],
    "missing_attribute": [
        ("a null header", binary(ce_type=None)),
        ("no headers", (b"k", b"{}", [])),
        ("no type", without("ce_type")),
        ("no tenant", without("ce_tenant")),
        ("no specversion", without("ce_specversion")),
        ("a structured id that is a number", structured(HELD, id=7)),
    ],
    "bad_attribute": [
        ("an unknown version of CloudEvents", binary(ce_specversion=b"2.0")),
        ("an empty id", binary(ce_id=b"", ce_source=b"urn:x")),
        ("a long id", binary(ce_id=LONG, ce_source=b"urn:x")),
        ("a long source", binary(ce_source=b"urn:" + LONG)),
        ("a long correlation", binary(ce_correlationid=LONG)),
        ("U+0000 in an id", binary(ce_id=b"a\x00b", ce_source=b"urn:x")),
        ("U+001F in a source", binary(ce_source=b"urn:x\x1fy")),
        ("U+0000 in the trace", binary(ce_traceparent=b"\x00")),
        ("an own id that is no UUID", binary(ce_id=b"seven")),
        ("a tenant that is a path", binary(ce_tenant=b"acme/e-1")),
        ("a time without a zone", binary(ce_time=b"2026-01-01T00:00:00")),
        ("a time that is none", binary(ce_time=b"yesterday")),
        ("a time before the first year", binary(ce_time=b"0001-01-01T00:00:00+23:59")),
        ("a time after the last year", binary(ce_time=b"9999-12-31T23:59:59-23:59")),
    ],
    "unknown_type": [
        ("a type nobody knows", binary(ce_type=b"session.heeld")),
        ("a type of a later version", binary(ce_type=b"session.held.v2")),
        ("an empty type", binary(ce_type=b"")),
    ],
    "bad_data": [
        ("no bytes", with_value(b"")),
        ("not JSON", with_value(b"{")),
        ("not UTF-8", with_value(b'{"a": "\xff"}')),
        ("null", with_value(b"null")),
        ("a list", with_value(b"[]")),
        ("NaN", holding("pair.proposed", fit=float("nan"))),
        ("Infinity", holding("pair.proposed", fit=float("inf"))),
        ("a number too large for a double", with_value(HELD.replace(b"45", b"1e999"))),
        ("a number of ten thousand digits", with_value(HELD[:-1] + b',"x":' + b"9" * 10_000)),
        ("nested ten thousand deep", with_value(deep(10_000))),
        ("a day at an end of the calendar", holding("session.held", starts_at=DAY_ONE)),
        ("a missing field", with_value(b"{}")),
        ("a field out of bounds", holding(duration_minutes=0)),
        ("a zone that is not there", holding("person.joined", timezone="Nope/Nowhere")),
        ("a zone of five thousand letters", holding("person.joined", timezone="a" * 5000)),
        ("a zone that is a folder", holding("person.joined", timezone="America")),
        ("a zone that is a path", holding("person.joined", timezone="../../etc/passwd")),
        ("U+0000 in a text", holding("person.joined", display_name="a\x00b")),
        ("U+0000 behind a backslash", holding("person.joined", display_name="\\\x00")),
        ("a lone surrogate", holding("person.joined", display_name="\ud800")),
        ("a map's key of the record's own", holding("trust.changed", about_mentor={"x" * 9000: 1})),
        ("structured data of the wrong kind", structured(b"[]")),
    ],
    "bad_envelope": [
        ("not JSON", (b"k", b"{", [("content-type", STRUCTURED)])),
        ("no bytes", (b"k", b"", [("content-type", STRUCTURED)])),
        ("a list", (b"k", b"[]", [("content-type", STRUCTURED)])),
        ("no data", (b"k", b"{}", [("content-type", STRUCTURED)])),
        ("NaN", structured(b"NaN")),
        ("nested 300 deep", structured(deep(300))),
        ("nested ten thousand deep", structured(deep(10_000))),
        ("a batch", (b"k", b"[{}]", [("content-type", b"application/cloudevents-batch+json")])),
    ],
    "wrong_key": [
        ("no key", (None, *binary()[1:])),
        ("an empty key", (b"", *binary()[1:])),
        ("another tenant's key", (b"evil" + (binary()[0] or b"")[4:], *binary()[1:])),
        ("a key that is not UTF-8", (b"\xff", *binary()[1:])),
        ("another tenant's header", binary(ce_tenant=b"evil")),
    ],
}


@pytest.mark.parametrize(
    ("reason", "record"),
    [
        pytest.param(reason, record, id=f"{name} is {reason}")
        for reason, records in NAMED.items()
        for name, record in records
    ],
)
def test_poison_is_told_by_its_reason(reason: str, record: Record) -> None:
    assert outcome(record) == reason


def test_the_reasons_are_exactly_those_that_are_raised_and_told() -> None:
    raised = {
        call.args[0].value
        for call in ast.walk(ast.parse(inspect.getsource(envelope)))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "PoisonMessage"
        and isinstance(call.args[0], ast.Constant)
    }
    assert raised == REASONS.keys() == NAMED.keys()
    assert all(f"`{reason}`" in (decode.__doc__ or "") for reason in REASONS)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(binary(ce_dataschema=b"urn:trustfold:schema:session.held:99"), id="newer"),
        pytest.param(without("ce_dataschema"), id="no schema"),
        pytest.param(without("content-type"), id="no content-type"),
        pytest.param(binary(content_type=None), id="a null content-type"),
        pytest.param(binary(content_type=b"text/plain"), id="another content-type"),
        pytest.param(binary(other=b"\xff"), id="a header of somebody else that is not UTF-8"),
        pytest.param(holding(a_new_field={"a": [1]}), id="a field of a newer version"),
        pytest.param(binary(ce_expirytime=b"2026-01-01T00:00:00Z"), id="an unknown extension"),
        pytest.param(with_value(deep(150)), id="an unknown field, nested"),
        pytest.param(structured(HELD), id="structured"),
    ],
)
def test_what_a_reader_may_ignore_is_ignored(record: Record) -> None:
    assert outcome(record) == outcome(binary())


def test_a_text_that_only_looks_like_u0000_is_kept() -> None:
    event = outcome(holding("person.joined", display_name="\\u0000"))
    assert isinstance(event, Event)
    assert event.fact.model_dump()["display_name"] == "\\u0000"


def test_words_never_quote_the_record() -> None:
    secret = "salary_90000"
    direction = {**sample(FACTS["trust.changed"])["value"]["about_mentor"], "facets": {secret: 1}}
    for record in (
        holding(duration_minutes=secret),
        holding("trust.changed", about_mentor=direction),
        holding("person.joined", timezone=f"Europe/{secret}"),
        holding("person.joined", email=secret),
        structured(b'{"session_id": "' + secret.encode() + b'"}'),
    ):
        with pytest.raises(PoisonMessage) as poison:
            decode(*record)
        assert secret not in str(poison.value)
