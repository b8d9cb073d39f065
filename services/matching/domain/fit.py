"""May these two meet, and how well would they suit each other? Pure, slow and readable.

The engine answers the same for millions of pairs at once; its tests hold it to every word of this.
Fit is a sum of five parts in thousandths, so that the reasons shown add up to it exactly:

    shared_goals        the share of the mentee's goals that the mentor offers
    related_experience  the cosine of what they wrote about themselves, 0 where it is negative
    shared_languages    common languages as a share of the shorter list
    shared_hours        time in common a week in pieces of half an hour, full from four hours
    past_pairs          what earlier pairs say about the goals in common; neutral in the middle

A part about which one of the two said nothing is 0, a mentee without goals included: a reason has
to be true. Nobody loses a place by it, because coverage comes before fit. A person's own past, and
anything like gender, ethnicity or age, has no part in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from services.matching.domain.hours import minutes_to_meet
from services.matching.domain.programme import MOST_LEARNED_PERMILLE, WHOLE, Rules, Settings
from shared.ids import PersonId

PARTS = (
    "shared_goals",
    "related_experience",
    "shared_languages",
    "shared_hours",
    "past_pairs",
)
# Four hours a week leave a pair a choice of times; more is no better.
ENOUGH_MINUTES = 240
# Vectors are whole numbers of about this length, so that a cosine is the same on every machine:
# products stay below 2**24, where float32 still counts exactly.
LENGTH = 4000
_PER_PERMILLE = LENGTH * LENGTH // WHOLE

# (mentor, mentee) who are not to be proposed, for whatever reason; nobody is told which.
Apart: TypeAlias = frozenset[tuple[PersonId, PersonId]]
Shares: TypeAlias = tuple[int, int, int, int, int]
NOBODY_APART: Apart = frozenset()
NOTHING_LEARNED: Mapping[str, int] = {}


class Barrier(StrEnum):
    """Why a mentee has no proposal, in the order in which the rules are asked.

    A mentee is told the one that came last among all mentors: the one whose removal would help.
    The first stands for oneself, who is no mentor; the last two are no rule about two people.
    `kept_apart` lumps what was declined, avoided, tried before or excluded by HR.
    """

    NO_MENTORS = "no_mentors"
    ONLY_MANAGER = "only_manager"
    REPORT_LINE = "report_line"
    KEPT_APART = "kept_apart"
    NO_COMMON_LANGUAGE = "no_common_language"
    NO_SHARED_GOAL = "no_shared_goal"
    NO_OVERLAPPING_HOURS = "no_overlapping_hours"
    ORG_UNIT = "org_unit"
    GRADE_GAP = "grade_gap"
    NO_MENTOR_CAPACITY = "no_mentor_capacity"
    NO_CANDIDATE_LEFT = "no_candidate_left"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person as they are weighed: `topics` are offers of a mentor, goals of a mentee.

    `line` is everybody above, `slots` a bit set of domain/hours, `vector` whole numbers of about
    LENGTH together; `()`, None and 0 are "not said".
    """

    person_id: PersonId
    manager_id: PersonId | None = None
    line: tuple[PersonId, ...] = ()
    unit: str | None = None
    grade: int | None = None
    languages: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    slots: int = 0
    vector: tuple[int, ...] = ()


def shares(settings: Settings, *, learned: bool) -> Shares:
    """The most each of PARTS can add, 1,000 together; `learned` is whether earlier pairs speak.

    They get MOST_LEARNED_PERMILLE, and the four weights what is left, by largest remainder.
    """
    weights = settings.weights.permille()
    if not (settings.learn and learned):
        return *weights, 0
    left = WHOLE - MOST_LEARNED_PERMILLE
    down = [each * left // WHOLE for each in weights]
    by_rest = sorted(range(4), key=lambda at: (-(weights[at] * left % WHOLE), at))
    for at in by_rest[: left - sum(down)]:
        down[at] += 1
    return down[0], down[1], down[2], down[3], MOST_LEARNED_PERMILLE


def barrier(mentor: Candidate, mentee: Candidate, rules: Rules, apart: Apart) -> Barrier | None:
    """The first hard rule that keeps the two apart, or None."""
    if mentor.person_id == mentee.person_id:
        return Barrier.NO_MENTORS
    if mentee.manager_id == mentor.person_id or mentor.manager_id == mentee.person_id:
        return Barrier.ONLY_MANAGER
    if rules.report_line and (mentor.person_id in mentee.line or mentee.person_id in mentor.line):
        return Barrier.REPORT_LINE
    if (mentor.person_id, mentee.person_id) in apart:
        return Barrier.KEPT_APART
    if rules.common_language and mentor.languages.isdisjoint(mentee.languages):
        return Barrier.NO_COMMON_LANGUAGE
    # A mentee who named no goal is open to any; one who did is owed at least one of them.
    if rules.shared_goal and mentee.topics and mentor.topics.isdisjoint(mentee.topics):
        return Barrier.NO_SHARED_GOAL
    if mentor.slots and mentee.slots:
        together = minutes_to_meet(mentor.slots & mentee.slots)
        if together < rules.min_overlap_minutes:
            return Barrier.NO_OVERLAPPING_HOURS
    return _standing(mentor, mentee, rules)


def _standing(mentor: Candidate, mentee: Candidate, rules: Rules) -> Barrier | None:
    """What the organisation chart forbids; a rule holds only where both sides are known."""
    if rules.org_units != "any" and mentor.unit is not None and mentee.unit is not None:
        wanted_same = rules.org_units == "same"
        if (mentor.unit == mentee.unit) != wanted_same:
            return Barrier.ORG_UNIT
    if mentor.grade is not None and mentee.grade is not None:
        gap = mentor.grade - mentee.grade
        low, high = rules.min_grade_gap, rules.max_grade_gap
        if (low is not None and gap < low) or (high is not None and gap > high):
            return Barrier.GRADE_GAP
    return None


def parts(mentor: Candidate, mentee: Candidate, most: Shares, lift: Mapping[str, int]) -> Shares:
    """What each of PARTS adds to the fit of two who may meet. `lift` is thousandths by goal."""
    goals = mentor.topics & mentee.topics
    spoken = len(mentor.languages & mentee.languages)
    shorter = min(len(mentor.languages), len(mentee.languages))
    together = minutes_to_meet(mentor.slots & mentee.slots)
    return (
        most[0] * len(goals) // max(1, len(mentee.topics)),
        most[1] * cosine_permille(mentor.vector, mentee.vector) // WHOLE,
        most[2] * spoken // max(1, shorter),
        most[3] * min(together, ENOUGH_MINUTES) // ENOUGH_MINUTES,
        most[4] * (MOST_LEARNED_PERMILLE + _mean(goals, lift)) // (2 * MOST_LEARNED_PERMILLE),
    )


def cosine_permille(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """The cosine of two vectors of length LENGTH, 0 to 1,000, to the nearest thousandth."""
    product = sum(a * b for a, b in zip(one, other, strict=False))
    return min(max((product + _PER_PERMILLE // 2) // _PER_PERMILLE, 0), WHOLE)


def _mean(goals: frozenset[str], lift: Mapping[str, int]) -> int:
    """The mean lift of these goals, towards 0."""
    whole = sum(lift.get(goal, 0) for goal in goals)
    mean = abs(whole) // max(1, len(goals))
    return mean if whole >= 0 else -mean
