"""A programme as chance would have it: mentors, mentees, asks and answers, event by event.

Shares nothing with what it is there to test but the shape of what was seen. Holds no test.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from services.matching.engine.waiting import Answer, Came, History, Opening

Kind = Literal["ends", "arrives", "joins", "yes", "no", "lost"]
LIMIT_DAYS = 7.0
WATCHED_DAYS = 90.0
PATIENCE_DAYS = 3_000.0


@dataclass(frozen=True)
class Traits:
    """What a programme is like; times in days. `load` is mentees over the places that open."""

    mentors: int
    capacity: int
    stay: float
    says_yes: float
    never_answers: float
    answers_in: float
    load: float
    joining: float
    at_first: int


@dataclass(frozen=True)
class Seen:
    """What is known of it at an instant, and how long one of those who wait waited from then on."""

    history: History
    waiting: int
    places: int
    waited: float


@dataclass
class Proposal:
    """An ask, and what came of it so far."""

    mentee: int
    mentor: int
    made_at: float
    closed_at: float | None = None
    came: Came = Came.OPEN


@dataclass
class Programme:
    """The programme. Who waits asks at once when a place is free; whoever gets it is chance."""

    traits: Traits
    seed: int
    free: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = np.random.default_rng(self.seed)
        self.events: list[tuple[float, int, Kind, int | Proposal]] = []
        self.number = 0
        traits = self.traits
        self.waiting = list(range(traits.at_first))
        self.known = traits.at_first
        self.mentors = traits.mentors
        per_day = traits.mentors * traits.capacity / traits.stay + traits.joining * traits.capacity
        self.arrivals = traits.load * per_day
        for mentor in range(traits.mentors):
            for _ in range(traits.capacity):
                self._in("ends", self._after(traits.stay), mentor)
        self._in("arrives", self._after(1 / self.arrivals), 0)
        if traits.joining:
            self._in("joins", self._after(1 / traits.joining), 0)

    def look(self, at: float) -> Seen:
        """Let it go on until `at`, see what there is to see, and follow one who waits then.

        Where nobody does, the one is somebody who comes at that moment.
        """
        while self.events[0][0] < at:
            self._next()
        if not self.waiting:
            self._arrive()
        probe = self.waiting[self.chance.integers(len(self.waiting))]
        history, waiting, places = self._history(at), len(self.waiting), len(self.free)
        self._ask(at)
        now = at
        while now < at + PATIENCE_DAYS:
            now, said_yes_to = self._next()
            if said_yes_to == probe:
                break
        return Seen(history, waiting, places, now - at)

    def _next(self) -> tuple[float, int | None]:
        """What happens next: when, and to which mentee somebody says yes with it."""
        at, _, kind, of = heapq.heappop(self.events)
        said_yes_to = None
        if isinstance(of, Proposal):
            of.closed_at = at
            of.came = {"yes": Came.YES, "no": Came.NO, "lost": Came.LOST}[kind]
            if kind == "yes":
                said_yes_to = of.mentee
                self._in("ends", at + self._after(self.traits.stay), of.mentor)
            else:
                self.waiting.append(of.mentee)
                self._open(at, of.mentor)
        elif kind == "ends":
            self._open(at, of)
        elif kind == "arrives":
            self._arrive()
            self._in("arrives", at + self._after(1 / self.arrivals), 0)
        else:
            for _ in range(self.traits.capacity):
                self._open(at, self.mentors)
            self.mentors += 1
            self._in("joins", at + self._after(1 / self.traits.joining), 0)
        self._ask(at)
        return at, said_yes_to

    def _ask(self, at: float) -> None:
        traits, chance = self.traits, self.chance
        while self.free and self.waiting:
            mentor = self.free.pop(chance.integers(len(self.free)))
            mentee = self.waiting.pop(chance.integers(len(self.waiting)))
            asked = Proposal(mentee, mentor, at)
            self.proposals.append(asked)
            takes = chance.lognormal(np.log(traits.answers_in), 0.8)
            if chance.random() < traits.never_answers or takes >= LIMIT_DAYS:
                self._in("lost", at + LIMIT_DAYS, asked)
            else:
                says_yes = chance.random() < traits.says_yes
                self._in("yes" if says_yes else "no", at + takes, asked)

    def _history(self, at: float) -> History:
        since = at - WATCHED_DAYS
        recent = [each for each in self.proposals if each.made_at > since]
        answers = [
            Answer(
                (at if each.closed_at is None else each.closed_at) - each.made_at,
                each.came,
                each.made_at + LIMIT_DAYS <= at,
            )
            for each in recent
        ]
        openings = [Opening(each - since, 1.0) for each in self.opened if each > since]
        mentors = len({each.mentor for each in recent})
        return History(WATCHED_DAYS, openings, answers, LIMIT_DAYS, mentors)

    def _open(self, at: float, mentor: int) -> None:
        self.opened.append(at)
        self.free.append(mentor)

    def _arrive(self) -> None:
        self.waiting.append(self.known)
        self.known += 1

    def _after(self, mean: float) -> float:
        return float(self.chance.exponential(mean))

    def _in(self, kind: Kind, at: float, of: int | Proposal) -> None:
        self.number += 1
        heapq.heappush(self.events, (at, self.number, kind, of))


def any_traits(seed: int) -> Traits:
    """A programme of a kind that there may be: few or many mentors, busy or slow, eager or not."""
    chance = np.random.default_rng(10_000 + seed)
    return Traits(
        mentors=int(chance.integers(8, 60)),
        capacity=int(chance.integers(1, 5)),
        stay=float(chance.uniform(25, 120)),
        says_yes=float(chance.uniform(0.4, 0.95)),
        never_answers=float(chance.uniform(0, 0.4)),
        answers_in=float(chance.uniform(0.5, 3)),
        load=float(chance.uniform(0.9, 1.1)),
        joining=float(chance.uniform(0, 0.15)),
        at_first=int(chance.integers(1, 60)),
    )
