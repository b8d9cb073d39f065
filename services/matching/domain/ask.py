"""One person asks another to be their mentor, or their mentee: when that can be, and why not. Pure.

An ask is a proposal with the asker's yes. A refusal says what the asker may know of themselves; of
the other it says one thing, whatever the cause: that they cannot be asked. It is the same for who
takes no part, who would rather not meet the asker, and who does not exist.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from services.matching.domain.decision import Decision
from services.matching.domain.fit import (
    NOBODY_APART,
    NOTHING_LEARNED,
    PARTS,
    Candidate,
    Shares,
    barrier,
    parts,
    shares,
)
from services.matching.domain.hours import free_slots, minutes_to_meet
from services.matching.domain.pair import Actor, Pair, possible, proposed
from services.matching.domain.person import Person
from services.matching.domain.programme import WHOLE, Programme
from shared.errors import Conflict, Rejected
from shared.events.matching import Ground, PairAccepted
from shared.ids import PairId, PersonId

Side: TypeAlias = Literal["mentor", "mentee"]


class CannotBeAsked(Conflict):
    """This person cannot be asked: ask somebody else."""

    slug = "cannot-be-asked"


class TakesNoPart(Conflict):
    """You take no part in this programme in that way at the moment."""

    slug = "takes-no-part"


class OneAtATime(Conflict):
    """You have a pair, a proposal or an ask that is open: one at a time."""

    slug = "one-at-a-time"


class NoFreePlace(Conflict):
    """There is no free place at the moment."""

    slug = "no-free-place"


@dataclass(frozen=True, slots=True)
class Wish:
    """Who asks whom: `asks_for` is what the other would be. `pair_id` is the id it shall have."""

    pair_id: PairId
    asker: PersonId
    other: PersonId
    asks_for: Side

    @property
    def mentor_id(self) -> PersonId:
        return self.other if self.asks_for == "mentor" else self.asker

    @property
    def mentee_id(self) -> PersonId:
        return self.asker if self.asks_for == "mentor" else self.other


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to know at that moment. Who takes no part in that way is None.

    `apart`: the two are kept apart, for whatever reason. `places`: free places of the mentor.
    `open_pair`: what the mentee has that is open.
    """

    mentor: Candidate | None
    mentee: Candidate | None
    apart: bool
    places: int
    open_pair: Pair | None = None


def as_candidate(
    person: Person, side: Side, line: tuple[PersonId, ...], vector: tuple[int, ...], now: datetime
) -> Candidate:
    """The person as the rules weigh them on one side."""
    return Candidate(
        person_id=person.person_id,
        manager_id=person.manager_id,
        line=line,
        unit=person.org_unit,
        grade=person.grade,
        # "pt-BR" and "pt" understand each other: only the language itself is compared.
        languages=frozenset(tag.split("-")[0] for tag in person.languages),
        topics=frozenset(person.offers if side == "mentor" else person.goals),
        slots=free_slots(person.hours, person.timezone, now),
        vector=vector,
    )


def takes_part(person: Person, side: Side, org_units: Collection[str]) -> bool:
    """Whether a programme of these units has them on that side; empty is everybody's."""
    in_unit = not org_units or person.org_unit in org_units
    return person.active and side in person.roles and in_unit


def ask(wish: Wish, known: Known, programme: Programme, now: datetime) -> Decision[Pair]:
    """A proposal to the other, with the asker's yes; it is open for `ask_within`.

    Raises ProgrammeClosed, Rejected, TakesNoPart, OneAtATime, CannotBeAsked or NoFreePlace, in that
    order but for what only the other could be asked about: that stands last.
    """
    programme.require_open()
    if wish.asker == wish.other:
        raise Rejected("ask somebody besides yourself", field=f"{wish.asks_for}_id")
    if wish.asks_for == "mentor":
        mentor, mentee = _ask_a_mentor(wish, known, programme, now)
    else:
        mentor, mentee = _ask_a_mentee(known, programme)
    most = shares(programme.settings, learned=False)
    found = parts(mentor, mentee, most, NOTHING_LEARNED)
    pair = Pair(
        pair_id=wish.pair_id,
        programme_id=programme.programme_id,
        mentor_id=wish.mentor_id,
        mentee_id=wish.mentee_id,
        fit_permille=sum(found),
        grounds=grounds(mentor, mentee, found),
        proposed_at=now,
        mentor_accepted=wish.asks_for == "mentee",
        mentee_accepted=wish.asks_for == "mentor",
        asked_by=wish.asker,
        answer_until=now + within(programme),
    )
    yes = PairAccepted(
        pair_id=pair.pair_id, mentor_id=pair.mentor_id, mentee_id=pair.mentee_id, by=wish.asker
    )
    return Decision(pair, (proposed(pair), yes))


def within(programme: Programme) -> timedelta:
    """How long an ask waits for its answer."""
    return programme.settings.ask_within


def may_meet(known: Known, programme: Programme) -> bool:
    """Whether both take part and no hard rule is in the way: free places are another question."""
    if known.mentor is None or known.mentee is None or known.apart:
        return False
    rules = programme.settings.rules
    return barrier(known.mentor, known.mentee, rules, NOBODY_APART) is None


def grounds(mentor: Candidate, mentee: Candidate, found: Shares) -> tuple[Ground, ...]:
    """The parts of a fit that add something to it, with what they rest on."""
    together = minutes_to_meet(mentor.slots & mentee.slots)
    rests_on: dict[str, tuple[str, ...]] = {
        "shared_goals": tuple(sorted(mentor.topics & mentee.topics)),
        "shared_languages": tuple(sorted(mentor.languages & mentee.languages)),
        "shared_hours": (str(together),),
    }
    return tuple(
        Ground(code=code, detail=rests_on.get(code, ()), weight=part / WHOLE)
        for code, part in zip(PARTS, found, strict=True)
        if part
    )


def _ask_a_mentor(
    wish: Wish, known: Known, programme: Programme, now: datetime
) -> tuple[Candidate, Candidate]:
    if known.mentee is None:
        raise TakesNoPart
    if known.open_pair is not None:
        allowed = possible(known.open_pair, Actor(wish.asker, oversees=False), now)
        raise OneAtATime(f"pair {known.open_pair.pair_id} is open: one at a time", allowed=allowed)
    if known.mentor is None or not may_meet(known, programme):
        raise CannotBeAsked
    if known.places < 1:
        raise NoFreePlace
    return known.mentor, known.mentee


def _ask_a_mentee(known: Known, programme: Programme) -> tuple[Candidate, Candidate]:
    if known.mentor is None:
        raise TakesNoPart
    if known.places < 1:
        raise NoFreePlace("you have no free place at the moment")
    # That somebody has a mentor, or an ask of another open, is nobody else's to know.
    if known.mentee is None or known.open_pair is not None or not may_meet(known, programme):
        raise CannotBeAsked
    return known.mentor, known.mentee
