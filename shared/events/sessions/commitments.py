"""Facts about what one side promised the other."""

from __future__ import annotations

from typing import ClassVar, Literal

from shared.events.fact import Instant, PairFact, Person
from shared.events.topics import SESSIONS, Topic
from shared.ids import CommitmentId

Size = Literal["small", "medium", "large"]


class CommitmentFact(PairFact):
    """About one promise: `by` made it, to the other side, for `due_at`."""

    topic: ClassVar[Topic] = SESSIONS

    commitment_id: CommitmentId
    by: Person
    due_at: Instant


class CommitmentMade(CommitmentFact):
    """One side promised something to the other, who may still say no to it."""

    type: ClassVar[str] = "commitment.made"
    version: ClassVar[int] = 2

    size: Size | None = None


class CommitmentAccepted(CommitmentFact):
    """The other side wants it, and will miss it when it does not come."""

    type: ClassVar[str] = "commitment.accepted"


class CommitmentDeclined(CommitmentFact):
    """The other side does not need it. No reason is asked for and none is kept."""

    type: ClassVar[str] = "commitment.declined"


class CommitmentReleased(CommitmentFact):
    """The other side let go of it before it was due: it need not come any more."""

    type: ClassVar[str] = "commitment.released"


class CommitmentMoved(CommitmentFact):
    """It is due later than was said, because somebody is away; `due_at` is the new time."""

    type: ClassVar[str] = "commitment.moved"

    previous_due_at: Instant
    reason: Literal["leave", "holiday", "outage"]


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


class CommitmentAcknowledged(CommitmentFact):
    """The other side has heard that it was missed, and said so."""

    type: ClassVar[str] = "commitment.acknowledged"


class CommitmentRenegotiated(CommitmentFact):
    """Both sides agreed on another time before it was due; `due_at` is the new one."""

    type: ClassVar[str] = "commitment.renegotiated"

    previous_due_at: Instant
    with_notice: bool


class CommitmentShownFalse(CommitmentFact):
    """The promise was claimed done, and was not: as `confirmed_by` says."""

    type: ClassVar[str] = "commitment.shown_false"

    confirmed_by: Literal["both", "manager"]
