"""Other ways to tell how a pair does, on the same story, morning by morning. Pure.

The question about satisfaction and the felt stars are answered by people who feel the whole true T:
more than anybody does. Felt stars are there to show what such an instrument would be worth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import ceil

import numpy as np

from deploy.local.simulate.latent import Floats
from deploy.local.simulate.nature import DEFAULT, SIDES, START
from deploy.local.simulate.story import Rating, Story
from shared.events import sessions
from shared.events.envelope import Event

DAY_S = 86_400.0
WINDOW_DAYS = 60
SCALE = 4.0
# As MentorNeko's help tells its weights; the rest is cut off there and taken as tasks done here.
ANSWERING, MEETING, SENTIMENT, TASKS, AGREED, GOALS = 25.0, 20.0, 15.0, 20.0, 10.0, 10.0
UNKNOWN_SHARE = 0.5


def mean_stars(story: Story) -> Floats:
    """The mean of all answers so far, a yes as five stars and a no as one, [side, day] in 0..1."""
    answers = []
    for event in story.events:
        fact = event.fact
        if isinstance(fact, sessions.FeedbackGiven):
            side = int(fact.about == fact.mentee_id)
            answers.append(Rating(_day_of(event), side, 5 if fact.answer else 1))
    return _mean(story, answers)


def felt_stars(story: Story) -> Floats:
    """The mean of stars given with each answer by people who feel the whole true T."""
    return _mean(story, story.stars)


def _mean(story: Story, ratings: Iterable[Rating]) -> Floats:
    """NaN before the first."""
    total, count = np.zeros(_shape(story)), np.zeros(_shape(story))
    for each in ratings:
        total[each.side, _morning(each.day) :] += (each.stars - 1) / SCALE
        count[each.side, _morning(each.day) :] += 1.0
    found: Floats = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return found


def satisfaction(story: Story) -> Floats:
    """The newest answer to the one question, [side, day] in 0..1; NaN before the first."""
    found = np.full(_shape(story), np.nan)
    for each in sorted(story.satisfaction):
        found[each.side, _morning(each.day) :] = (each.stars - 1) / SCALE
    return found


def activity(story: Story) -> Floats:
    """A weighted sum of what the pair did in sixty days, the same for both sides, in 0..1."""
    days = story.facets.shape[-1]
    seen = _activity_facts(story, days)
    held = _recent(seen["held"])
    asked = np.maximum(held * SIDES, 1.0)
    window = np.minimum(np.maximum(np.arange(days), 1), WINDOW_DAYS)
    cadence = np.where(seen["agreed"] > 0, story.pair.cadence_days, DEFAULT.cadence_days[0])
    meeting = np.minimum(1.0, held / np.maximum(window / cadence, 1e-9))
    answering = np.minimum(1.0, _recent(seen["answered"]) / asked)
    score = (
        ANSWERING * answering
        + MEETING * meeting
        + SENTIMENT * _share(_recent(_stars(story.stars, days)), _recent(seen["answered"]))
        + TASKS * _share(_recent(seen["kept"]), _recent(seen["decided"]))
        + AGREED * (seen["agreed"] > 0)
        + GOALS * seen["goals"]
    )
    total = ANSWERING + MEETING + SENTIMENT + TASKS + AGREED + GOALS
    return np.tile(score / total, (SIDES, 1))


RIVALS: Mapping[str, Callable[[Story], Floats]] = {
    "mean stars": mean_stars,
    "one question": satisfaction,
    "activity score": activity,
    "felt stars": felt_stars,
}


def _activity_facts(story: Story, days: int) -> dict[str, Floats]:
    """Cumulative counts by morning; `goals` is how far they are."""
    seen = {name: np.zeros(days) for name in ("held", "answered", "kept", "decided", "agreed")}
    goals: dict[object, float] = {}
    progress = np.zeros(days)
    for event in story.events:
        fact, at = event.fact, _day_of(event)
        if isinstance(fact, sessions.GoalProgressed):
            goals[fact.goal_id] = fact.progress
            progress[_morning(at) :] = sum(goals.values()) / len(goals)
        for name in _COUNTED.get(type(fact), ()):
            seen[name][_morning(at) :] += 1.0
    return {**seen, "goals": progress}


_COUNTED: Mapping[type, tuple[str, ...]] = {
    sessions.SessionHeld: ("held",),
    sessions.FeedbackGiven: ("answered",),
    sessions.CommitmentKept: ("kept", "decided"),
    sessions.CommitmentMissed: ("decided",),
    sessions.CommitmentMissedTold: ("decided",),
    sessions.CommitmentMissedWarned: ("decided",),
    sessions.AgreementSigned: ("agreed",),
}


def _stars(ratings: Iterable[Rating], days: int) -> Floats:
    total = np.zeros(days)
    for each in ratings:
        total[_morning(each.day) :] += (each.stars - 1) / SCALE
    return total


def _recent(cumulative: Floats) -> Floats:
    """What was added in the last sixty days."""
    before = np.zeros_like(cumulative)
    before[WINDOW_DAYS:] = cumulative[:-WINDOW_DAYS]
    found: Floats = cumulative - before
    return found


def _share(part: Floats, whole: Floats) -> Floats:
    found: Floats = np.divide(part, whole, out=np.full_like(part, UNKNOWN_SHARE), where=whole > 0)
    return found


def _day_of(event: Event) -> float:
    return (event.occurred_at - START).total_seconds() / DAY_S


def _morning(day: float) -> int:
    """The first midnight at which something that happened on `day` is known."""
    return ceil(day)


def _shape(story: Story) -> tuple[int, int]:
    return SIDES, story.facets.shape[-1]
