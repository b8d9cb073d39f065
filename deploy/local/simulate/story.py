"""What is known of a simulated pair when its story is told. Data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from deploy.local.simulate.book import Book
from deploy.local.simulate.cast import Attack, Pair
from deploy.local.simulate.latent import Flags, Floats, composite
from deploy.local.simulate.nature import Nature
from shared.events.envelope import Event


class Promise(NamedTuple):
    """A real promise of a side, made on a day; `good`: it was in truth kept in time."""

    made: float
    due: float
    side: int
    good: bool


class Rating(NamedTuple):
    """One to five stars that the other side gave `side` on a day. No fact: only rivals see it."""

    day: float
    side: int
    stars: int


@dataclass(frozen=True)
class Story:
    """A pair from beginning to end. `facets` is [side, facet, day], the truth.

    `last` is its last day; `early` is whether it ended there before its time, for want of trust.
    """

    pair: Pair
    events: list[Event]
    facets: Floats
    last: int
    early: bool
    promises: list[Promise]
    stars: list[Rating]
    satisfaction: list[Rating]

    @property
    def truth(self) -> Floats:
        """The true T, [side, day]."""
        return composite(self.facets, axis=1)


@dataclass
class Scene:
    """What the parts of a story share while it is being told."""

    nature: Nature
    pair: Pair
    book: Book
    chance: Random
    facets: Floats
    mending: Flags
    truth: Floats
    last: int
    promises: list[Promise] = field(default_factory=list)
    stars: list[Rating] = field(default_factory=list)
    satisfaction: list[Rating] = field(default_factory=list)

    def level(self, side: int, facet: int, day: float) -> float:
        """A facet of a side on a day: the chance that an occasion of it goes well."""
        return float(self.facets[side, facet, min(max(int(day), 0), self.facets.shape[-1] - 1)])

    def well(self, side: int, facet: int, day: float) -> bool:
        """Whether one occasion goes well."""
        return self.chance.random() < self.level(side, facet, day)

    def happens(self, chance: float) -> bool:
        """Whether something with this chance happens."""
        return self.chance.random() < chance

    def back(self, day: float) -> float:
        """The day itself, or the day on which both sides are there again."""
        for leave in sorted(self.pair.leaves, key=lambda leave: leave.first):
            if leave.first <= day < leave.back:
                day = leave.back + day % 1.0
        return day

    @property
    def colluding(self) -> bool:
        return self.pair.attack is Attack.COLLUSION
