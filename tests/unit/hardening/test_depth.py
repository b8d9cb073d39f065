"""How deep JSON is, found without descending into it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.limits import DEEPEST, depth_of

VALUES = st.recursive(
    st.none() | st.text() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=200,
)


def depth(value: object) -> int:
    """By descending."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


@given(VALUES, st.integers(0, 70))
def test_what_is_too_deep_is_found_and_nothing_else(value: object, wrapped: int) -> None:
    for n in range(wrapped):
        value = [value] if n % 2 else {"a": value}

    assert (depth_of(json.dumps(value).encode()) > DEEPEST) == (depth(value) > DEEPEST)


@pytest.mark.parametrize(
    ("body", "is_deep"),
    [
        pytest.param(b"[" * 1_000_000, True, id="a million lists that nobody closes"),
        pytest.param(b'["' + b"[" * 1_000_000 + b'"]', False, id="brackets in a string"),
        pytest.param(b'["\\"' + b"[" * 100 + b'"]', False, id="after a quote that is escaped"),
        pytest.param(b'["\\\\"' + b"[" * 100, True, id="after a string that ends in a backslash"),
        pytest.param(b"[" + b"[]," * 300_000 + b"[]]", False, id="wide and not deep"),
        pytest.param(b'["' + b'\\"' * 400_000, False, id="a string that never ends"),
        pytest.param(b" \n" + b'{"a":' * 65, True, id="objects, one more than is taken"),
        pytest.param(b'{"a":' * 64, False, id="objects, as many as are taken"),
        pytest.param(b"name,goal\n" + b"[" * 100, False, id="what is no JSON"),
        pytest.param(b"", False, id="nothing"),
    ],
)
def test_a_body_of_a_hostile_shape_is_judged_at_once(body: bytes, is_deep: bool) -> None:
    assert (depth_of(body) > DEEPEST) is is_deep
