"""Commands on sessions that come again: book them, call off what is ahead; and free times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from services.sessions.domain import series as rules_of
from services.sessions.domain import slots as slot_rules
from services.sessions.domain.moving import cancel
from services.sessions.domain.pair import Pair
from services.sessions.domain.rules import Rules
from services.sessions.domain.series import DEFAULT_EVERY_DAYS, Rhythm, Series
from services.sessions.domain.session import Booking, Plan, Session, Slot
from services.sessions.domain.session import schedule as schedule_session
from services.sessions.domain.terms import broken_term
from services.sessions.domain.thing import Decision
from services.sessions.handlers.booking import agreement_of, hold_times, notice_of
from services.sessions.handlers.commands import Work, change, create, find
from services.sessions.handlers.common import find_pair
from services.sessions.queries import agreements, series, sessions
from shared.asking import Ask
from shared.ids import PairId, SessionId, new_id
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rhythm as it was asked for: without a zone it is one's own, without days the agreed."""

    first: datetime
    zone: str | None
    duration_minutes: int
    count: int
    every_days: int | None
    channel: str | None


@dataclass(frozen=True, slots=True)
class SeriesView:
    """A series with its sessions, and the pair for the zones of the two."""

    series: Series
    sessions: Sequence[Session]
    pair: Pair


async def book(pool: Pool, ask: Ask, rules: Rules, pair_id: PairId, wanted: Wanted) -> Series:
    """Book what fits of a rhythm, all of it or none. What does not fit is left out, and named."""

    async def decide(work: Work) -> Decision[Series]:
        pair, agreement = work.pair, await agreement_of(work)
        pair.require_active()
        terms = agreement.terms if agreement else None
        rhythm = Rhythm(
            wanted.first,
            wanted.zone or pair.member(ask.person).zone,
            wanted.duration_minutes,
            wanted.count,
            wanted.every_days or (terms.cadence_days if terms else DEFAULT_EVERY_DAYS),
            wanted.channel,
        )
        asked = Series(ask.tenant, pair_id, new_id(), ask.person, ask.now, rhythm)

        def breaks(slot: Slot) -> str | None:
            found = broken_term(terms, pair, slot, wanted.channel)
            return found.term if found else None

        times = await hold_times(work)
        made, booked = rules_of.plan(asked, times.slots, times.ahead, breaks, ask.now)
        booking = Booking(wanted.channel, made.series_id)
        decided = [
            schedule_session(
                pair, SessionId(new_id()), ask.person, Plan(slot, booking), ask.now, rules
            )
            for slot in booked
        ]
        await sessions.save(work.conn, [session for session, _ in decided])
        return made, tuple(each for _, told in decided for each in told)

    return await create(pool, ask, pair_id, series, ("series", wanted), decide)


async def call_off(pool: Pool, ask: Ask, series_id: UUID) -> Series:
    """Call off what is still ahead of a series, each session as if by itself."""

    async def decide(work: Work, it: Series) -> Decision[Series]:
        notice = notice_of(await agreement_of(work))
        decided = [
            cancel(work.pair, session, ask.person, notice, ask.now)
            for session in await sessions.of_series(work.conn, ask.tenant, series_id)
            if session.state == "scheduled" and session.slot.starts_at > ask.now
        ]
        await sessions.save(
            work.conn, [replace(each, revision=each.revision + 1) for each, _ in decided]
        )
        off = rules_of.call_off(work.pair, it, ask.person, ask.now)
        return off, tuple(each for _, told in decided for each in told)

    return await change(pool, ask, series, series_id, ("call off",), decide)


async def view(pool: Pool, ask: Ask, series_id: UUID) -> SeriesView:
    """A series and what became of its sessions. Raises NotFound for a stranger."""
    async with reading_for(pool, ask.tenant) as conn:
        found = await find(conn, ask, series, series_id)
        pair = await find_pair(conn, ask, found.pair_id)
        return SeriesView(found, await sessions.of_series(conn, ask.tenant, series_id), pair)


async def free_slots(
    pool: Pool,
    ask: Ask,
    pair_id: PairId,
    duration_minutes: int,
    window: tuple[datetime | None, timedelta],
    limit: int,
) -> tuple[Pair, Sequence[Slot]]:
    """The first times at which both are free and open to meet. Nothing is kept for anybody.

    `window` is from when on, at the soonest now, and for how long. Raises Rejected for more than
    can be booked ahead.
    """
    async with reading_for(pool, ask.tenant) as conn:
        pair = await find_pair(conn, ask, pair_id)
        agreement = await agreements.in_force(conn, pair)
        taken = await sessions.taken(conn, pair, ask.now)
    terms = agreement.terms if agreement else None
    between = slot_rules.within(*window, ask.now)
    fits = partial(slot_rules.suits, pair, terms)
    slots = (each.slot for each in taken)
    return pair, slot_rules.free(slots, fits, duration_minutes, between, limit)
