"""A pair and a few instants for the domain's tests. Holds no test."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.sessions.domain import promises
from services.sessions.domain.commitment import Commitment, Promise
from services.sessions.domain.happened import Happened
from services.sessions.domain.member import Member
from services.sessions.domain.pair import Pair
from services.sessions.domain.rules import Rules
from services.sessions.domain.session import Plan, Session, Slot, schedule
from shared.ids import CommitmentId, PairId, PersonId, SessionId, TenantId, derived_id

TENANT = TenantId("acme")
MENTOR, MENTEE, STRANGER = PersonId("maria"), PersonId("tom"), PersonId("eve")
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
INSTANT = timedelta(microseconds=1)
DUE = NOW + 7 * DAY
GRACE = Rules().grace
PAIR = Pair(TENANT, PairId(derived_id("pair")), Member(MENTOR), Member(MENTEE), NOW - 30 * DAY)
ENDED = replace(PAIR, ended_at=NOW)


def made(due_at: datetime = DUE, pair: Pair = PAIR) -> Commitment:
    """The mentee's promise to the mentor, who has not answered."""
    id_ = CommitmentId(derived_id("commitment"))
    return promises.make(pair, id_, MENTEE, Promise(due_at, "read it"), NOW, Rules())[0]


def promised(due_at: datetime = DUE) -> Commitment:
    """The mentee's promise to the mentor, who wants it."""
    return promises.accept(PAIR, made(due_at), MENTOR, NOW)[0]


def scheduled(starts_at: datetime = NOW + DAY, minutes: int = 60) -> Session:
    id_ = SessionId(derived_id("session"))
    return schedule(PAIR, id_, MENTOR, Plan(Slot(starts_at, minutes)), NOW, Rules())[0]


def told(happened: tuple[Happened, ...]) -> list[tuple[str, datetime]]:
    """The types and times of what happened."""
    return [(each.fact.type, each.at) for each in happened]
