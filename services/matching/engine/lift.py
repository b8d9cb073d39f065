"""What earlier pairs of a programme say about a goal in common: trust as a teacher, not a judge.

Goes in and comes out without a person: rows name people by numbers that mean nothing elsewhere,
and what comes out is about goals that at least five pairs, mentors and mentees stand behind.
Touches nothing outside; knows no fit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from services.matching.domain.programme import MOST_LEARNED_PERMILLE
from services.matching.engine.tally import Counts, Floats, PairOf, Tally, tally

# What is said of a goal is said in steps this wide: a pair more or less does not show in it.
STEP_PERMILLE = 10
# How sure one has to be that it helps before it is used: 95 % on one side.
SURE = 1.645
_NEVER_CERTAIN = 0.001


@dataclass(frozen=True, slots=True)
class Past:
    """One earlier pair whose trust is known: `steady` is both ways, steady or better.

    `goals` are those of the mentee that the mentor offered when the pair was proposed.
    """

    mentor: int
    mentee: int
    goals: tuple[str, ...]
    steady: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One goal: how many stand behind it (rounded down to fives), and its lift in permille."""

    goal: str
    pairs: int
    mentors: int
    mentees: int
    permille: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Pairs of whom about `said` were expected to become steady, and of whom `seen` did.

    Both are shares rounded to 0.05; `pairs` is rounded down to fives. Expected without the
    mentor's own pairs.
    """

    said: float
    seen: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Lift:
    """What is added to a fit for goals in common: thousandths by goal, -100 to 100, 0 for others.

    `brier` is the mean squared error of what was expected of each mentor's pairs from everybody
    else's (Brier 1950), `brier_base` that of the base rate alone; a mentor counts once in both.
    They and `base_rate` are None while too few pairs are known. `used` is whether it beat the
    base rate by more than chance: where it did not, every lift is 0.
    """

    permille: Mapping[str, int] = field(default_factory=dict)
    base_rate: float | None = None
    brier: float | None = None
    brier_base: float | None = None
    cells: tuple[Cell, ...] = ()
    reliability: tuple[Bin, ...] = ()
    used: bool = False


NOTHING = Lift()


def learn(rows: Sequence[Past]) -> Lift:
    """What these pairs teach. The same for any order of rows and any numbering of people.

    Each goal's rate is drawn towards the programme's by as much as chance explains its distance:
    empirical Bayes for a Beta prior (Efron and Morris 1975; Gelman et al., BDA3, 5.3), whose
    strength is estimated by moments (Kleinman 1973). A mentor's pairs weigh one together, and a
    goal's rate is as sure as its number of mentors makes it (Kish 1965), so that one mentor with
    many pairs teaches no more than one mentor.
    """
    known = tally([(row.mentor, row.mentee, row.goals, row.steady) for row in rows])
    if not known.enough:
        return NOTHING
    lifts = _permille(known.all)
    expected = _expected(known)
    base, brier, brier_base, is_surer = _score(known, expected)
    used = is_surer and bool(lifts.any())
    shown = lifts if used else np.zeros_like(lifts)
    cells = tuple(
        Cell(goal, _fives(pairs), _fives(mentors), _fives(mentees), int(permille))
        for goal, (pairs, mentors, mentees), permille in zip(
            known.goals, known.all.people.tolist(), shown, strict=True
        )
    )
    return Lift(
        permille={cell.goal: cell.permille for cell in cells if cell.permille},
        base_rate=_twentieths(base),
        brier=round(brier, 4),
        brier_base=round(brier_base, 4),
        cells=cells,
        reliability=_reliability(known, expected),
        used=used,
    )


def _permille(counts: Counts) -> np.ndarray:
    """The lift of each goal by these counts; 0 for those that too few stand behind."""
    steps = np.rint(_drawn(counts) * 1000 / STEP_PERMILLE).astype(np.int64) * STEP_PERMILLE
    return np.clip(steps, -MOST_LEARNED_PERMILLE, MOST_LEARNED_PERMILLE)


def _drawn(counts: Counts) -> Floats:
    """How far each goal's rate lies from the base rate once chance is taken out; 0 for the few."""
    none = np.zeros(len(counts.weight))
    spread = counts.base * (1 - counts.base)
    on = counts.enough
    if spread <= 0 or not on.any():
        return none
    sureness = np.where(on, counts.weight**2 / np.where(on, counts.squares, 1.0), 0.0)
    away = np.where(on, counts.steady / np.where(on, counts.weight, 1.0) - counts.base, 0.0)
    # Kleinman's moments: what the squares are beyond those that chance alone would leave.
    room = float(np.sum(np.where(on, sureness - 1, 0.0)))
    beyond = (float(np.sum(sureness * away**2)) - int(on.sum()) * spread) / max(room, 1.0)
    if beyond <= 0:
        return none
    prior = max(spread / min(beyond, spread) - 1, 0.0)
    return away * sureness / np.maximum(sureness + prior, 1e-12)


def _expected(known: Tally) -> list[tuple[float, list[float]]]:
    """For each mentor, from everybody else's pairs: the base rate, and what each pair expects.

    Not cut to a tenth, as what is added to a fit is: this shows whether it is true. Of several
    goals the mean of what each says is expected, which is rather too little than too much.
    """
    found = []
    for mentor, pairs in enumerate(known.pairs_of):
        others = known.without(mentor)
        lift = _drawn(others)
        each = [others.base + _mean(lift, pair) for pair in pairs]
        certain = 1 - _NEVER_CERTAIN
        found.append((others.base, [min(max(p, _NEVER_CERTAIN), certain) for p in each]))
    return found


def _mean(lift: Floats, pair: PairOf) -> float:
    """What the goals of a pair add up to, those that nothing is said of counted as 0."""
    columns, goals, _ = pair
    return float(np.sum(lift[list(columns)])) / goals if goals else 0.0


def _score(
    known: Tally, expected: Sequence[tuple[float, Sequence[float]]]
) -> tuple[float, float, float, bool]:
    """Base rate, both Brier scores, and whether the lifts help beyond chance (paired by mentor)."""
    with_it, without = [], []
    for pairs, (base, each) in zip(known.pairs_of, expected, strict=True):
        seen = [float(steady) for _, _, steady in pairs]
        with_it.append(math.fsum((p - y) ** 2 for p, y in zip(each, seen, strict=True)) / len(seen))
        without.append(math.fsum((base - y) ** 2 for y in seen) / len(seen))
    number = len(with_it)
    gains = [b - a for a, b in zip(with_it, without, strict=True)]
    gain = math.fsum(gains) / number
    spread = math.sqrt(math.fsum((each - gain) ** 2 for each in gains) / (number - 1) / number)
    brier, brier_base = math.fsum(with_it) / number, math.fsum(without) / number
    return known.all.base, brier, brier_base, gain > 0 and gain > SURE * spread


def _reliability(
    known: Tally, expected: Sequence[tuple[float, Sequence[float]]]
) -> tuple[Bin, ...]:
    """Expected against seen, in bins that at least five pairs, mentors and mentees stand behind.

    A pair's bin is by its goals and everybody's pairs: by what was expected without its own mentor,
    those who turned out well would fall into lower bins just because they were left out.
    """
    lift = _drawn(known.all)
    at_level: dict[float, list[tuple[float, int, int]]] = {}
    for mentor, (_, each) in enumerate(expected):
        for pair, p in enumerate(each):
            level = _twentieths(known.all.base + _mean(lift, known.pairs_of[mentor][pair]))
            at_level.setdefault(level, []).append((p, mentor, pair))
    bins: list[list[tuple[float, int, int]]] = []
    for level in sorted(at_level):
        if bins and not _is_enough(known, bins[-1]):
            bins[-1].extend(at_level[level])
        else:
            bins.append(at_level[level])
    if len(bins) > 1 and not _is_enough(known, bins[-1]):
        last = bins.pop()
        bins[-1].extend(last)
    return tuple(_bin(known, each) for each in bins)


def _is_enough(known: Tally, rows: Sequence[tuple[float, int, int]]) -> bool:
    return known.enough_of([(mentor, pair) for _, mentor, pair in rows])


def _bin(known: Tally, rows: Sequence[tuple[float, int, int]]) -> Bin:
    weights = [1 / len(known.pairs_of[mentor]) for _, mentor, _ in rows]
    whole = math.fsum(weights)
    said = math.fsum(w * p for w, (p, _, _) in zip(weights, rows, strict=True)) / whole
    seen = (
        math.fsum(
            w * known.pairs_of[mentor][pair][2]
            for w, (_, mentor, pair) in zip(weights, rows, strict=True)
        )
        / whole
    )
    return Bin(_twentieths(said), _twentieths(seen), _fives(len(rows)))


def _twentieths(share: float) -> float:
    return round(round(share * 20) / 20, 2)


def _fives(number: int) -> int:
    return number // 5 * 5
