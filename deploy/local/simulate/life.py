"""The story of one simulated pair, from the truth about it to facts. Pure: chance is seeded.

Whether an occasion goes well is drawn from the latent facet of its day. The story knows nothing of
the model that will read it.
"""

from __future__ import annotations

from datetime import timedelta
from math import exp
from random import Random

from deploy.local.simulate.book import PROGRAMME_ID, Book, instant
from deploy.local.simulate.cast import Attack, Pair
from deploy.local.simulate.latent import YEAR_DAYS, Flags, Floats, composite
from deploy.local.simulate.meetings import Meetings
from deploy.local.simulate.nature import SIDES, START, E, Nature, P
from deploy.local.simulate.promises import trivial
from deploy.local.simulate.story import Rating, Scene, Story
from shared.events import matching, people, sessions

GROUPS = ("full-time", "part-time")
FIRST_MEETING_DAY = 5.0
# How far busyness and trust stretch the time between sessions: contact and trust correlate .25.
BUSY, TRUSTING, JITTER = 0.3, 0.6, 0.2
KEEPS_DATE_ON_LEAVE = 0.3
SIGNS_WITHIN = (2, 24)
NOTICE_HOURS = 24
REVIEW_EVERY_DAYS, REVIEW_LATE_DAYS = 90, 20
MONTH_DAYS = 30
INTRODUCES = 0.1
GOALS_SET_DAY, GOALS, GOAL_STEP = 12, 2, 0.12
FIRST_QUESTION_DAY, QUESTION_EVERY_DAYS = 30, 60
QUESTION_ANSWERED = 0.7


def live(nature: Nature, book: Book, facets: Floats, mending: Flags) -> Story:
    """The story of the book's pair. `facets` is [side, facet, day] and `mending` [side, day]."""
    pair = book.pair
    chance = Random(f"{book.seed}/life/{pair.number}")
    truth = composite(facets, axis=1)
    last, reason = _end(nature, pair, truth, chance)
    scene = Scene(nature, pair, book, chance, facets, mending, truth, last)
    _people(scene)
    book.tell(0.0, matching.PairStarted, programme_id=PROGRAMME_ID, started_at=instant(0.0))
    if reason:
        book.tell(last, matching.PairEnded, ended_at=instant(last), reason=reason)
    _agree(scene)
    _meet(scene)
    _monthly(scene)
    if pair.attack is Attack.STUFFING:
        trivial(scene, 1)
    until = instant(last)
    told = sorted(
        (event for event in book.events if event.occurred_at <= until),
        key=lambda event: event.occurred_at,
    )
    return Story(
        pair=pair,
        events=told,
        facets=facets,
        last=last,
        early=reason == "rematched",
        promises=[each for each in scene.promises if each.due <= last],
        stars=sorted(each for each in scene.stars if each.day <= last),
        satisfaction=_satisfaction(scene),
    )


def _end(nature: Nature, pair: Pair, truth: Floats, chance: Random) -> tuple[int, str]:
    """The last day and why; no reason when the pair is still there at the end."""
    days, lower = truth.shape[-1] - 1, truth.min(axis=0)
    for day in range(FIRST_QUESTION_DAY, days):
        if any(leave.first <= day < leave.back for leave in pair.leaves):
            continue
        if chance.random() < nature.leaves_company_per_year / YEAR_DAYS:
            return day, "person_left"
        steep = exp(-nature.ends_steep * (lower[day] - 0.6))
        if chance.random() < nature.ends_per_year / YEAR_DAYS * steep:
            return day, "rematched"
    return days, ""


def _people(scene: Scene) -> None:
    unit = GROUPS[scene.pair.group]
    for person in scene.pair.people:
        scene.book.tell_hr(
            0.0,
            people.PersonJoined(
                person_id=person,
                email=f"{person}@simulated.example",
                display_name=person,
                org_unit=unit,
            ),
        )
    for number, leave in enumerate(scene.pair.leaves):
        who = {"person_id": scene.pair.people[leave.side], "leave_id": f"leave{number}"}
        first = (START + timedelta(days=leave.first)).date()
        back = (START + timedelta(days=leave.back)).date()
        scene.book.tell_hr(leave.first, people.PersonLeaveStarted(**who, started_on=first))
        scene.book.tell_hr(
            leave.back, people.PersonLeaveEnded(**who, started_on=first, back_on=back)
        )


def _agree(scene: Scene) -> None:
    both = [scene.level(side, E, 0) for side in range(SIDES)]
    if not scene.happens(sum(both) / SIDES):
        return
    day = scene.back(scene.chance.randint(*SIGNS_WITHIN) + 0.4)
    scene.book.tell(
        day,
        sessions.AgreementSigned,
        agreement_version=1,
        cadence_days=scene.pair.cadence_days,
        notice_hours=NOTICE_HOURS,
        channels=("video",),
    )
    for due in range(int(day) + REVIEW_EVERY_DAYS, scene.last, REVIEW_EVERY_DAYS):
        on_time = all(scene.well(side, E, due) for side in range(SIDES))
        late = 0 if on_time else REVIEW_LATE_DAYS
        scene.book.tell(
            scene.back(due + late + 0.4),
            sessions.AgreementReviewed,
            agreement_version=1,
            on_time=on_time,
        )


def _meet(scene: Scene) -> None:
    meetings, day = Meetings(scene), FIRST_MEETING_DAY + scene.pair.number % 7
    while day <= scene.last:
        day = _workday(day)
        at = day + scene.chance.uniform(9.0, 16.5) / 24.0
        if scene.back(at) != at and not scene.happens(KEEPS_DATE_ON_LEAVE):
            day = int(scene.back(at))
            continue
        meetings.meet(at)
        trust = float(scene.truth[:, min(int(day), scene.truth.shape[-1] - 1)].mean())
        stretch = BUSY * scene.pair.busyness - TRUSTING * (trust - 0.6)
        stretch += scene.chance.gauss(0.0, JITTER)
        day += max(2, round(scene.pair.cadence_days * exp(stretch)))


def _workday(day: float) -> float:
    weekday = int(day) % 7
    return float(int(day) + (7 - weekday if weekday > 4 else 0))


def _monthly(scene: Scene) -> None:
    goals, progress = [scene.book.new() for _ in range(GOALS)], [0.0] * GOALS
    for goal in goals:
        scene.book.tell(GOALS_SET_DAY + 0.5, sessions.GoalSet, goal_id=goal, measurable=True)
    for day in range(GOALS_SET_DAY + MONTH_DAYS, scene.last, MONTH_DAYS):
        for side in range(SIDES):
            if scene.happens(INTRODUCES * scene.level(side, P, day)):
                by, id = scene.pair.people[side], scene.book.new()
                scene.book.tell(day + 0.6, matching.IntroductionMade, introduction_id=id, by=by)
        step = GOAL_STEP * float(scene.truth[:, day].mean()) / 0.6
        for n, goal in enumerate(goals):
            progress[n] = min(1.0, progress[n] + max(0.0, scene.chance.gauss(step, 0.05)))
            told = round(progress[n], 2)
            scene.book.tell(day + 0.5, sessions.GoalProgressed, goal_id=goal, progress=told)


def _satisfaction(scene: Scene) -> list[Rating]:
    """One question every sixty days, one to five, as surveys ask it; no fact of ours."""
    found = []
    for day in range(FIRST_QUESTION_DAY, scene.last, QUESTION_EVERY_DAYS):
        for side in range(SIDES):
            if not scene.happens(QUESTION_ANSWERED):
                continue
            felt, lenient = float(scene.truth[side, day]), scene.pair.leniency[1 - side]
            value = 1.0 + 4.0 * (felt + lenient * (1.0 - felt)) + scene.chance.gauss(0.0, 0.5)
            if scene.colluding:
                value = 5.0
            elif scene.pair.attack is Attack.BAD_MOUTHING and side == 0:
                value = 1.0
            found.append(Rating(day, side, min(5, max(1, round(value)))))
    return found
