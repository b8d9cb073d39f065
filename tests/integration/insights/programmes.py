"""Whole programmes as facts: pairs of units that come, go, and do things. Holds no test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from services.insights.measuring import measure
from shared.clock import FixedClock
from shared.events.envelope import Event, new_event
from shared.events.fact import Fact
from shared.events.insights import ProgrammeMeasured
from shared.events.matching import IntroductionMade, PairEnded, PairStarted
from shared.events.people import PersonJoined
from shared.events.sessions import CommitmentKept, CommitmentMissed, FeedbackGiven
from shared.ids import (
    CommitmentId,
    IntroductionId,
    PairId,
    PersonId,
    ProgrammeId,
    SessionId,
    TenantId,
    derived_id,
)
from tests.integration.insights.conftest import Insights
from tests.unit.insights.facts import ACME

SPRING = ProgrammeId("spring")
MARCH = datetime(2026, 3, 2, 9, tzinfo=UTC)


def after(year: int, month: int) -> datetime:
    """Some hours after the start of a month: the month before it is over and has settled."""
    return datetime(year, month, 1, 4, tzinfo=UTC)


class Two:
    """The nth pair of a tenant's programme: mentor-n and mentee-n, of a unit."""

    def __init__(
        self,
        number: int,
        unit: str | None = "sales",
        programme: ProgrammeId = SPRING,
        tenant: TenantId = ACME,
    ) -> None:
        self.number = number
        self.unit = unit
        self.programme = programme
        self.tenant = tenant
        self.mentor = PersonId(f"mentor-{number}")
        self.mentee = PersonId(f"mentee-{number}")
        self.pair_id = PairId(self._id("pair"))

    def joins(self, at: datetime = MARCH, unit: str | None = None) -> Event:
        """What HR tells of the mentee."""
        fact = PersonJoined(
            person_id=self.mentee, email="a@b.example", display_name="A", org_unit=unit or self.unit
        )
        return self._event(fact, at, "hr")

    def starts(self, at: datetime = MARCH) -> Event:
        fact = PairStarted(**self._who(), programme_id=self.programme, started_at=at)
        return self._event(fact, at, "matching")

    def ends(self, at: datetime) -> Event:
        fact = PairEnded(**self._who(), ended_at=at, reason="completed")
        return self._event(fact, at, "matching")

    def introduces(self, at: datetime) -> Event:
        made = IntroductionId(self._id("introduction", at))
        fact = IntroductionMade(**self._who(), introduction_id=made, by=self.mentor)
        return self._event(fact, at, "matching")

    def keeps(self, at: datetime) -> Event:
        return self._event(CommitmentKept(**self._promise(at), kept_at=at), at, "sessions")

    def misses(self, at: datetime) -> Event:
        return self._event(CommitmentMissed(**self._promise(at)), at, "sessions")

    def answers(self, at: datetime, yes: bool) -> Event:
        session = SessionId(self._id("session", at))
        fact = FeedbackGiven(
            **self._who(),
            session_id=session,
            by=self.mentee,
            about=self.mentor,
            item="listened",
            answer=yes,
        )
        return self._event(fact, at, "sessions")

    def _who(self) -> dict[str, object]:
        return {"pair_id": self.pair_id, "mentor_id": self.mentor, "mentee_id": self.mentee}

    def _promise(self, at: datetime) -> dict[str, object]:
        made = CommitmentId(self._id("commitment", at))
        return {**self._who(), "commitment_id": made, "by": self.mentor, "due_at": at}

    def _event(self, fact: Fact, at: datetime, service: str) -> Event:
        event_id = self._id(fact.type, at)
        return new_event(fact, event_id=event_id, tenant=self.tenant, service=service, now=at)

    def _id(self, what: str, at: datetime | None = None) -> UUID:
        return derived_id(what, self.tenant, self.programme, str(self.number), str(at))


def several(numbers: Iterable[int], unit: str | None = "sales") -> list[Two]:
    return [Two(number, unit) for number in numbers]


def begin(pairs: Sequence[Two], at: datetime = MARCH) -> list[Event]:
    """What is told when pairs start: the people first."""
    return [pair.joins(at) for pair in pairs] + [pair.starts(at) for pair in pairs]


async def always(_occasion: int) -> bool:
    return True


async def measures(insights: Insights, at: datetime) -> list[Event]:
    """Measure all that is due at an instant; what was published, taken from the outbox."""
    while await measure(insights.pool, FixedClock(at), always):
        pass
    return await insights.published()


def told(events: Iterable[Event]) -> dict[tuple[str, str | None], ProgrammeMeasured]:
    """The facts by epoch and unit."""
    facts = [event.fact for event in events if isinstance(event.fact, ProgrammeMeasured)]
    return {(fact.epoch, fact.org_unit): fact for fact in facts}
