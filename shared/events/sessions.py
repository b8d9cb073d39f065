"""Facts that sessions publishes: what a pair agreed and did, and the private answers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.events.fact import Code, Instant, PairFact, Person
from shared.events.topics import FEEDBACK, SESSIONS, Topic
from shared.ids import CommitmentId, SessionId

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


class FeedbackGiven(PairFact):
    """A private yes or no about the other side, after a session. For insights alone."""

    type: ClassVar[str] = "feedback.given"
    topic: ClassVar[Topic] = FEEDBACK

    session_id: SessionId
    by: Person
    about: Person
    item: FeedbackItem
    answer: bool
