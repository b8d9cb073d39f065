"""Who the simulated pairs are: their group, their attack if any, who is away when. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random

import numpy as np

from deploy.local.simulate.latent import YEAR_DAYS, Floats
from deploy.local.simulate.nature import FACETS, SIDES, H, Nature, R
from shared.ids import PairId, PersonId, derived_id

LEAVE_DAYS = (7, 35)
ON_DAYS, OFF_DAYS = 45, 20
# How those who have something to hide really are, on the logit scale and as chances.
HIDDEN_LOSS = 1.5
ON, OFF = 0.95, 0.15


class Attack(Enum):
    """What a pair does to its own score."""

    NONE = "none"
    STUFFING = "ballot stuffing"  # the mentee makes and keeps thirty trivial tasks in thirty days
    COLLUSION = "collusion"  # whatever happened, both say that it went well
    BAD_MOUTHING = "bad-mouthing"  # the mentee answers no to everything about the mentor
    ON_OFF = "on-off"  # the mentor is good for 45 days, then bad for 20


ATTACKS = (Attack.STUFFING, Attack.COLLUSION, Attack.BAD_MOUTHING, Attack.ON_OFF)


@dataclass(frozen=True, slots=True)
class Leave:
    """Days [`first`, `back`) on which a side is away; `back` may lie after the end."""

    side: int
    first: int
    back: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair before its story. `group` 0 works full time, 1 part time."""

    number: int
    pair_id: PairId
    people: tuple[PersonId, PersonId]
    group: int
    attack: Attack
    cadence_days: int
    leniency: tuple[float, float]
    busyness: float
    leaves: tuple[Leave, ...]
    outages: frozenset[int]

    @property
    def honest(self) -> bool:
        return self.attack is Attack.NONE


def cast(nature: Nature, seed: int, pairs: int, days: int) -> list[Pair]:
    """Pairs by their number. The two groups differ in opportunity alone."""
    return [_pair(nature, seed, number, days) for number in range(pairs)]


def _pair(nature: Nature, seed: int, number: int, days: int) -> Pair:
    chance = Random(f"{seed}/cast/{number}")
    group = number % 2
    attack = Attack.NONE
    if chance.random() < nature.attackers:
        attack = chance.choice(ATTACKS)
    rate = nature.leaves_per_year[group] / YEAR_DAYS
    outage = nature.outages_per_year / YEAR_DAYS
    return Pair(
        number=number,
        pair_id=PairId(derived_id("simulated pair", str(seed), str(number))),
        people=(PersonId(f"s{seed}-mentor{number}"), PersonId(f"s{seed}-mentee{number}")),
        group=group,
        attack=attack,
        cadence_days=nature.cadence_days[group],
        leniency=(_leniency(chance, nature), _leniency(chance, nature)),
        busyness=chance.gauss(0.0, 1.0),
        leaves=tuple(leave for side in range(SIDES) for leave in _leaves(chance, rate, side, days)),
        outages=frozenset(day for day in range(days + 1) if chance.random() < outage),
    )


def _leniency(chance: Random, nature: Nature) -> float:
    return min(0.9, chance.expovariate(1.0 / nature.lenient)) if nature.lenient else 0.0


def _leaves(chance: Random, rate: float, side: int, days: int) -> Sequence[Leave]:
    found, day = [], 0
    while rate > 0.0:
        day += 1 + int(chance.expovariate(rate))
        if day >= days:
            break
        back = day + chance.randint(*LEAVE_DAYS)
        found.append(Leave(side, day, back))
        day = back
    return found


def hide(facets: Floats, pairs: Sequence[Pair]) -> None:
    """Change the truth of attackers in place; a bad-mouthed mentor is as good as any."""
    for pair in pairs:
        mine = facets[pair.number]
        if pair.attack is Attack.STUFFING:
            mine[1] = _lowered(mine[1])
        elif pair.attack is Attack.COLLUSION:
            mine[:] = _lowered(mine)
        elif pair.attack is Attack.ON_OFF:
            day = np.arange(mine.shape[-1])
            good = day % (ON_DAYS + OFF_DAYS) < ON_DAYS
            level = np.where(good, ON, OFF)
            mine[0, [R, H]] = level
            others = [facet for facet in range(FACETS) if facet not in (R, H)]
            mine[0, others] = (mine[0, others] + level) / 2.0


def _lowered(facets: Floats) -> Floats:
    odds = facets / (1.0 - facets) * np.exp(-HIDDEN_LOSS)
    found: Floats = odds / (1.0 + odds)
    return found
