"""Load with a known answer: facts written as a service writes them, and what they must come to.

Writers append to the outbox of `sessions` in real transactions: some are rolled back, some commit
after a later one, and some facts are published twice under the same id. Insights is the worker
under test; what it stored is compared with a serial fold of what was committed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.insights.domain.evidence import Evidence, observe
from services.insights.domain.model import V1
from services.insights.domain.packing import unpack
from services.insights.rebuild import difference
from shared.events.envelope import Event, new_event
from shared.events.fact import PairFact
from shared.events.sessions import (
    AgreementSigned,
    CommitmentKept,
    CommitmentMissed,
    FeedbackGiven,
    SessionHeld,
)
from shared.ids import CommitmentId, PairId, PersonId, SessionId, TenantId, derived_id, new_id
from shared.postgres import outbox
from shared.postgres.pool import UNAVAILABLE, Pool
from tests.support.waiting import until

TENANT = TenantId("acme")
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
MENTOR, MENTEE = PersonId("mentor"), PersonId("mentee")
WRITERS = 4
_COUNT = "SELECT count(*) FROM evidence"


@dataclass(frozen=True, slots=True)
class Size:
    """How much load; `chunk` facts at most in a transaction, `ahead` at most of the worker.

    `ahead` is kept short: a relay that has nothing to do cannot lose anything when it is killed.
    """

    facts: int
    pairs: int
    chunk: int = 50
    ahead: int = 600


@dataclass
class Load:
    """Writers, what they committed, and the comparison with what insights stored."""

    sessions: Pool
    insights: Pool
    size: Size
    chance: random.Random
    committed: dict[UUID, Event] = field(default_factory=dict)
    applied: int = 0
    _next: int = 0

    async def write(self) -> None:
        """Write all facts, staying a little ahead of what is applied, through any outage."""
        async with asyncio.TaskGroup() as group:
            for _ in range(WRITERS):
                group.create_task(self._writer())

    async def _writer(self) -> None:
        while self._next < self.size.facts:
            first = self._next
            count = min(self.chance.randint(1, self.size.chunk), self.size.facts - first)
            self._next += count
            await self.wait_applied(first - self.size.ahead)
            events = [_fact(n, self.size.pairs) for n in range(first, first + count)]
            if self.chance.random() < 0.05:
                await self._surely(lambda events=events: self._rolled_back(events))  # type: ignore[misc]
            earlier = list(self.committed.values())
            twice = self.chance.sample(earlier, min(len(earlier), count // 10))
            await self._surely(lambda e=[*events, *twice]: self._transaction(e))  # type: ignore[misc]
            self.committed.update((event.event_id, event) for event in events)

    async def _transaction(self, events: list[Event]) -> None:
        async with self.sessions.acquire() as conn, conn.transaction():
            await outbox.append(conn, events)
            if self.chance.random() < 0.1:
                # Let others take later positions and commit them first.
                async with self.sessions.acquire() as other:
                    await other.fetchval("SELECT pg_sleep(0.02)")

    async def _rolled_back(self, events: list[Event]) -> None:
        async with self.sessions.acquire() as conn:
            transaction = conn.transaction()
            await transaction.start()
            phantom = [event._replace(event_id=new_id()) for event in events]
            await outbox.append(conn, [p._replace(ce_id=str(p.event_id)) for p in phantom])
            await transaction.rollback()

    async def _surely(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it through an outage. A commit whose answer was lost may happen twice: as in life."""
        while True:
            try:
                return await work()
            except UNAVAILABLE:
                await asyncio.sleep(0.1)

    async def refresh(self) -> int:
        """How many facts insights has counted by now."""
        try:
            self.applied = int(await self.insights.fetchval(_COUNT))
        except UNAVAILABLE:
            await asyncio.sleep(0.1)
        return self.applied

    async def wait_applied(self, count: int, *, timeout_s: float = 180.0) -> None:
        """Return once insights has counted `count` facts."""

        async def reached() -> object:
            return self.applied >= count or await self.refresh() >= count

        await until(reached, timeout_s=timeout_s, what=f"{count} facts counted ({self.applied})")

    async def verdict(self) -> Verdict:
        """Compare what insights stored with a serial fold of what was committed."""
        rows = await self.insights.fetch("SELECT event_id FROM evidence")
        stored = [row["event_id"] for row in rows]
        return Verdict(
            lost=len(self.committed.keys() - set(stored)),
            repeated=len(stored) - len(set(stored)),
            invented=len(set(stored) - self.committed.keys()),
            difference=await self._difference(),
        )

    async def _difference(self) -> float:
        expected: dict[UUID, list[Evidence]] = {}
        for event in self.committed.values():
            assert isinstance(event.fact, PairFact)
            item = observe(event)
            assert item is not None
            expected.setdefault(event.fact.pair_id, []).append(item)
        worst = 0.0
        rows = await self.insights.fetch("SELECT pair_id, state FROM pair")
        assert {row["pair_id"] for row in rows} == expected.keys()
        for row in rows:
            state = unpack(row["state"], V1)
            assert state is not None
            worst = max(worst, difference(state, expected[row["pair_id"]]))
        return worst


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the facts. All zero, or something is broken."""

    lost: int
    repeated: int
    invented: int
    difference: float

    def assert_perfect(self) -> None:
        assert (self.lost, self.repeated, self.invented) == (0, 0, 0), self
        assert self.difference <= 1e-9, self


def _fact(n: int, pairs: int) -> Event:
    """The nth fact: every kind insights folds, in a mix, spread over the pairs."""
    pair = PairId(derived_id("pair", str(n % pairs)))
    about = (MENTOR, MENTEE)[n // pairs % 2]
    at = START + timedelta(minutes=n // pairs * 37)
    members = {"pair_id": pair, "mentor_id": MENTOR, "mentee_id": MENTEE}
    commitment = {
        **members,
        "commitment_id": CommitmentId(derived_id("c", str(n))),
        "by": about,
        "due_at": at,
    }
    session = SessionId(derived_id("s", str(n)))
    fact: PairFact
    match n // pairs % 7:
        case 0:
            fact = AgreementSigned(
                **members,
                agreement_version=1,
                cadence_days=14,
                notice_hours=24,
                channels=("video",),
            )
        case 1 | 2:
            fact = SessionHeld(
                **members,
                session_id=session,
                starts_at=at,
                duration_minutes=45,
                confirmed_by=(MENTOR, MENTEE),
            )
        case 3 | 4:
            fact = CommitmentKept(**commitment, kept_at=at)
        case 5:
            fact = CommitmentMissed(**commitment)
        case _:
            by = MENTEE if about == MENTOR else MENTOR
            fact = FeedbackGiven(
                **members, session_id=session, by=by, about=about, item="listened", answer=n % 3 > 0
            )
    return new_event(fact, event_id=new_id(), tenant=TENANT, service="sessions", now=at)
