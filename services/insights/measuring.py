"""Programmes measured, epoch by epoch: cohorts formed and closed, cells released and published.

One at a time per database, one programme and epoch per transaction. An epoch that was missed is
caught up in order. What was released stands: it is never worked out again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from services.insights import models
from services.insights.domain import cohorts, measures
from services.insights.domain.cohorts import Member
from services.insights.domain.epochs import epoch_of, name_of, newest_complete, start_of
from services.insights.domain.evidence import to_us
from services.insights.domain.measures import Span, Sums
from services.insights.domain.model import Model
from services.insights.queries import evidence, locks, programmes
from services.insights.queries.programmes import WHOLE, Due, MemberRow, NewCohort
from shared.clock import Clock
from shared.events.envelope import Event, encode_value, new_event
from shared.events.insights import ProgrammeMeasured
from shared.ids import derived_id
from shared.logging import logger
from shared.postgres import outbox
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for_all

SERVICE = "insights"
WORK = "measuring"
# Pairs folded at once: bounds memory, and how long the event loop is kept from all else.
PAGE_PAIRS = 10
# A programme older than this when it is first measured begins here.
MOST_EPOCHS_BACK = 24

log = logger("measuring")

# Whether everything is counted that was told by the time an epoch had settled.
CaughtUp = Callable[[int], Awaitable[bool]]


class Cohort(NamedTuple):
    """A live cohort, and what its pairs add up to."""

    unit: str | None
    members: Sequence[MemberRow]
    sums: Sums


async def measure(pool: Pool, clock: Clock, caught_up: CaughtUp) -> bool:
    """Measure one programme for its next epoch that is over; False when there is nothing to do.

    Nothing is measured while `caught_up` says that the log holds facts not counted yet: a release
    stands, so it waits for what was told in time.
    """
    newest = newest_complete(clock.now())
    async with acting_for_all(pool) as conn:
        if not await programmes.anything_due(conn, newest):
            return False
        if await programmes.told_elsewhere(conn):
            log.warning("releases must be brought over first", action="measure")
            return False
    if not await caught_up(newest):
        return False
    async with acting_for_all(pool) as conn:
        if not await locks.only_one(conn, WORK):
            return False
        await _enrol(conn, newest)
        due = await programmes.next_due(conn, newest)
        if due is None:
            return False
        await _measure(conn, due)
    return True


async def stand_back(pool: Pool) -> None:
    """Measure nothing in a database that is built beside the live one, now or once it is live.

    Its cohorts would be others. Two partitions of the same people, put side by side, tell of fewer
    than five: the cohorts and releases of the live database have to be brought over first.
    """
    async with pool.acquire() as conn:
        await programmes.note_told_elsewhere(conn)


async def _enrol(conn: Connection, newest: int) -> None:
    """Find programmes that began by the end of the newest epoch; once per epoch."""
    if await programmes.enrolled_until(conn) >= newest:
        return
    found = await programmes.new_programmes(conn, start_of(newest + 1))
    first = [
        (tenant, programme, max(epoch_of(began), newest - MOST_EPOCHS_BACK + 1) - 1)
        for tenant, programme, began in found
    ]
    await programmes.enrol(conn, first, newest)


async def _measure(conn: Connection, due: Due) -> None:
    """One programme at the end of one epoch: form, close, measure, release."""
    end = start_of(due.epoch + 1)
    formed = cohorts.form(await programmes.waiting(conn, due, end), due.epoch)
    await programmes.add_cohorts(
        conn, due, [NewCohort(_cohort_id(due, each.unit), *each) for each in formed]
    )
    live, closed = _live(await programmes.members(conn, due), to_us(end))
    await programmes.close(conn, closed, due.epoch)
    model = (await models.of_tenant(conn, due.tenant)).model
    await _add_up(conn, live, due, model)
    found = cohorts.cells({key: cohort.unit for key, cohort in live.items()})
    facts = [_fact(due, unit, [live[key] for key in keys], model) for unit, keys in found.items()]
    facts.sort(key=lambda fact: fact.org_unit or WHOLE)
    await programmes.save_releases(
        conn, due, [(fact.org_unit or WHOLE, encode_value(fact)) for fact in facts]
    )
    await outbox.append(conn, [_event(due, fact) for fact in facts])


def _live(rows: Sequence[MemberRow], end_us: int) -> tuple[dict[UUID, Cohort], list[UUID]]:
    live, closed = {}, []
    for key, group in groupby(rows, key=lambda row: row.cohort_id):
        members = list(group)
        if cohorts.alive([_member(row, end_us) for row in members]):
            live[key] = Cohort(members[0].unit, members, Sums())
        else:
            closed.append(key)
    return live, closed


def _member(row: MemberRow, end_us: int) -> Member | None:
    if row.key is None:
        return None
    active = row.ended_at is None or to_us(row.ended_at) > end_us
    return Member(row.mentor_id, row.mentee_id, active)


async def _add_up(conn: Connection, live: dict[UUID, Cohort], due: Due, model: Model) -> None:
    """Fold every pair of the live cohorts, a page at a time; an ended one as of its end."""
    start_us, end_us = to_us(start_of(due.epoch)), to_us(start_of(due.epoch + 1))
    rows = [row for cohort in live.values() for row in cohort.members]
    for place in range(0, len(rows), PAGE_PAIRS):
        page = {row.key: row for row in rows[place : place + PAGE_PAIRS] if row.key is not None}
        known = await evidence.of_pairs(conn, page)
        for key, row in page.items():
            until_us = end_us if row.ended_at is None else min(end_us, to_us(row.ended_at))
            one = measures.measure(known[key], model, Span(start_us, until_us))
            live[row.cohort_id].sums.add(one)


def _fact(due: Due, unit: str | None, cell: Sequence[Cohort], model: Model) -> ProgrammeMeasured:
    members = [row for cohort in cell for row in cohort.members]
    sums = sum((cohort.sums.veiled() for cohort in cell), Sums())
    return ProgrammeMeasured(
        programme_id=due.programme_id,
        org_unit=unit,
        epoch=name_of(due.epoch),
        as_of=start_of(due.epoch + 1),
        model=model.name,
        pairs=measures.counted_down(len(members)),
        mentors=measures.counted_down(len({row.mentor_id for row in members})),
        mentees=measures.counted_down(len({row.mentee_id for row in members})),
        **measures.values_of(sums)._asdict(),
    )


def _event(due: Due, fact: ProgrammeMeasured) -> Event:
    return new_event(
        fact,
        event_id=_derived(fact.type, due, fact.org_unit),
        tenant=due.tenant,
        service=SERVICE,
        now=fact.as_of,
    )


def _cohort_id(due: Due, unit: str | None) -> UUID:
    return _derived("cohort", due, unit)


def _derived(what: str, due: Due, unit: str | None) -> UUID:
    # The unit last and left out where there is none: it is HR's own text and may hold anything.
    parts = (what, due.tenant, due.programme_id, name_of(due.epoch))
    return derived_id(*parts) if unit is None else derived_id(*parts, unit)
