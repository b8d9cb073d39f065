"""What a rule decides: the thing as it is then, and what there is to announce. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.events.fact import Fact

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Decision(Generic[T]):
    """Without facts nothing is announced: what was so already is not said again."""

    thing: T
    facts: tuple[Fact, ...] = ()
