"""The trust model as data: what each kind of evidence weighs, and the numbers of the score.

A new kind of evidence is one more row here. A published version never changes: a different weight
is a new `Model`, so that two versions can be compared over the same stored evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

# One number per cell, in four banks; in each the mentor's twelve (six facets, for and against),
# then the mentee's. What a scope sees is always the first so many banks.
SIDE_CELLS = len(FACETS) * 2
BANK_CELLS = SIDE_CELLS * len(SIDES)


class Bank(IntEnum):
    """What both sides saw, and of that what fades more slowly; answers the other knows; private."""

    OBSERVED = 0
    LASTING = 1
    SHARED = 2
    PRIVATE = 3


CELLS = BANK_CELLS * len(Bank)
# Reasons come from what both sides saw.
RANKED_CELLS = BANK_CELLS * 2

# "No word" costs twice: the only place, with an unexcused absence, where bad outweighs good.
NU = 2.0


@dataclass(frozen=True, slots=True)
class Row:
    """What one kind of evidence weighs: `good` is r and `bad` is s, by facet.

    `private` marks an answer of the other side, `capped` evidence that one side can produce at
    will, `agrees` evidence that sets the half-life, `lasting` what fades half as fast,
    `refundable` a miss that can be repaired, `advice` something worth suggesting to the person it
    would be about.
    """

    code: str
    good: Mapping[Facet, float] = field(default_factory=dict)
    bad: Mapping[Facet, float] = field(default_factory=dict)
    private: bool = False
    capped: bool = False
    agrees: bool = False
    lasting: bool = False
    refundable: bool = False
    advice: bool = False

    @property
    def bank(self) -> Bank:
        if self.private:
            return Bank.PRIVATE
        return Bank.LASTING if self.lasting else Bank.OBSERVED


class Effect(NamedTuple):
    """A row as the fold applies it, to one side or both.

    `cells` is (cell, weight, offset) and `mask` has a bit for each: evidence of weight 1 that came
    `offset` microseconds later would weigh as much. `in_bank` is (cell in its bank, weight).
    `special` is: look at the row first.
    """

    row: Row
    private: bool
    special: bool
    mask: int
    cells: tuple[tuple[int, float, int], ...]
    in_bank: tuple[tuple[int, float], ...] = ()


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
    `facet_correlation` and `weakest_margin` shape the interval of T (docs/decisions/0015); a T
    under `low_below` is low.
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
    lasting_half_lives: int = 2
    repair_promised: float = 0.25
    repair_delivered: float = 0.5
    repair_most: float = 0.75
    repairs_per_window: int = 2
    repair_window_days: int = 90
    reveal_within_days: int = 14
    batch_least: int = 3
    batch_wait_days: int = 14
    facet_correlation: float = 0.4
    weakest_margin: float = 0.3
    low_below: float = 0.5
    bands: Bands = DEFAULT_BANDS
    agreements: frozenset[int] = field(init=False, repr=False, compare=False)
    answers: frozenset[int] = field(init=False, repr=False, compare=False)
    refundable: frozenset[int] = field(init=False, repr=False, compare=False)
    _effects: dict[int, Mapping[int, Effect]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        def kinds(wanted: Callable[[Row], bool]) -> frozenset[int]:
            return frozenset(int(kind) for kind, row in self.rows.items() if wanted(row))

        object.__setattr__(self, "agreements", kinds(lambda row: row.agrees))
        object.__setattr__(self, "answers", kinds(lambda row: row.private))
        object.__setattr__(self, "refundable", kinds(lambda row: row.refundable))

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
            found = _effects(self, half_life_days * DAY_US)
            self._effects[half_life_days] = found
        return found


def effect_key(kind: int, about: int) -> int:
    """Where `Model.effects` keeps what evidence of `kind` about `about` does."""
    return kind << 2 | about


def _effects(model: Model, half_life_us: int) -> dict[int, Effect]:
    found: dict[int, Effect] = {}
    for kind, row in model.rows.items():
        own_us = half_life_us * (model.lasting_half_lives if row.lasting else 1)
        for about in About:
            if row.capped and about is About.BOTH:
                continue  # a cap counts one side's own acts; there is no such evidence about both
            sides = [index for index, side in enumerate(SIDES) if side & about]
            cells = tuple(
                (cell, weight, round(own_us * log2(weight)))
                for side in sides
                for cell, weight in _cells(row, side)
            )
            found[effect_key(kind, about)] = Effect(
                row=row,
                private=row.private,
                special=row.capped or row.agrees or row.private or row.refundable or not cells,
                mask=sum(1 << cell for cell, *_ in cells),
                cells=cells,
                in_bank=tuple((cell % BANK_CELLS, weight) for cell, weight, _ in cells),
            )
    return found


def _cells(row: Row, side: int) -> list[tuple[int, float]]:
    base = BANK_CELLS * row.bank + SIDE_CELLS * side
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
            "commitment_missed_warned", {Facet.H: 0.5}, {Facet.R: 0.5}, refundable=True
        ),
        Kind.COMMITMENT_MISSED_TOLD: Row(
            "commitment_missed_told", bad={Facet.R: 1.0}, refundable=True
        ),
        Kind.COMMITMENT_MISSED: Row(
            "commitment_missed", bad={Facet.R: NU, Facet.H: 0.5}, refundable=True
        ),
        Kind.SESSION_NO_SHOW: Row(
            "session_no_show", bad={Facet.R: 1.5 * NU, Facet.B: 0.5}, refundable=True
        ),
        Kind.AGREEMENT_REVIEWED: Row("agreement_reviewed", {Facet.E: 0.5}),
        Kind.COMMITMENT_RENEGOTIATED: Row("commitment_renegotiated", {Facet.H: 0.3}),
        Kind.SESSION_CANCELLED: Row("session_cancelled", {Facet.H: 0.3}),
        Kind.SESSION_CANCELLED_LATE: Row("session_cancelled_late", bad={Facet.R: 0.5}),
        Kind.BOUNDARY_REMINDED: Row("boundary_reminded", bad={Facet.B: 0.5}),
        Kind.BOUNDARY_BREACHED: Row("boundary_breached", bad={Facet.B: 2.0 * NU}),
        Kind.COMMITMENT_SHOWN_FALSE: Row(
            "commitment_shown_false", bad={Facet.H: 3.0}, lasting=True
        ),
        Kind.INTRODUCTION_MADE: Row("introduction_made", {Facet.P: 0.3}),
        Kind.REPAIR_PROMISED: Row("repair_promised"),
        Kind.REPAIR_BROKEN: Row("repair_broken"),
        Kind.REPAIR_DELIVERED: Row("repair_delivered", advice=True),
        Kind.LEAVE_STARTED: Row("leave_started"),
        Kind.LEAVE_ENDED: Row("leave_ended"),
        Kind.GOAL_SET: Row("goal_set"),
        Kind.GOAL_PROGRESSED: Row("goal_progressed"),
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
