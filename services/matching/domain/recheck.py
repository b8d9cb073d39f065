"""Can two whom a run put together still be proposed to each other when it is committed? Pure.

What has changed meanwhile is counted under one word for each pair. Who said no, or avoids whom, is
not told apart from what HR keeps apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from services.matching.domain.fit import NOBODY_APART, Candidate, barrier
from services.matching.domain.programme import Rules

# `stands` is a proposal that there was before, and `over` one that has been answered or ended.
Became: TypeAlias = Literal[
    "proposed",
    "stands",
    "over",
    "left",
    "has_a_mentor",
    "kept_apart",
    "rule_broken",
    "place_gone",
]


@dataclass(frozen=True, slots=True)
class Known:
    """How two people stand now. Who is away, or takes no part on that side any more, is None.

    `places` are the mentor's free ones; `has_mentor` is whether the mentee has an open pair.
    """

    mentor: Candidate | None
    mentee: Candidate | None
    has_mentor: bool
    apart: bool
    places: int


def recheck(known: Known, rules: Rules) -> Became:
    """`proposed`, or why they cannot be any more."""
    if known.mentor is None or known.mentee is None:
        return "left"
    if known.has_mentor:
        return "has_a_mentor"
    if known.apart:
        return "kept_apart"
    if barrier(known.mentor, known.mentee, rules, NOBODY_APART) is not None:
        return "rule_broken"
    return "proposed" if known.places > 0 else "place_gone"
