"""Six months of pairs as dated actions: who does what when. Pure, and the same for the same seed.

It knows the rules only as people do: promises are warned about before they are due, told about
soon after, and a session is confirmed once it is over. What comes of it is for the services to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Literal

from deploy.local.demo.size import DemoSize
from deploy.local.demo.temperaments import Nature, Temperament, temperament_of

Side = Literal["mentor", "mentee"]
SIDES: tuple[Side, Side] = ("mentor", "mentee")

DAY = timedelta(days=1)
# Hours of a working day at which things happen, in UTC; a story begins at 08:00.
MORNING, NOON, EVENING = timedelta(hours=9), timedelta(hours=13), timedelta(hours=16)
CADENCES_DAYS = (7, 14, 14, 14, 14, 21, 21, 28)
SCHEDULED_AHEAD = 6 * DAY
HAPPENS = 0.96
ANSWERS = 0.6
ANSWERS_TWICE = 0.25
PROMISES = 0.8
# Of so many pairs one completes and one loses somebody, at this share of the story.
ENDS_EVERY, COMPLETES_AT, LEAVES_AT = 40, 0.8, 0.6
COMPLETES, LEAVES = 0, 4


class Verb(StrEnum):
    """What a person can do in a pair."""

    PROPOSE = "propose"
    SIGN = "sign"
    SCHEDULE = "schedule"
    CONFIRM = "confirm"
    ANSWER = "answer"
    PROMISE = "promise"
    ACCEPT = "accept"
    KEEP = "keep"
    WARN = "warn"
    TELL = "tell"
    COMPLETE = "complete"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Action:
    """At `at`, `side` of the pair with number `pair` does something.

    `ref` names a session or promise within the pair; `body` is what is sent along.
    """

    at: datetime
    pair: int
    side: Side
    verb: Verb
    ref: str = ""
    body: Mapping[str, object] = field(default_factory=dict)


def story(size: DemoSize, seed: int) -> list[Action]:
    """Every action of every pair, by time; those of one pair at one instant in their order."""
    told = [action for pair in range(size.pairs) for action in _life(pair, size, seed)]
    return sorted(told, key=lambda action: action.at)


def end_of(pair: int, size: DemoSize) -> tuple[datetime, Verb] | None:
    """When and how the pair ends before the story does; None for most."""
    place = pair % ENDS_EVERY
    if place not in (COMPLETES, LEAVES):
        return None
    share, verb = (COMPLETES_AT, Verb.COMPLETE) if place == COMPLETES else (LEAVES_AT, Verb.LEAVE)
    return _day(size.starts_at + round(size.weeks * share) * 7 * DAY) + NOON, verb


def _life(pair: int, size: DemoSize, seed: int) -> list[Action]:
    """The actions of one pair, sorted; nothing happens after its end."""
    teller = _Teller(pair, size, Random(f"{seed}/pair/{pair}"))
    actions = sorted(teller.tell(), key=lambda action: action.at)
    ending = end_of(pair, size)
    until = ending[0] if ending else size.ends_at
    kept = [action for action in actions if size.starts_at < action.at < until]
    if ending:
        kept.append(Action(ending[0], pair, "mentee", ending[1]))
    return kept


class _Teller:
    """Tells the life of one pair. Its randomness is its own, so pairs do not disturb each other."""

    def __init__(self, pair: int, size: DemoSize, chance: Random) -> None:
        self._pair = pair
        self._size = size
        self._chance = chance
        self._temperament: Temperament = temperament_of(pair)
        self._cadence_days = chance.choice(CADENCES_DAYS)
        self._minutes = chance.choice((30, 45, 60))

    def tell(self) -> Iterator[Action]:
        if self._temperament.signs:
            yield from self._agree()
        # Tuesdays to Thursdays of the second week; from then on in the agreed rhythm.
        meets = self._size.starts_at.replace(hour=0) + 7 * DAY + self._chance.randint(1, 3) * DAY
        last = self._size.starts_at + self._temperament.meets_until * self._size.weeks * 7 * DAY
        count = 0
        while meets < last:
            then = meets + self._cadence_days * DAY
            yield from self._session(f"s{count}", meets)
            yield from self._promises(str(count), meets, then - DAY + EVENING)
            meets, count = then, count + 1

    def _agree(self) -> Iterator[Action]:
        first, second = self._sides()
        proposed = self._size.starts_at.replace(hour=0) + self._chance.randint(0, 2) * DAY + NOON
        terms = {
            "cadence_days": self._cadence_days,
            "notice_hours": self._chance.choice((24, 24, 48)),
            "channels": ["video", self._chance.choice(("email", "chat"))],
        }
        yield self._act(proposed, first, Verb.PROPOSE, body=terms)
        signed = _day(proposed) + DAY + MORNING
        yield self._act(signed, second, Verb.SIGN, body={"version": 1})

    def _session(self, ref: str, day: datetime) -> Iterator[Action]:
        by, _ = self._sides()
        slot = {"starts_at": (day + NOON).isoformat(), "duration_minutes": self._minutes}
        yield self._act(day - SCHEDULED_AHEAD + MORNING, by, Verb.SCHEDULE, ref, slot)
        if self._chance.random() >= HAPPENS:
            return
        both = True
        for side in self._sides():
            if self._chance.random() < self._nature(side, day).confirm:
                yield self._act(day + EVENING, side, Verb.CONFIRM, ref)
            else:
                both = False
        # Whether one side alone said so is decided later by the sweeper; answers do not wait.
        if both:
            yield from self._answers(ref, day)

    def _answers(self, ref: str, day: datetime) -> Iterator[Action]:
        answered = False
        for side in self._sides():
            if self._chance.random() >= ANSWERS:
                continue
            # Once both have answered, nothing more is asked.
            twice = not answered and self._chance.random() < ANSWERS_TWICE
            answered = True
            yes = self._nature(_other(side), day).yes
            for _ in range(2 if twice else 1):
                said = {"answer": self._chance.random() < yes}
                yield self._act(day + DAY + MORNING, side, Verb.ANSWER, ref, said)

    def _promises(self, number: str, made_on: datetime, due: datetime) -> Iterator[Action]:
        for side in SIDES:
            if self._chance.random() >= PROMISES:
                continue
            ref = f"{side}-{number}"
            body = {"due_at": due.isoformat(), "title": f"what we said, no. {number}"}
            yield self._act(made_on + EVENING, side, Verb.PROMISE, ref, body)
            yield self._act(made_on + DAY + MORNING, _other(side), Verb.ACCEPT, ref)
            yield from self._outcome(side, ref, due)

    def _outcome(self, side: Side, ref: str, due: datetime) -> Iterator[Action]:
        nature, drawn = self._nature(side, due), self._chance.random()
        day = _day(due)
        if drawn < nature.keep:
            kept = day + NOON - self._chance.randint(0, 2) * DAY
            yield self._act(kept, _other(side), Verb.KEEP, ref)
        elif drawn < nature.keep + nature.warn:
            yield self._act(day - DAY + MORNING, side, Verb.WARN, ref)
        elif drawn < nature.keep + nature.warn + nature.tell:
            # The morning of the next session: the text's "communication is key", a little late.
            yield self._act(day + DAY + MORNING, side, Verb.TELL, ref)

    def _nature(self, side: Side, at: datetime) -> Nature:
        half = self._size.starts_at + self._size.weeks * 7 * DAY / 2
        if self._temperament.later is not None and at >= half:
            return self._temperament.later
        return self._temperament.mentor if side == "mentor" else self._temperament.mentee

    def _sides(self) -> tuple[Side, Side]:
        return SIDES if self._chance.random() < 0.5 else (SIDES[1], SIDES[0])

    def _act(
        self,
        at: datetime,
        side: Side,
        verb: Verb,
        ref: str = "",
        body: Mapping[str, object] | None = None,
    ) -> Action:
        return Action(at, self._pair, side, verb, ref, body or {})


def _other(side: Side) -> Side:
    return SIDES[1] if side == SIDES[0] else SIDES[0]


def _day(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
