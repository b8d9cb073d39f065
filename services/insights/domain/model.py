"""The trust model as data: what each kind of evidence weighs, and the numbers of the score.

A new kind of evidence is one more row here. A published version never changes: a different weight
is a new `Model`, so that two versions can be compared over the same stored evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from math import log2
from typing import NamedTuple

from services.insights.domain.evidence import DAY_US, About, Kind


class Facet(IntEnum):
    """The six ways trust is built; the names on the wire are the single letters."""

    E = 0  # expectations set together
    L = 1  # listening
    H = 2  # honest, open words
    R = 3  # reliability
    B = 4  # boundaries kept
    P = 5  # rapport


FACETS = tuple(Facet)
SIDES = (About.MENTOR, About.MENTEE)

# One number per cell: observable cells first, then private ones; in each the mentor's twelve
# (six facets, for and against), then the mentee's.
SIDE_CELLS = len(FACETS) * 2
SCOPE_CELLS = SIDE_CELLS * len(SIDES)
CELLS = SCOPE_CELLS * 2

# "No word" costs twice: the only place, with an unexcused absence, where bad outweighs good.
NU = 2.0


@dataclass(frozen=True, slots=True)
class Row:
    """What one kind of evidence weighs: `good` is r and `bad` is s, by facet.

    `private` marks an answer of the other side, `capped` evidence that one side can produce at
    will, `agrees` evidence that sets the half-life, `advice` something worth suggesting to the
    person it would be about.
    """

    code: str
    good: Mapping[Facet, float] = field(default_factory=dict)
    bad: Mapping[Facet, float] = field(default_factory=dict)
    private: bool = False
    capped: bool = False
    agrees: bool = False
    advice: bool = False


class Effect(NamedTuple):
    """A row as the fold applies it, to one side or both.

    `cells` is (cell, weight, offset) and `mask` has a bit for each: evidence of weight 1 that came
    `offset` microseconds later would weigh as much. `special` is: look at the row first.
    """

    row: Row
    private: bool
    special: bool
    mask: int
    cells: tuple[tuple[int, float, int], ...]


# Of a kind this release does not know: nobody is shown so much as its date.
NO_EFFECT = Effect(Row("unknown", private=True), private=True, special=False, mask=0, cells=())


class Bands(NamedTuple):
    """Where the composite changes band: worse below the first number, better from the second on.

    Between the two a pair keeps the band it had.
    """

    steady: tuple[float, float]
    strained: tuple[float, float]


DEFAULT_BANDS = Bands(steady=(0.60, 0.65), strained=(0.42, 0.47))


@dataclass(frozen=True, slots=True)
class Model:
    """One version of the model. Everything that turns evidence into a number is in here.

    `full_per_week` is how much capped evidence of a week counts fully; each one after halves.
    `agreements` are the kinds that set the half-life.
    """

    name: str
    number: int
    rows: Mapping[Kind, Row]
    prior_strength: float = 2.0
    base_rate: float = 0.6
    weakest_share: float = 0.25
    live_below: float = 0.6
    enough: float = 3.0
    default_half_life_days: int = 90
    half_life_cadences: int = 6
    half_life_days: tuple[int, int] = (60, 240)
    full_per_week: int = 2
    bands: Bands = DEFAULT_BANDS
    agreements: frozenset[int] = field(init=False, repr=False, compare=False)
    _effects: dict[int, Mapping[int, Effect]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        agreeing = frozenset(kind for kind, row in self.rows.items() if row.agrees)
        object.__setattr__(self, "agreements", agreeing)

    def half_life_for(self, cadence_days: int) -> int:
        """The half-life in days under an agreement to meet every `cadence_days`; 0 is none yet."""
        if not cadence_days:
            return self.default_half_life_days
        shortest, longest = self.half_life_days
        return min(max(self.half_life_cadences * cadence_days, shortest), longest)

    def effects(self, half_life_days: int) -> Mapping[int, Effect]:
        """What each kind of evidence does, by `effect_key`. Worked out once per half-life."""
        found = self._effects.get(half_life_days)
        if found is None:
            found = _effects(self.rows, half_life_days * DAY_US)
            self._effects[half_life_days] = found
        return found


def effect_key(kind: int, about: int) -> int:
    """Where `Model.effects` keeps what evidence of `kind` about `about` does."""
    return kind << 2 | about


def _effects(rows: Mapping[Kind, Row], half_life_us: int) -> dict[int, Effect]:
    found: dict[int, Effect] = {}
    for kind, row in rows.items():
        for about in About:
            if row.capped and about is About.BOTH:
                continue  # a cap counts one side's own acts; there is no such evidence about both
            sides = [index for index, side in enumerate(SIDES) if side & about]
            cells = tuple(
                (cell, weight, round(half_life_us * log2(weight)))
                for side in sides
                for cell, weight in _cells(row, side)
            )
            found[effect_key(kind, about)] = Effect(
                row=row,
                private=row.private,
                special=row.capped or row.agrees,
                mask=sum(1 << cell for cell, *_ in cells),
                cells=cells,
            )
    return found


def _cells(row: Row, side: int) -> list[tuple[int, float]]:
    base = SCOPE_CELLS * row.private + SIDE_CELLS * side
    weights = [(base + facet * 2, weight) for facet, weight in row.good.items()]
    return weights + [(base + facet * 2 + 1, weight) for facet, weight in row.bad.items()]


def _answer(code: str, facet: Facet, *, yes: bool) -> Row:
    weight = {facet: 0.7}
    return Row(code, good=weight, private=True) if yes else Row(code, bad=weight, private=True)


V1 = Model(
    name="v1",
    number=1,
    rows={
        Kind.AGREEMENT_SIGNED: Row("agreement_signed", {Facet.E: 1.0}, agrees=True, advice=True),
        Kind.SESSION_HELD_SAID_ONE: Row("session_held", {Facet.R: 0.5, Facet.P: 0.15}),
        Kind.SESSION_HELD_SAID_BOTH: Row("session_held", {Facet.R: 1.0, Facet.P: 0.3}, advice=True),
        Kind.COMMITMENT_KEPT: Row("commitment_kept", {Facet.R: 1.0}, capped=True, advice=True),
        Kind.COMMITMENT_MISSED_WARNED: Row(
            "commitment_missed_warned", {Facet.H: 0.5}, {Facet.R: 0.5}
        ),
        Kind.COMMITMENT_MISSED_TOLD: Row("commitment_missed_told", bad={Facet.R: 1.0}),
        Kind.COMMITMENT_MISSED: Row("commitment_missed", bad={Facet.R: NU, Facet.H: 0.5}),
        Kind.SESSION_NO_SHOW: Row("session_no_show", bad={Facet.R: 1.5 * NU, Facet.B: 0.5}),
        Kind.LISTENED_YES: _answer("listened_yes", Facet.L, yes=True),
        Kind.LISTENED_NO: _answer("listened_no", Facet.L, yes=False),
        Kind.HONEST_YES: _answer("honest_yes", Facet.H, yes=True),
        Kind.HONEST_NO: _answer("honest_no", Facet.H, yes=False),
        Kind.PREPARED_YES: _answer("prepared_yes", Facet.E, yes=True),
        Kind.PREPARED_NO: _answer("prepared_no", Facet.E, yes=False),
        Kind.AT_EASE_YES: _answer("at_ease_yes", Facet.P, yes=True),
        Kind.AT_EASE_NO: _answer("at_ease_no", Facet.P, yes=False),
    },
)
