"""By how much two reports differ: by name, for what both of them have."""

from __future__ import annotations

from typing import Any

import pytest

from services.matching.domain.difference import differences


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param({"placed": 3}, {"placed": 2}, {"placed": -1}, id="the second less the first"),
        pytest.param({"share": 0.2}, {"share": 0.3}, {"share": 0.1}, id="without dust"),
        pytest.param(
            {"standing": {"worst_rank": 4}},
            {"standing": {"worst_rank": 4}},
            {"standing.worst_rank": 0},
            id="a figure of a figure has both names",
        ),
        pytest.param({"mean": None}, {"mean": 1.5}, {}, id="nobody was placed in one of them"),
        pytest.param({"standing": None}, {"standing": {"mean": 1.0}}, {}, id="not to be shown"),
        pytest.param({"best": True, "name": "x"}, {"best": False, "name": "y"}, {}, id="no figure"),
    ],
)
def test_differences(one: dict[str, Any], other: dict[str, Any], expected: dict[str, Any]) -> None:
    assert differences(one, other) == expected
