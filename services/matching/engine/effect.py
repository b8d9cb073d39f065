"""What learning changed about a run: the same people solved with and without it. Solves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.matching.engine.lift import Lift


@dataclass(frozen=True, slots=True)
class Effect:
    """With what was learned, against without. `fit` counts what people said alone, in permille
    summed over pairs, so `fit_change` is what was given up of it, or won, for what was learned.

    `differ` are the mentees who have another mentor, or only one of the two ways have one.
    """

    used: bool
    pairs: int
    pairs_without: int
    differ: int
    fit: int
    fit_without: int

    @property
    def fit_change(self) -> int:
        return self.fit - self.fit_without


def effect(
    lift: Lift,
    chosen: Mapping[int, tuple[int, int]],
    without: Mapping[int, tuple[int, int]],
) -> Effect:
    """Compare two solutions; each maps a mentee to their mentor and to the declared fit of the two.

    The declared fit is a pair's fit without the part `past_pairs`, in permille. Mentees and mentors
    may be named by anything that is the same in both.
    """
    mentees = chosen.keys() | without.keys()
    differ = sum(chosen.get(one, (None,))[0] != without.get(one, (None,))[0] for one in mentees)
    return Effect(
        used=lift.used,
        pairs=len(chosen),
        pairs_without=len(without),
        differ=differ,
        fit=sum(fit for _, fit in chosen.values()),
        fit_without=sum(fit for _, fit in without.values()),
    )
