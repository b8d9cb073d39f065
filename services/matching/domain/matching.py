"""Who is proposed to whom, and why: hard rules, then fit. Pure; knows nothing of past trust.

Fit is a sum of three parts in thousandths, so that the reasons shown add up to it exactly:

    500  goals       the share of the mentee's goals that the mentor offers
    200  languages   common languages as a share of the shorter list
    300  hours       shared free time, full from four hours a week; 0 when either gave no hours

What trust says about a person's other pairs is left out on purpose: trust teaches a pair, it does
not judge a person. Coverage comes before fit: nobody is left out so that another fits better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.matching.domain.hours import free_slots, minutes, room_to_meet
from services.matching.domain.person import Person
from shared.events.matching import Ground
from shared.ids import PersonId

GOALS_PERMILLE = 500
LANGUAGES_PERMILLE = 200
HOURS_PERMILLE = 300
# Four hours a week leave a pair a choice of times; more is no better.
ENOUGH_MINUTES = 240
# Fits are at least 1 where a match is possible: a common language is required and counts.
IMPOSSIBLE = 0

# Rows are mentees, columns mentors, cells fits or IMPOSSIBLE; then the free places per mentor.
# The answer holds (row, column), each row at most once, no column more often than it is free.
Assign = Callable[[Sequence[Sequence[int]], Sequence[int]], Sequence[tuple[int, int]]]
Together = tuple[PersonId, PersonId]


class Barrier(StrEnum):
    """Why a mentee has no proposal: the last thing that stood between them and a mentor.

    In the order the rules are asked; a mentee is told the one that came last among all mentors,
    because that is the one whose removal would help.
    """

    NO_MENTORS = "no_mentors"
    ONLY_MANAGER = "only_manager"
    ALREADY_TRIED = "already_tried"
    NO_COMMON_LANGUAGE = "no_common_language"
    NO_SHARED_GOAL = "no_shared_goal"
    NO_OVERLAPPING_HOURS = "no_overlapping_hours"
    NO_MENTOR_CAPACITY = "no_mentor_capacity"
    OVER_LIMIT = "over_limit"


_ORDER = {barrier: place for place, barrier in enumerate(Barrier)}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person as they are weighed: `topics` are offers of a mentor, goals of a mentee."""

    person_id: PersonId
    manager_id: PersonId | None
    languages: frozenset[str]
    topics: frozenset[str]
    slots: int
    free_places: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two people who should meet; the weights of the reasons add up to the fit."""

    mentor_id: PersonId
    mentee_id: PersonId
    fit_permille: int
    grounds: tuple[Ground, ...]


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A mentee without a proposal, and why."""

    person_id: PersonId
    reason: Barrier


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. Proposals stand best first; both lists are in a fixed order."""

    proposals: tuple[Proposal, ...]
    unmatched: tuple[Unmatched, ...]


def as_mentor(person: Person, free_places: int, now: datetime) -> Candidate:
    """The person as a mentor who can take on `free_places` more."""
    return _candidate(person, person.offers, free_places, now)


def as_mentee(person: Person, now: datetime) -> Candidate:
    """The person as someone who looks for a mentor."""
    return _candidate(person, person.goals, 0, now)


def propose(
    mentors: Sequence[Candidate],
    mentees: Sequence[Candidate],
    tried: frozenset[Together],
    assign: Assign,
    limit: int,
) -> Outcome:
    """Match everyone at once. `tried` holds (mentor, mentee) that must not be proposed again.

    The same people in any order give the same outcome.
    """
    mentors = sorted(mentors, key=_by_id)
    mentees = sorted(mentees, key=_by_id)
    open_mentors = [mentor for mentor in mentors if mentor.free_places > 0]
    fits = [[fit(mentor, mentee, tried) for mentor in open_mentors] for mentee in mentees]
    chosen = assign(fits, [mentor.free_places for mentor in open_mentors])
    ranked = sorted(chosen, key=lambda cell: (-fits[cell[0]][cell[1]], cell))
    kept, cut = ranked[:limit], {row for row, _ in ranked[limit:]}
    placed = {row for row, _ in kept}
    return Outcome(
        tuple(_proposal(open_mentors[column], mentees[row]) for row, column in kept),
        tuple(
            Unmatched(
                mentee.person_id,
                Barrier.OVER_LIMIT if row in cut else why_not(mentors, mentee, tried),
            )
            for row, mentee in enumerate(mentees)
            if row not in placed
        ),
    )


def barrier(mentor: Candidate, mentee: Candidate, tried: frozenset[Together]) -> Barrier | None:
    """The first hard rule that keeps the two apart, or None."""
    if mentee.manager_id == mentor.person_id or mentor.manager_id == mentee.person_id:
        return Barrier.ONLY_MANAGER
    if (mentor.person_id, mentee.person_id) in tried:
        return Barrier.ALREADY_TRIED
    if mentor.languages.isdisjoint(mentee.languages):
        return Barrier.NO_COMMON_LANGUAGE
    # A mentee who named no goal is open to any; one who did is owed at least one of them.
    if mentee.topics and mentor.topics.isdisjoint(mentee.topics):
        return Barrier.NO_SHARED_GOAL
    if mentor.slots and mentee.slots and not room_to_meet(mentor.slots & mentee.slots):
        return Barrier.NO_OVERLAPPING_HOURS
    return None


def fit(mentor: Candidate, mentee: Candidate, tried: frozenset[Together]) -> int:
    """How well the two suit each other in thousandths, IMPOSSIBLE where a hard rule says no."""
    if mentor.person_id == mentee.person_id or barrier(mentor, mentee, tried) is not None:
        return IMPOSSIBLE
    return sum(_parts(mentor, mentee))


def why_not(mentors: Sequence[Candidate], mentee: Candidate, tried: frozenset[Together]) -> Barrier:
    """Why this mentee got nobody, given all mentors, those without a free place included."""
    met = [
        barrier(mentor, mentee, tried) or Barrier.NO_MENTOR_CAPACITY
        for mentor in mentors
        if mentor.person_id != mentee.person_id
    ]
    return max(met, key=_ORDER.__getitem__, default=Barrier.NO_MENTORS)


def _by_id(candidate: Candidate) -> PersonId:
    return candidate.person_id


def _candidate(person: Person, named: Sequence[str], free_places: int, now: datetime) -> Candidate:
    return Candidate(
        person_id=person.person_id,
        manager_id=person.manager_id,
        # "pt-BR" and "pt" understand each other: only the language itself is compared.
        languages=frozenset(tag.split("-")[0] for tag in person.languages),
        topics=frozenset(named),
        slots=free_slots(person.hours, person.timezone, now),
        free_places=free_places,
    )


def _parts(mentor: Candidate, mentee: Candidate) -> tuple[int, int, int]:
    """Goals, languages and hours, each in thousandths of the whole fit."""
    goals = len(mentor.topics & mentee.topics)
    spoken = len(mentor.languages & mentee.languages)
    shared = minutes(mentor.slots & mentee.slots)
    return (
        GOALS_PERMILLE * goals // max(1, len(mentee.topics)),
        LANGUAGES_PERMILLE * spoken // min(len(mentor.languages), len(mentee.languages)),
        HOURS_PERMILLE * min(shared, ENOUGH_MINUTES) // ENOUGH_MINUTES,
    )


def _proposal(mentor: Candidate, mentee: Candidate) -> Proposal:
    goals, languages, hours = _parts(mentor, mentee)
    found = (
        ("shared_goals", sorted(mentor.topics & mentee.topics), goals),
        ("shared_languages", sorted(mentor.languages & mentee.languages), languages),
        ("shared_hours", [str(minutes(mentor.slots & mentee.slots))], hours),
    )
    grounds = tuple(
        Ground.model_validate({"code": code, "detail": detail, "weight": part / 1000})
        for code, detail, part in found
        if part
    )
    return Proposal(mentor.person_id, mentee.person_id, goals + languages + hours, grounds)
