"""How a pair, its history and the sweeper's mark go out over HTTP. No score, no private answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from services.sessions.api.agreement_shapes import AgreementOut, agreement_out
from services.sessions.api.commitment_shapes import CommitmentOut, commitment_out
from services.sessions.api.session_shapes import SessionOut, session_out
from services.sessions.domain.pair import Pair, Side
from services.sessions.handlers.views import PairView
from services.sessions.queries.history import Entry
from shared.asking import Ask
from shared.events.insights import Facet
from shared.ids import PersonId


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


class CommitmentsOut(BaseModel):
    yours: Sequence[CommitmentOut]
    theirs: Sequence[CommitmentOut]


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


def pair_out(view: PairView, ask: Ask) -> PairOut:
    reader = ask.person
    open_ = view.open_commitments
    next_, advice = view.next_session, view.next_step
    return PairOut(
        **dict(pair_brief(view.pair, reader)),
        agreement=agreement_out(view.agreement) if view.agreement else None,
        proposed_agreement=agreement_out(view.proposed) if view.proposed else None,
        next_session=session_out(next_, ask, view.pair) if next_ else None,
        sessions_to_confirm=[session_out(each, ask, view.pair) for each in view.to_confirm],
        commitments=CommitmentsOut(
            yours=[commitment_out(each, ask) for each in open_ if each.made_by == reader],
            theirs=[commitment_out(each, ask) for each in open_ if each.made_by != reader],
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
