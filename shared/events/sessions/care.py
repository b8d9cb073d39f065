"""Facts about boundaries, repairs, goals, and words that are waited for."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.events.fact import Code, Instant, PairFact, Person, Probability
from shared.events.topics import SESSIONS, Topic
from shared.ids import BoundaryId, GoalId, RepairId


class BoundaryFact(PairFact):
    """About one agreed boundary that `about` did not keep; `term` names it."""

    topic: ClassVar[Topic] = SESSIONS

    boundary_id: BoundaryId
    about: Person
    term: Annotated[Code, Field(description="e.g. hours, channel, topic")]


class BoundaryReminded(BoundaryFact):
    """The other side politely asked to keep to what was agreed."""

    type: ClassVar[str] = "boundary.reminded"


class BoundaryBreached(BoundaryFact):
    """It happened in spite of a reminder, as `confirmed_by` says."""

    type: ClassVar[str] = "boundary.breached"

    confirmed_by: Literal["both", "manager"]


class RepairFact(PairFact):
    """About putting right a miss of `by`; `repairs` is the commitment or session missed."""

    topic: ClassVar[Topic] = SESSIONS

    repair_id: RepairId
    by: Person
    repairs: UUID


class RepairPromised(RepairFact):
    """Who missed something acknowledged it, and promised to put it right."""

    type: ClassVar[str] = "repair.promised"

    due_at: Instant


class RepairBroken(RepairFact):
    """The promise to put it right was not kept either."""

    type: ClassVar[str] = "repair.broken"


class RepairDelivered(RepairFact):
    """It was put right, and the other side acknowledged it. `missed_due_at` is when the missed
    commitment or session was due: a repair more than 14 days later comes too late to count.
    """

    type: ClassVar[str] = "repair.delivered"

    missed_due_at: Instant
    delivered_at: Instant


class GoalFact(PairFact):
    """About one goal of the pair. What it says stays with the pair."""

    topic: ClassVar[Topic] = SESSIONS

    goal_id: GoalId


class GoalSet(GoalFact):
    """The pair agreed on a goal; `measurable` is whether they said how they will know."""

    type: ClassVar[str] = "goal.set"

    measurable: bool


class GoalProgressed(GoalFact):
    """The pair noted how far the goal is: 1 is reached."""

    type: ClassVar[str] = "goal.progressed"

    progress: Probability


class ReplyFact(PairFact):
    """About something that waits for a word of `of`. What it is, is between the two.

    What one side says about the other is not published before it is settled; this says no more than
    that somebody waits.
    """

    topic: ClassVar[Topic] = SESSIONS

    reply_id: UUID
    of: Person


class ReplyRequested(ReplyFact):
    """One side waits for the other's word."""

    type: ClassVar[str] = "reply.requested"

    about: Literal["session", "commitment", "repair", "pair"]
    until: Instant | None = None


class ReplySettled(ReplyFact):
    """Nobody waits for it any longer: it was said, taken back, or came too late."""

    type: ClassVar[str] = "reply.settled"
