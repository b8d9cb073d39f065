"""What may be handed over now: what is due, looked at again as its reader would want it.

Everything here is one transaction, opened by the caller: whoever takes the last place of a day has
it, and what is taken is nobody else's until the lease ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from uuid import UUID

from services.notifications.domain import announcement
from services.notifications.domain.attention import (
    NO_TERMS,
    Attention,
    Decision,
    Drop,
    Gather,
    Hold,
    Say,
    Terms,
    decide,
    decide_digest,
    local_day,
    next_day,
)
from services.notifications.domain.budget import allot, changed
from services.notifications.domain.message import DELIVERED_BY_ROW, MAIL, Channel, State
from services.notifications.domain.planned import Digest
from services.notifications.domain.workflows import WORKFLOWS
from services.notifications.handlers.announcing import announce
from services.notifications.queries import attention, digests, messages, suppression
from services.notifications.queries.attention import Day, Who
from services.notifications.queries.messages import Aside, Due
from shared.events.envelope import Event
from shared.ids import NotificationId, PersonId, TenantId
from shared.postgres.pool import Connection

_COUNTS = Say(counts=True)


@dataclass(frozen=True, slots=True)
class Batch:
    """How much is taken at once: until when it is the taker's, and at most how much."""

    now: datetime
    lease_until: datetime
    limit: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """A digest that may be sent: what it holds, the most valuable first."""

    digest_id: UUID
    items: tuple[Due, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    due: Due
    reader: Attention
    terms: Terms
    decision: Decision


async def take(conn: Connection, channels: Sequence[Channel], batch: Batch) -> list[Due]:
    """Take what may be said now over these channels, in order of its worth.

    What may not is put aside with the reason, and the others are told of it.
    """
    found = await messages.due(conn, channels, batch.now, batch.limit)
    if not found:
        return []
    cases = await _within_budget(conn, await _look(conn, found, batch.now), batch.now)
    said, aside = _parted(cases)
    counted = [_counted(case, batch.now, counts=case.decision == _COUNTS) for case in said]
    await messages.claim(conn, counted, batch.lease_until)
    await _put_aside(conn, aside, batch.now)
    return [_taken(case) for case in said]


async def take_digests(conn: Connection, batch: Batch) -> list[Gathered]:
    """Take the digests that may be sent now, each whole. What has become stale is left out."""
    found = await digests.due(conn, batch.now, batch.limit)
    looked = iter(await _look(conn, [due for _, items in found for due in items], batch.now))
    kept: dict[UUID, list[_Case]] = {}
    stale: list[_Case] = []
    for digest_id, items in found:
        for case in islice(looked, len(items)):
            if isinstance(case.decision, Drop):
                stale.append(case)
            else:
                kept.setdefault(digest_id, []).append(case)
    # All of a digest comes when its reader's first does, or waits as long.
    firsts = [
        replace(cases[0], decision=decide_digest(cases[0].reader, batch.now))
        for cases in kept.values()
    ]
    firsts = await _within_budget(conn, firsts, batch.now)
    waiting: list[_Case] = []
    taken: list[Gathered] = []
    for (digest_id, cases), first in zip(kept.items(), firsts, strict=True):
        if isinstance(first.decision, Say):
            taken.append(Gathered(digest_id, tuple(map(_taken, cases))))
        else:
            waiting += [replace(case, decision=first.decision) for case in cases]
    counted = [
        _counted(case, batch.now, counts=True) for each in taken for case in kept[each.digest_id]
    ]
    await messages.claim(conn, counted, batch.lease_until)
    await _put_aside(conn, [*stale, *waiting], batch.now, is_digest=True)
    return taken


def _parted(cases: Sequence[_Case]) -> tuple[list[_Case], list[_Case]]:
    """What is said, and what is put aside."""
    said: list[_Case] = []
    aside: list[_Case] = []
    for case in cases:
        (said if isinstance(case.decision, Say) else aside).append(case)
    return said, aside


async def _look(conn: Connection, found: Sequence[Due], now: datetime) -> list[_Case]:
    about = [each.message for each in found]
    readers = await attention.readers(conn, {(each.tenant, each.to) for each in about})
    agreed = await attention.terms(conn, {(each.tenant, each.pair_id) for each in about})
    bounced = await _bounced(conn, found)
    cases = []
    for each in found:
        message = each.message
        reader = readers[message.tenant, message.to]
        pair = agreed.get(message.pair_id)
        terms = pair.of(message.to) if pair else NO_TERMS
        decision = decide(message, WORKFLOWS[message.workflow], reader, terms, now)
        if isinstance(decision, Say | Gather) and message.channel not in DELIVERED_BY_ROW:
            if each.address is None:
                decision = Drop("no_address")
            elif message.channel in MAIL and (message.tenant, message.to) in bounced:
                decision = Drop("bounced")
        cases.append(_Case(each, reader, terms, decision))
    return cases


async def _bounced(conn: Connection, found: Sequence[Due]) -> set[Who]:
    """To whom no mail goes any more at the address that we know."""
    asked: dict[TenantId, list[tuple[PersonId, str]]] = {}
    for each in found:
        if each.message.channel in MAIL and each.address is not None:
            asked.setdefault(each.message.tenant, []).append((each.message.to, each.address))
    return {
        (tenant, person)
        for tenant, people in asked.items()
        for person in await suppression.suppressed(conn, tenant, people)
    }


async def _within_budget(conn: Connection, cases: Sequence[_Case], now: datetime) -> list[_Case]:
    asking = [case for case in cases if case.decision == _COUNTS and not case.due.counted_on]
    if not asking:
        return list(cases)
    wanted = [(_day(case, now), case.reader.wishes.budget_per_day) for case in asking]
    used = await attention.used(conn, [day for day, _ in wanted])
    got, after = allot(wanted, used)
    await attention.use(conn, changed(used, after))
    late = {
        id(case): replace(case, decision=Hold(next_day(case.reader, case.terms, now), "budget"))
        for case, has_place in zip(asking, got, strict=True)
        if not has_place
    }
    return [late.get(id(case), case) for case in cases]


async def _put_aside(
    conn: Connection, cases: Sequence[_Case], now: datetime, *, is_digest: bool = False
) -> None:
    aside: list[Aside] = []
    news: list[Event | None] = []
    opened = await _digests(conn, cases)
    for case in cases:
        message, decision = case.due.message, case.decision
        match decision:
            case Drop(reason):
                aside.append(Aside(message.message_id, "suppressed", reason, now))
                news.append(announcement.suppressed(message, reason, now))
            case Hold(until, reason):
                state: State = "gathered" if is_digest else "queued"
                aside.append(Aside(message.message_id, state, reason, until))
                news.append(announcement.held(message, reason, until, now))
            case Gather():
                digest = opened[message.tenant, message.to]
                aside.append(
                    Aside(message.message_id, "gathered", None, digest.closes_at, digest.digest_id)
                )
            case Say():
                raise AssertionError("what may be said is not put aside")
    await messages.put_aside(conn, aside)
    await announce(conn, [event for event in news if event is not None], now)


async def _digests(conn: Connection, cases: Sequence[_Case]) -> Mapping[Who, Digest]:
    """The digests that those join who have asked for one since the message was made."""
    wanted: dict[TenantId, dict[PersonId, datetime]] = {}
    for case in cases:
        if isinstance(case.decision, Gather):
            wanted.setdefault(case.due.message.tenant, {})[case.due.message.to] = case.decision.at
    return {
        (tenant, person): digest
        for tenant, people in wanted.items()
        for person, digest in (await digests.open_for(conn, tenant, people)).items()
    }


def _taken(case: _Case) -> Due:
    return replace(case.due, attempt=case.due.attempt + 1)


def _day(case: _Case, now: datetime) -> Day:
    message = case.due.message
    return Day(message.tenant, message.to, local_day(case.reader, now))


def _counted(case: _Case, now: datetime, *, counts: bool) -> tuple[NotificationId, date | None]:
    return case.due.message.message_id, local_day(case.reader, now) if counts else None
