"""What goes in and out over HTTP about commitments. Bodies are closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from services.sessions.domain.claims import Outcome
from services.sessions.domain.commitment import Commitment, State, standing
from services.sessions.domain.commitment_actions import Action, Who, allowed
from services.sessions.domain.promises import Wish
from shared.asking import Ask
from shared.events.sessions import Size
from shared.shapes import Body, Instant, Line

MAX_DAYS = 366


class PromiseIn(Body):
    """Due at an instant, or at the end of one's day after so many days that are no holiday."""

    due_at: Instant | None = None
    due_in_days: Annotated[int, Field(ge=1, le=MAX_DAYS)] | None = None
    title: Line | None = None
    size: Size | None = None

    @model_validator(mode="after")
    def _due_once(self) -> Self:
        if (self.due_at is None) == (self.due_in_days is None):
            raise ValueError("say when it is due: either due_at or due_in_days")
        return self

    def wish(self) -> Wish:
        when = self.due_at if self.due_at is not None else self.due_in_days
        assert when is not None
        return Wish(when, self.title, self.size)


class KeptIn(Body):
    kept_at: Instant | None = None


class DoneIn(Body):
    done_at: Instant | None = None


class MoreTimeIn(Body):
    due_at: Instant


class OutcomeIn(Body):
    outcome: Outcome


class CommitmentOut(BaseModel):
    """`due_at` is when it is due by what is known of leaves and holidays, `promised_for` what was
    said, where that differs. `allowed` are the last parts of the paths that you may post to now.
    """

    commitment_id: UUID
    pair_id: UUID
    made_by: str
    made_at: datetime
    due_at: datetime
    promised_for: datetime | None
    open_until: datetime
    title: str | None
    size: Size | None
    state: State
    accepted_at: datetime | None
    warned_at: datetime | None
    asked_for: datetime | None
    told_at: datetime | None
    done_at: datetime | None
    kept_at: datetime | None
    acknowledged_at: datetime | None
    waits_for: str | None
    allowed: Sequence[Action]


class CommitmentPage(BaseModel):
    commitments: Sequence[CommitmentOut]
    next_cursor: str | None


def commitment_out(stored: Commitment, ask: Ask) -> CommitmentOut:
    """The commitment as it is now, and what the one who asks may do. The title is the pair's."""
    who: Who = "maker" if ask.person == stored.made_by else "receiver"
    if ask.judging:
        who = "judge"
    it = standing(stored, ask.now)
    return CommitmentOut(
        commitment_id=it.commitment_id,
        pair_id=it.pair_id,
        made_by=it.made_by,
        made_at=it.made_at,
        due_at=it.due_at,
        promised_for=it.promised_for,
        open_until=it.sweep_at,
        title=it.promise.title if who != "judge" else None,
        size=it.promise.size,
        state=it.state,
        accepted_at=it.accepted_at,
        warned_at=it.warned_at,
        asked_for=it.asked.due_at if it.asked else None,
        told_at=it.told_at,
        done_at=it.claim.done_at if it.claim else None,
        kept_at=it.kept_at,
        acknowledged_at=it.acknowledged_at,
        waits_for=it.waits_for,
        allowed=allowed(it, who, ask.now),
    )
