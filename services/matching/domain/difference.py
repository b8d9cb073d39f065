"""By how much the figures of two reports differ, each by the path of its name. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Figures: TypeAlias = Mapping[str, Any]


def differences(one: Figures, other: Figures) -> dict[str, float]:
    """`other` minus `one` for every number that both have: {"standing.mean_rank": -0.5}.

    What only one of them has (nobody was placed, or it may not be shown) has no difference.
    """
    before, after = dict(_numbers(one)), dict(_numbers(other))
    # Rounded, for 0.3 - 0.2 is not 0.1.
    return {path: round(after[path] - before[path], 6) for path in before if path in after}


def _numbers(figures: Figures, above: str = "") -> Iterator[tuple[str, float]]:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{above}{name}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield above + name, value
