"""A goal of the pair: one side proposes it, the other agrees, and both say how far it is. Pure.

    proposed --agree (the other side)-------> open
      |--decline (the other side)-----------> declined
      |--withdraw (who proposed)------------> withdrawn
      |--edit (the other side): proposed by them from then on, and the first has the word
      `--no answer in 60 days---------------> lapsed

    open --progress (either side): 1--------> reached
      |--drop (either side)-----------------> dropped
      `--the pair ends----------------------> released

    reached --progress below 1 (either side, within 14 days)--> open again

What a goal says is the pair's own, and in no fact. Nobody is held to a goal that was declined,
withdrawn, dropped, or never answered: nothing is published of that. Only times decide, never
whether the sweeper has been. How far it is: see goal_progress.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal, TypedDict
from uuid import UUID

from services.sessions.domain.agreement import today
from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.domain.presence import NEVER
from services.sessions.domain.rules import MAX_AHEAD
from services.sessions.domain.thing import Decision, Reply
from shared.errors import Conflict, Forbidden, Rejected
from shared.events.sessions import GoalSet
from shared.ids import GoalId, PairId, PersonId, TenantId

State = Literal[
    "proposed", "open", "reached", "declined", "withdrawn", "lapsed", "dropped", "released"
]
Action = Literal["agree", "decline", "withdraw", "edit", "progress", "drop"]

MAX_OPEN_GOALS = 20
ANSWER_WITHIN = timedelta(days=60)
CORRECT_WITHIN = timedelta(days=14)


class GoalReworded(Conflict):
    """It is in other words now: read them, and name the revision you read as If-Match."""

    slug = "goal-reworded"


class GoalNotNow(Conflict):
    """This cannot be done with the goal as it is."""

    slug = "goal-not-now"


class TooManyGoals(Conflict):
    """The pair has as many goals as it can have open."""

    slug = "too-many-goals"


@dataclass(frozen=True, slots=True)
class Wording:
    """What is wanted, how the two will know, and by when. `words` is None once erased."""

    words: str | None
    measure: str | None = None
    due_on: date | None = None


class Changes(TypedDict, total=False):
    """What an edit says anew; what is not there stays."""

    words: str
    measure: str | None
    due_on: date | None


@dataclass(frozen=True, slots=True)
class Goal:
    """`proposed_by` asks; `answered_by` has the word until `answer_until`, None once it is said.

    `words_by` and `measure_by` wrote what stands there now. `moved_at` is when it was agreed on, or
    last spoken about.
    """

    tenant: TenantId
    pair_id: PairId
    goal_id: GoalId
    proposed_by: PersonId
    proposed_at: datetime
    wording: Wording
    words_by: PersonId
    measure_by: PersonId | None
    answered_by: PersonId
    answer_until: datetime | None
    state: State = "proposed"
    agreed_at: datetime | None = None
    progress: float = 0.0
    moved_at: datetime | None = None
    reached_at: datetime | None = None
    revision: int = 1

    @property
    def id(self) -> UUID:
        return self.goal_id

    @property
    def sweep_at(self) -> datetime:
        """When time decides; NEVER once it was answered."""
        return self.answer_until or NEVER

    @property
    def reply(self) -> Reply | None:
        """The other side has the word until they agree or decline."""
        if self.answer_until is None:
            return None
        return Reply(self.answered_by, "pair", self.answer_until)


def require_room(open_already: int) -> None:
    """Raise TooManyGoals when the pair has as many proposed and open as it can have."""
    if open_already >= MAX_OPEN_GOALS:
        raise TooManyGoals


def propose(
    pair: Pair, goal_id: GoalId, by: PersonId, wording: Wording, now: datetime
) -> Decision[Goal]:
    """Put a goal before the other side. Raises PairEnded, or Rejected for a day that cannot be."""
    other = pair.other(by)
    pair.require_active()
    _require_day(pair, by, wording.due_on, now)
    goal = Goal(
        pair.tenant,
        pair.pair_id,
        goal_id,
        by,
        now,
        wording,
        words_by=by,
        measure_by=by if wording.measure is not None else None,
        answered_by=other,
        answer_until=now + ANSWER_WITHIN,
    )
    return goal, ()


def agree(pair: Pair, goal: Goal, by: PersonId, now: datetime, read: int) -> Decision[Goal]:
    """The other side wants it too: from now on it is the pair's. Again, it changes nothing.

    `read` is the revision they read. Raises Forbidden, GoalNotNow, GoalReworded or PairEnded.
    """
    it = standing(goal, now)
    if _said(pair, it, by, "open"):
        return it, ()
    require(pair, it, by, "agree", now)
    if it.revision != read:
        raise GoalReworded
    pair.require_active()
    measurable = it.wording.measure is not None
    fact = GoalSet(**pair.sides, goal_id=it.goal_id, measurable=measurable)
    it = replace(it, state="open", answer_until=None, agreed_at=now, moved_at=now)
    return it, (Happened(pair.tenant, fact, now),)


def decline(pair: Pair, goal: Goal, by: PersonId, now: datetime) -> Decision[Goal]:
    """The other side says no; no reason is asked for. Raises Forbidden or GoalNotNow."""
    it = standing(goal, now)
    if _said(pair, it, by, "declined"):
        return it, ()
    require(pair, it, by, "decline", now)
    return replace(it, state="declined", answer_until=None), ()


def withdraw(pair: Pair, goal: Goal, by: PersonId, now: datetime) -> Decision[Goal]:
    """Who proposed takes it back. Raises Forbidden or GoalNotNow."""
    it = standing(goal, now)
    if by == it.proposed_by and it.state == "withdrawn":
        return it, ()
    require(pair, it, by, "withdraw", now)
    return replace(it, state="withdrawn", answer_until=None), ()


def edit(pair: Pair, goal: Goal, by: PersonId, now: datetime, changes: Changes) -> Decision[Goal]:
    """Say it in other words. Whoever rewords what waits for their own word proposes it anew.

    Nothing is published. Raises GoalNotNow, PairEnded, or Rejected for a day that cannot be.
    """
    it = standing(goal, now)
    require(pair, it, by, "edit", now)
    pair.require_active()
    old, new = it.wording, replace(it.wording, **changes)
    if new == old:
        return it, ()
    if new.due_on != old.due_on:
        _require_day(pair, by, new.due_on, now)
    it = replace(it, wording=new)
    if new.words != old.words:
        it = replace(it, words_by=by)
    if new.measure != old.measure:
        it = replace(it, measure_by=by if new.measure is not None else None)
    if it.state == "proposed" and by != it.proposed_by:
        until = now + ANSWER_WITHIN
        it = replace(it, proposed_by=by, answered_by=it.proposed_by, answer_until=until)
    return it, ()


def drop(pair: Pair, goal: Goal, by: PersonId, now: datetime) -> Decision[Goal]:
    """Let go of it, as either side. Nothing is published. Raises GoalNotNow."""
    it = standing(goal, now)
    pair.side_of(by)
    if it.state == "dropped":
        return it, ()
    require(pair, it, by, "drop", now)
    return replace(it, state="dropped"), ()


def standing(goal: Goal, now: datetime) -> Goal:
    """The goal as it is at `now`, whether or not the sweeper has been."""
    if now < goal.sweep_at:
        return goal
    return replace(goal, state="lapsed", answer_until=None)


def close(pair: Pair, goal: Goal) -> Decision[Goal]:  # noqa: ARG001
    """What is so at `sweep_at` of a goal that nobody answered: it lapses, and that is no fact."""
    return standing(goal, goal.sweep_at), ()


def ended(pair: Pair, goal: Goal) -> Decision[Goal]:
    """What the end of the pair makes of it: nobody is asked, and nothing is worked at any more."""
    if pair.ended_at is None or goal.state not in ("proposed", "open"):
        return goal, ()
    it = standing(goal, pair.ended_at)
    return it if it.state == "lapsed" else replace(it, state="released", answer_until=None), ()


def allowed(goal: Goal, by: PersonId, now: datetime) -> tuple[Action, ...]:
    """What `by`, one of the two, may do with the goal at `now`."""
    it = standing(goal, now)
    if it.state == "proposed":
        return ("withdraw", "edit") if by == it.proposed_by else ("agree", "decline", "edit")
    if it.state == "open":
        return "edit", "progress", "drop"
    if it.reached_at is not None and it.state == "reached":
        return ("progress",) if now < it.reached_at + CORRECT_WITHIN else ()
    return ()


def _said(pair: Pair, it: Goal, by: PersonId, state: State) -> bool:
    """Whether the one who had the word has said so already."""
    return pair.other(by) == it.proposed_by and it.state == state


def require(pair: Pair, it: Goal, by: PersonId, action: Action, now: datetime) -> None:
    """Raise unless `by` may do so with the goal as it is: NotFound, Forbidden or GoalNotNow."""
    pair.side_of(by)
    if action == "withdraw" and by != it.proposed_by:
        raise Forbidden("only who proposed it can take it back")
    if action in ("agree", "decline") and by == it.proposed_by:
        raise Forbidden("only the other side can agree or decline")
    can = allowed(it, by, now)
    if action not in can:
        instead = f"what you can do now: {', '.join(can)}" if can else "there is nothing to do now"
        raise GoalNotNow(f"the goal is {it.state}; {instead}", allowed=can)


def _require_day(pair: Pair, by: PersonId, due_on: date | None, now: datetime) -> None:
    if due_on is None:
        return
    first = today(pair, by, now)
    if not first <= due_on <= first + MAX_AHEAD:
        raise Rejected("due_on lies between today and a year ahead", field="due_on")
