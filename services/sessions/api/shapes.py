"""What goes in and out over HTTP. Bodies are closed; answers hold no score, no private answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.sessions.domain.agreement import Agreement, Terms
from services.sessions.domain.commitment import Commitment
from services.sessions.domain.commitment import State as CommitmentState
from services.sessions.domain.pair import Pair, Side
from services.sessions.domain.session import Session
from services.sessions.domain.session import State as SessionState
from services.sessions.handlers.views import PairView
from services.sessions.queries.history import Entry
from shared.events.fact import Code
from shared.events.insights import Facet
from shared.events.sessions import CadenceDays, DurationMinutes, FeedbackItem
from shared.ids import PersonId


def _distinct(channels: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(channels)) != len(channels):
        raise ValueError("name each channel once")
    return channels


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("not a time anybody can meet at") from error


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Body(BaseModel):
    """A request's body: a field nobody knows is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TermsIn(Body):
    cadence_days: CadenceDays
    notice_hours: Annotated[int, Field(ge=0, le=14 * 24)]
    channels: Annotated[
        tuple[Code, ...], Field(min_length=1, max_length=10), AfterValidator(_distinct)
    ]

    def terms(self) -> Terms:
        return Terms(self.cadence_days, self.notice_hours, self.channels)


class SignIn(Body):
    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class SlotIn(Body):
    starts_at: Instant
    duration_minutes: DurationMinutes


class PromiseIn(Body):
    due_at: Instant
    title: Title | None = None


class KeptIn(Body):
    kept_at: Instant | None = None


class FeedbackIn(Body):
    item: FeedbackItem
    answer: Annotated[bool, Field(strict=True)]


class AgreementOut(BaseModel):
    version: int
    cadence_days: int
    notice_hours: int
    channels: Sequence[str]
    proposed_by: str
    proposed_at: datetime
    signed_at: datetime | None
    state: Literal["proposed", "signed"]


class SessionOut(BaseModel):
    session_id: UUID
    pair_id: UUID
    starts_at: datetime
    starts_at_local: datetime | None = None
    duration_minutes: int
    confirmed_by: Sequence[str]
    confirm_until: datetime
    state: SessionState


class CommitmentOut(BaseModel):
    commitment_id: UUID
    pair_id: UUID
    made_by: str
    made_at: datetime
    due_at: datetime
    open_until: datetime
    title: str | None
    state: CommitmentState
    warned_at: datetime | None
    told_at: datetime | None
    kept_at: datetime | None


class CommitmentsOut(BaseModel):
    yours: Sequence[CommitmentOut]
    theirs: Sequence[CommitmentOut]


class AdviceOut(BaseModel):
    facet: Facet
    title: str
    words: str


class WaitingOut(BaseModel):
    """Something that waits for your word."""

    what: str
    id: UUID
    until: datetime | None


class PairBrief(BaseModel):
    pair_id: UUID
    you_are: Side
    partner_id: str
    partner_name: str | None
    state: Literal["active", "ended"]
    started_at: datetime
    ended_at: datetime | None


class PairsOut(BaseModel):
    pairs: Sequence[PairBrief]


class PairOut(PairBrief):
    agreement: AgreementOut | None
    proposed_agreement: AgreementOut | None
    next_session: SessionOut | None
    sessions_to_confirm: Sequence[SessionOut]
    commitments: CommitmentsOut
    next_step: AdviceOut | None
    waiting_for_you: Sequence[WaitingOut]


class HistoryEntry(BaseModel):
    event_id: UUID
    occurred_at: datetime
    type: str
    title: str | None
    details: dict[str, object]


class HistoryOut(BaseModel):
    entries: Sequence[HistoryEntry]
    next_cursor: str | None


class SweeperOut(BaseModel):
    swept_until: datetime | None


def agreement_out(agreement: Agreement) -> AgreementOut:
    return AgreementOut(
        version=agreement.version,
        cadence_days=agreement.terms.cadence_days,
        notice_hours=agreement.terms.notice_hours,
        channels=agreement.terms.channels,
        proposed_by=agreement.proposed_by,
        proposed_at=agreement.proposed_at,
        signed_at=agreement.signed_at,
        state="proposed" if agreement.signed_at is None else "signed",
    )


def session_out(session: Session, timezone: str | None = None) -> SessionOut:
    """The session, its start also in the reader's zone when that is known."""
    starts_at = session.slot.starts_at
    return SessionOut(
        session_id=session.session_id,
        pair_id=session.pair_id,
        starts_at=starts_at,
        starts_at_local=starts_at.astimezone(ZoneInfo(timezone)) if timezone else None,
        duration_minutes=session.slot.duration_minutes,
        confirmed_by=session.confirmed_by,
        confirm_until=session.sweep_at,
        state=session.state,
    )


def commitment_out(commitment: Commitment) -> CommitmentOut:
    return CommitmentOut(
        commitment_id=commitment.commitment_id,
        pair_id=commitment.pair_id,
        made_by=commitment.made_by,
        made_at=commitment.made_at,
        due_at=commitment.due_at,
        open_until=commitment.sweep_at,
        title=commitment.promise.title,
        state=commitment.state,
        warned_at=commitment.warned_at,
        told_at=commitment.told_at,
        kept_at=commitment.kept_at,
    )


def pair_brief(pair: Pair, reader: PersonId) -> PairBrief:
    return PairBrief(
        pair_id=pair.pair_id,
        you_are=pair.side_of(reader),
        partner_id=pair.other(reader),
        partner_name=pair.member(pair.other(reader)).name,
        state="active" if pair.ended_at is None else "ended",
        started_at=pair.started_at,
        ended_at=pair.ended_at,
    )


def pair_out(view: PairView, reader: PersonId) -> PairOut:
    open_ = view.open_commitments
    next_, advice = view.next_session, view.next_step
    return PairOut(
        **dict(pair_brief(view.pair, reader)),
        agreement=agreement_out(view.agreement) if view.agreement else None,
        proposed_agreement=agreement_out(view.proposed) if view.proposed else None,
        next_session=session_out(next_, view.timezone) if next_ else None,
        sessions_to_confirm=[session_out(each, view.timezone) for each in view.to_confirm],
        commitments=CommitmentsOut(
            yours=[commitment_out(each) for each in open_ if each.made_by == reader],
            theirs=[commitment_out(each) for each in open_ if each.made_by != reader],
        ),
        next_step=AdviceOut(**asdict(advice)) if advice else None,
        waiting_for_you=[WaitingOut(**asdict(each)) for each in view.waiting],
    )


def history_entry(entry: Entry) -> HistoryEntry:
    """The entry, without what every entry of a pair has in common."""
    common = {"pair_id", "mentor_id", "mentee_id"}
    return HistoryEntry(
        event_id=entry.event_id,
        occurred_at=entry.occurred_at,
        type=entry.type,
        title=entry.title,
        details={name: value for name, value in entry.fact.items() if name not in common},
    )
