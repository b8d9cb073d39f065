"""The daily look at every pair: raises alerts, resolves them, publishes both. One at a time.

An epoch is a UTC midnight. After an outage only the last two are looked at: an alert needs two, and
one about last month helps nobody. What was begun is gone on with, pair by pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from services.insights import bulk, models
from services.insights.domain.alerts import Look, Resolution, Risk, decide, look_at, needs_a_look
from services.insights.domain.evidence import Evidence, to_us
from services.insights.models import InForce
from services.insights.queries import alerts, board, evidence, locks
from services.insights.queries.alerts import Noted
from services.insights.queries.board import Recovery
from services.insights.queries.pairs import PairRow
from shared.clock import Clock
from shared.events import insights as wire
from shared.events.envelope import Event, new_event
from shared.ids import TenantId, derived_id
from shared.postgres import outbox
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import acting_for_all

SERVICE = "insights"
WORK = "daily look"
# Pairs looked at in one transaction.
PAGE = 200
DAY = timedelta(days=1)
SIDES: tuple[wire.Side, ...] = ("mentor", "mentee")


async def look(pool: Pool, clock: Clock) -> bool:
    """Look at a page of pairs, if a day's look is due; whether there may be more to do."""
    today = clock.now().astimezone(UTC).date()
    async with acting_for_all(pool, snapshot=True) as conn:
        if not await locks.only_one(conn, WORK):
            return False
        done = await alerts.progress(conn)
        if done is not None and done[1] == 0 and done[0] >= today:
            return False
        epoch, after = _next(done, today)
        page = await alerts.pairs_after(conn, after, PAGE)
        await _look_at_page(conn, page, epoch)
        more = len(page) == PAGE
        if not more:
            await board.close_day(conn, epoch)
        await alerts.save_progress(conn, epoch, page[-1].key if more else 0)
        return more or epoch < today


def _next(done: tuple[date, int] | None, today: date) -> tuple[date, int]:
    """The epoch to look at, and after which pair."""
    if done is None:
        return today, 0
    epoch, after = done
    if after and epoch >= today - DAY:
        return epoch, after
    return (max(epoch + DAY, today - DAY) if not after else today - DAY), 0


async def _look_at_page(conn: Connection, page: list[PairRow], epoch: date) -> None:
    at = datetime.combine(epoch, time(), UTC)
    forces = await models.in_force(conn, {pair.tenant for pair in page})
    known = await bulk.states_of(conn, page)
    before = await alerts.risks(conn, [pair.key for pair in page])
    remembered = {key for key, _ in before}
    close = [
        (pair, state)
        for pair, state in known
        if pair.key in remembered or needs_a_look(state, to_us(at))
    ]
    stored = await evidence.of_pairs(conn, [pair.key for pair, _ in close])
    noted: list[Noted] = []
    events: list[Event] = []
    recovered: list[tuple[TenantId, Recovery]] = []
    for pair, _ in close:
        looks = _looks(pair, stored[pair.key], forces[pair.tenant], at)
        for side, seen in enumerate(looks):
            risk = before.get((pair.key, side), Risk())
            after, what = decide(risk, seen, epoch)
            named = _named(pair, side, forces[pair.tenant], epoch)
            fact = _fact(named, risk, seen, what)
            body = fact.model_dump_json() if isinstance(fact, wire.TrustAlerted) else None
            noted.append(Noted(pair.key, side, pair.tenant, after, body))
            if fact is not None:
                events.append(_event(pair, fact, at))
            if isinstance(fact, wire.TrustResolved) and fact.reason == "recovered":
                recovered.append((pair.tenant, _recovery(fact)))
    await alerts.save(conn, noted)
    await board.recovered(conn, recovered)
    await outbox.append(conn, events)


def _looks(
    pair: PairRow, known: list[Evidence], force: InForce, at: datetime
) -> list[Look] | list[None]:
    if pair.ended_at is not None and pair.ended_at <= at:
        return [None, None]
    return look_at(known, force.model, to_us(at))


def _named(pair: PairRow, side: int, force: InForce, epoch: date) -> dict[str, Any]:
    subject = pair.subject
    return {
        "pair_id": subject.pair_id,
        "mentor_id": subject.mentor_id,
        "mentee_id": subject.mentee_id,
        "about": SIDES[side],
        "model": force.model.name,
        "epoch": epoch,
    }


def _fact(
    named: dict[str, Any],
    before: Risk,
    seen: Look | None,
    what: Literal["alerted"] | Resolution | None,
) -> wire.TrustAlerted | wire.TrustResolved | None:
    if what is None:
        return None
    if what == "alerted":
        assert seen is not None
        return wire.TrustAlerted.model_validate(
            {
                **named,
                "band": seen.band,
                "probability_low": round(seen.probability, 2),
                "reasons": tuple(_reasons(seen)),
                "next_step": seen.next_step,
            }
        )
    band = "too_early" if seen is None else seen.band
    return wire.TrustResolved.model_validate(
        {**named, "band": band, "alerted_on": before.alerted_on, "reason": what}
    )


def _recovery(fact: wire.TrustResolved) -> Recovery:
    who = (fact.pair_id, fact.mentor_id, fact.mentee_id)
    return Recovery(*who, fact.about, fact.alerted_on, fact.epoch, fact.band)


def _reasons(seen: Look) -> Iterator[wire.Reason]:
    for reason in seen.why.down:
        yield wire.Reason(code=reason.code, facet=reason.facet.name, event_id=reason.event_id)


def _event(pair: PairRow, fact: wire.TrustAlerted | wire.TrustResolved, at: datetime) -> Event:
    return new_event(
        fact,
        event_id=derived_id(
            fact.type, pair.tenant, str(fact.pair_id), fact.about, fact.epoch.isoformat()
        ),
        tenant=pair.tenant,
        service=SERVICE,
        now=at,
    )
