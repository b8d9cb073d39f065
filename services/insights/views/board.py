"""The board of a programme, for its managers: pairs by need, counts of them, and how it was before.

Everything in it a manager could read pair by pair; it is only gathered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from services.insights.domain.bands import Band
from services.insights.domain.board import BY_NEED, needier, sessions_of
from services.insights.domain.evidence import Evidence, from_us
from services.insights.queries import board, programmes, streams
from services.insights.queries.board import BandCount, Day, Entry, Line, Recovery
from services.insights.queries.pairs import PairRow
from services.insights.streams.event_id import EventId
from services.insights.views.managed import ForManager
from shared.errors import NotFound, Rejected
from shared.events import insights as wire
from shared.ids import PairId, PersonId, ProgrammeId, TenantId
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import reading_for

MOST_DAYS = 366
MOST_RECOVERIES = 50
RECENT_DAYS = 60


class BadCursor(Rejected):
    """`after` is not the `next` of a page before."""

    slug = "bad-cursor"


class BoardPair(BaseModel):
    """A running pair. `band` is that of the direction that needs more help, `about` says which;
    `reason` and `next_step` are about it. `alerted_on` is since when an alert is open.
    """

    pair_id: UUID
    mentor_id: str
    mentee_id: str
    started_at: AwareDatetime | None
    about_mentor: wire.Band
    about_mentee: wire.Band
    band: wire.Band
    about: wire.Side
    reason: str | None
    next_step: str | None
    sessions: int
    first_held_at: AwareDatetime | None
    last_held_at: AwareDatetime | None
    alerted_on: date | None


class BoardPage(BaseModel):
    """Running pairs, those that need help most first; `next` is the `after` of the next page."""

    items: list[BoardPair]
    next: str | None


class FunnelView(BaseModel):
    """How many mentees were matched, had a first session, and are in a pair that is steady."""

    matched: int
    met: int
    steady: int


class DayView(BaseModel):
    """How many pairs stood in which band as a day (UTC) began."""

    day: date
    bands: dict[wire.Band, int]


class RecoveryView(BaseModel):
    """An alert that came to a good end."""

    pair_id: UUID
    mentor_id: str
    mentee_id: str
    about: wire.Side
    alerted_on: date
    recovered_on: date
    band: wire.Band


class Overview(BaseModel):
    """A programme at a glance, as its managers may see it.

    `stream` is the id of the newest event of `GET /v1/stream` that is counted in here: who goes on
    from there misses nothing. `load` is how many mentors have so many mentees. `days` is oldest
    first, and lacks days on which nobody looked.
    """

    programme_id: str
    stream: str
    running: int
    ended: int
    bands: dict[wire.Band, int]
    alerts: int
    funnel: FunnelView
    load: dict[int, int]
    days: list[DayView]
    recovered: list[RecoveryView]


class Which(NamedTuple):
    """Which pairs are asked for."""

    band: Band | None = None
    person: PersonId | None = None
    after: str | None = None


def entry(pair: PairRow, view: ForManager, known: Iterable[Evidence]) -> Entry:
    """The pair's line, from what its managers are told of it."""
    about = needier(view.about_mentor.band, view.about_mentee.band)
    direction = view.about_mentor if about == "mentor" else view.about_mentee
    held, first_us, last_us = sessions_of(known)
    return Entry(
        pair=pair,
        about_mentor=view.about_mentor.band,
        about_mentee=view.about_mentee.band,
        band=direction.band,
        about=about,
        reason=direction.reasons[0].code if direction.reasons else None,
        next_step=direction.next_step,
        sessions=held,
        first_held_at=None if first_us is None else from_us(first_us),
        last_held_at=None if last_us is None else from_us(last_us),
    )


async def overview(
    pool: Pool, of: tuple[TenantId, ProgrammeId], now: datetime, days: int
) -> Overview:
    """The programme now, and its last so many days. Raises NotFound."""
    today = now.date()
    async with reading_for(pool, of[0]) as conn:
        await _known(conn, of)
        head = await streams.head(conn, ("manager", of[0]))
        counted = await board.counts(conn, of)
        funnel = await board.funnel(conn, of)
        before = await board.days(conn, of, today, days)
        recovered = await board.recoveries(conn, of, today, RECENT_DAYS, MOST_RECOVERIES)
        alerts = await board.open_alerts(conn, of)
        load = await board.load(conn, of)
    return Overview(
        programme_id=of[1],
        stream=str(EventId("manager", head.epoch, head.position)),
        running=sum(each.running for each in counted),
        ended=sum(each.ended for each in counted),
        bands=_bands(counted),
        alerts=alerts,
        funnel=FunnelView(**funnel._asdict()),
        load=load,
        days=_days(before),
        recovered=[_recovery(each) for each in recovered],
    )


async def pairs_page(
    pool: Pool, of: tuple[TenantId, ProgrammeId], which: Which, limit: int
) -> BoardPage:
    """Running pairs of a programme. Raises NotFound, BadCursor."""
    wanted = board.Wanted(which.band, which.person, _cursor(which.after))
    async with reading_for(pool, of[0]) as conn:
        await _known(conn, of)
        found = await board.page(conn, of, wanted, limit + 1)
    shown = found[:limit]
    last = shown[-1] if len(found) > limit else None
    return BoardPage(items=[_pair(each) for each in shown], next=_next(last))


async def _known(conn: Connection, of: tuple[TenantId, ProgrammeId]) -> None:
    if await programmes.find_programme(conn, *of) is None:
        raise NotFound("there is no such programme")


def _bands(counted: Sequence[BandCount]) -> dict[wire.Band, int]:
    running = {each.band: each.running for each in counted}
    return {band: running.get(band, 0) for band in BY_NEED}


def _days(rows: Sequence[Day]) -> list[DayView]:
    found: dict[date, dict[wire.Band, int]] = {}
    for row in rows:
        found.setdefault(row.day, dict.fromkeys(BY_NEED, 0))[row.band] = row.pairs
    return [DayView(day=day, bands=bands) for day, bands in found.items()]


def _pair(line: Line) -> BoardPair:
    told = line._asdict()
    del told["ended_at"]
    return BoardPair(**told)


def _recovery(row: Recovery) -> RecoveryView:
    return RecoveryView(**row._asdict())


def _next(last: Line | None) -> str | None:
    return None if last is None else f"{last.band}.{last.pair_id}"


def _cursor(after: str | None) -> tuple[int, PairId] | None:
    if after is None:
        return None
    band, _, pair_id = after.partition(".")
    try:
        # Postgres counts from one.
        return [str(each) for each in BY_NEED].index(band) + 1, PairId(UUID(pair_id))
    except ValueError:
        raise BadCursor(field="after") from None
