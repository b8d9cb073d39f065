"""How far a goal of the pair is, as either side says, and what of that is published. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.sessions.domain.goal import Goal, require, standing
from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.domain.thing import Decision
from shared.errors import Conflict
from shared.events.sessions import GoalProgressed
from shared.ids import PersonId

# How often one goal can be spoken about: no pair comes near it.
MAX_STEPS = 500


class TooManySteps(Conflict):
    """The goal has been spoken about as often as it can be."""

    slug = "too-many-steps"


@dataclass(frozen=True, slots=True)
class Step:
    """How far the goal is, 0 to 1, as `by` says. `note` is the pair's own."""

    by: PersonId
    progress: float
    note: str | None = None


def progress(
    pair: Pair, goal: Goal, step: Step, now: datetime, steps_already: int
) -> Decision[Goal]:
    """Say how far it is. At 1 it is reached; for 14 days that can be put right.

    To say what is so already, without a note, changes nothing; with one, it publishes nothing.
    Raises GoalNotNow, TooManySteps or PairEnded.
    """
    it = standing(goal, now)
    if step.progress == it.progress and step.note is None and it.state in ("open", "reached"):
        pair.side_of(step.by)
        return it, ()
    require(pair, it, step.by, "progress", now)
    pair.require_active()
    if steps_already >= MAX_STEPS:
        raise TooManySteps
    before = it
    if step.progress < 1:
        it = replace(it, state="open", reached_at=None)
    elif it.state == "open":
        it = replace(it, state="reached", reached_at=now)
    it = replace(it, progress=step.progress, moved_at=now)
    if it.progress == before.progress:
        return it, ()
    fact = GoalProgressed(**pair.sides, goal_id=it.goal_id, progress=it.progress)
    return it, (Happened(pair.tenant, fact, now),)
