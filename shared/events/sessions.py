"""Facts that sessions publishes: what a pair agreed and did, and the private answers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.events.fact import Code, Instant, PairFact, Person, Probability
from shared.events.topics import FEEDBACK, SESSIONS, Topic
from shared.ids import BoundaryId, CommitmentId, GoalId, RepairId, SessionId

CadenceDays = Annotated[int, Field(ge=1, le=366)]
DurationMinutes = Annotated[int, Field(ge=5, le=24 * 60)]
FeedbackItem = Literal["listened", "honest", "prepared", "at_ease"]


class AgreementSigned(PairFact):
    """Both sides signed the same version of their agreement."""

    type: ClassVar[str] = "agreement.signed"
    topic: ClassVar[Topic] = SESSIONS

    agreement_version: Annotated[int, Field(ge=1)]
    cadence_days: CadenceDays
    notice_hours: Annotated[int, Field(ge=0, le=14 * 24)]
    channels: tuple[Code, ...] = Field(max_length=10)


class AgreementReviewed(PairFact):
    """Both sides looked at their agreement again; `on_time` is by the review date in it."""

    type: ClassVar[str] = "agreement.reviewed"
    topic: ClassVar[Topic] = SESSIONS

    agreement_version: Annotated[int, Field(ge=1)]
    on_time: bool


class SessionScheduled(PairFact):
    """The pair set a time to meet."""

    type: ClassVar[str] = "session.scheduled"
    topic: ClassVar[Topic] = SESSIONS

    session_id: SessionId
    by: Person
    starts_at: Instant
    duration_minutes: DurationMinutes


class SessionHeld(PairFact):
    """A session took place, as `confirmed_by` one side or both say."""

    type: ClassVar[str] = "session.held"
    topic: ClassVar[Topic] = SESSIONS

    session_id: SessionId
    starts_at: Instant
    duration_minutes: DurationMinutes
    confirmed_by: tuple[Person, ...] = Field(min_length=1, max_length=2)


class SessionMissed(PairFact):
    """A session did not take place: `missed_by` were not there and had not called it off.

    `excused` says that something outside their control kept them away: leave, a public holiday, an
    outage on both sides.
    """

    type: ClassVar[str] = "session.missed"
    topic: ClassVar[Topic] = SESSIONS

    session_id: SessionId
    starts_at: Instant
    missed_by: tuple[Person, ...] = Field(min_length=1, max_length=2)
    excused: Literal["leave", "holiday", "outage"] | None = None


class SessionCancelled(PairFact):
    """One side called a session off; `with_notice` is as much notice as the pair had agreed."""

    type: ClassVar[str] = "session.cancelled"
    topic: ClassVar[Topic] = SESSIONS

    session_id: SessionId
    starts_at: Instant
    by: Person
    with_notice: bool


class CommitmentFact(PairFact):
    """About one promise: `by` made it, to the other side, for `due_at`."""

    topic: ClassVar[Topic] = SESSIONS

    commitment_id: CommitmentId
    by: Person
    due_at: Instant


class CommitmentMade(CommitmentFact):
    """One side promised something to the other."""

    type: ClassVar[str] = "commitment.made"


class CommitmentKept(CommitmentFact):
    """The other side says that the promise was kept, on time."""

    type: ClassVar[str] = "commitment.kept"

    kept_at: Instant


class CommitmentWarned(CommitmentFact):
    """Before it was due, `by` said that the promise will not be kept in time."""

    type: ClassVar[str] = "commitment.warned"

    warned_at: Instant


class CommitmentMissedWarned(CommitmentFact):
    """The promise was not kept, and the other side had been warned before it was due."""

    type: ClassVar[str] = "commitment.missed_warned"

    warned_at: Instant


class CommitmentMissedTold(CommitmentFact):
    """The promise was not kept, and the other side was told after it was due."""

    type: ClassVar[str] = "commitment.missed_told"

    told_at: Instant


class CommitmentMissed(CommitmentFact):
    """The promise was not kept, and nobody said a word within the grace after it was due."""

    type: ClassVar[str] = "commitment.missed"


class CommitmentRenegotiated(CommitmentFact):
    """Both sides agreed on another time before it was due; `due_at` is the new one."""

    type: ClassVar[str] = "commitment.renegotiated"

    previous_due_at: Instant
    with_notice: bool


class CommitmentShownFalse(CommitmentFact):
    """The promise was claimed done, and was not: as `confirmed_by` says."""

    type: ClassVar[str] = "commitment.shown_false"

    confirmed_by: Literal["both", "manager"]


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


class FeedbackGiven(PairFact):
    """A private yes or no about the other side, after a session. For insights alone.

    `shared` is the giver's own wish that the other side may see it.
    """

    type: ClassVar[str] = "feedback.given"
    version: ClassVar[int] = 2
    topic: ClassVar[Topic] = FEEDBACK

    session_id: SessionId
    by: Person
    about: Person
    item: FeedbackItem
    answer: bool
    shared: bool = False
