"""What goes in and out over HTTP about proposals, series and free slots. Bodies are closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Annotated
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, Field, NaiveDatetime, WithJsonSchema

from services.sessions.api.session_shapes import (
    SessionOut,
    TimeIn,
    TimeOut,
    session_out,
    time_out,
)
from services.sessions.domain import proposal as proposals
from services.sessions.domain.pair import Pair
from services.sessions.domain.proposal import MAX_SLOTS, Offer, Proposal
from services.sessions.domain.series import MAX_OCCURRENCES, Series
from services.sessions.domain.session import Session
from services.sessions.handlers.series import Wanted
from shared.asking import Ask
from shared.events.fact import Code
from shared.events.sessions import CadenceDays, DurationMinutes
from shared.shapes import Body


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known(zone: str) -> str:
    if zone not in _zones():
        raise ValueError("not a zone of the IANA database, such as Europe/Berlin")
    return zone


Zone = Annotated[str, Field(max_length=64), AfterValidator(_known)]

# What a clock on the wall shows. OpenAPI's date-time is never without a zone.
WallClock = Annotated[
    NaiveDatetime,
    WithJsonSchema(
        {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?$"}
    ),
]


class OfferIn(Body):
    slots: Annotated[tuple[TimeIn, ...], Field(min_length=1, max_length=MAX_SLOTS)]
    channel: Code | None = None

    def offer(self) -> Offer:
        return Offer(tuple(each.slot() for each in self.slots), self.channel)


class PickIn(Body):
    """The number of the time, from 1, in the order they were named."""

    slot: Annotated[int, Field(ge=1, le=MAX_SLOTS)]


class SeriesIn(Body):
    """`starts_at_local` is what the clocks show in `zone`, which is your own if left out."""

    starts_at_local: WallClock
    zone: Zone | None = None
    duration_minutes: DurationMinutes
    channel: Code | None = None
    count: Annotated[int, Field(ge=1, le=MAX_OCCURRENCES)]
    every_days: CadenceDays | None = None

    def wanted(self) -> Wanted:
        return Wanted(
            self.starts_at_local,
            self.zone,
            self.duration_minutes,
            self.count,
            self.every_days,
            self.channel,
        )


class ProposalOut(BaseModel):
    proposal_id: UUID
    pair_id: UUID
    proposed_by: str
    proposed_at: datetime
    slots: Sequence[TimeOut]
    channel: str | None
    open_until: datetime
    state: proposals.State
    picked: int | None
    session_id: UUID | None
    allowed: Sequence[proposals.Action]


class ProposalsOut(BaseModel):
    proposals: Sequence[ProposalOut]


class LeftOutOut(BaseModel):
    """A time that was not booked: overlap, too_far, too_many, or the term it would break."""

    starts_at: datetime
    reason: str


class SeriesOut(BaseModel):
    series_id: UUID
    pair_id: UUID
    made_by: str
    made_at: datetime
    starts_at_local: WallClock
    zone: str
    duration_minutes: int
    channel: str | None
    count: int
    every_days: int
    called_off_at: datetime | None
    left_out: Sequence[LeftOutOut]
    sessions: Sequence[SessionOut]


class SlotsOut(BaseModel):
    slots: Sequence[TimeOut]


def proposal_out(stored: Proposal, ask: Ask, pair: Pair | None = None) -> ProposalOut:
    """The proposal as it is now, and what the one who asks may do."""
    it = proposals.by_now(stored, ask.now)
    return ProposalOut(
        proposal_id=it.proposal_id,
        pair_id=it.pair_id,
        proposed_by=it.proposed_by,
        proposed_at=it.proposed_at,
        slots=[time_out(each, ask.person, pair) for each in it.offer.slots],
        channel=it.offer.channel,
        open_until=it.sweep_at,
        state=it.state,
        picked=it.picked,
        session_id=it.session_id,
        allowed=proposals.possible(it, ask.person, ask.now),
    )


def series_out(series: Series, sessions: Sequence[Session], ask: Ask, pair: Pair) -> SeriesOut:
    """The series with what became of its sessions."""
    rhythm = series.rhythm
    return SeriesOut(
        series_id=series.series_id,
        pair_id=series.pair_id,
        made_by=series.made_by,
        made_at=series.made_at,
        starts_at_local=rhythm.first,
        zone=rhythm.zone,
        duration_minutes=rhythm.duration_minutes,
        channel=rhythm.channel,
        count=rhythm.count,
        every_days=rhythm.every_days,
        called_off_at=series.called_off_at,
        left_out=[
            LeftOutOut(starts_at=each.starts_at, reason=each.reason) for each in series.left_out
        ],
        sessions=[session_out(each, ask, pair) for each in sessions],
    )
