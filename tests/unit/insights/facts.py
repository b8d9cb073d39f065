"""Builders of the facts insights reads, about one pair: `ann` mentors `ben`. Holds no test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.events.envelope import Event, new_event
from shared.events.fact import PairFact
from shared.events.matching import PairEnded, PairStarted
from shared.events.sessions import (
    AgreementSigned,
    CommitmentKept,
    CommitmentMissed,
    FeedbackGiven,
    SessionHeld,
)
from shared.ids import CommitmentId, PairId, PersonId, ProgrammeId, SessionId, TenantId, new_id

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACME = TenantId("acme")
ANN, BEN, EVE = PersonId("ann"), PersonId("ben"), PersonId("eve")
PAIR = PairId(UUID("01950000-0000-7000-8000-000000000001"))


def who(pair_id: UUID = PAIR) -> dict[str, Any]:
    return {"pair_id": pair_id, "mentor_id": ANN, "mentee_id": BEN}


def event(
    fact: PairFact, day: float = 0, *, tenant: TenantId = ACME, event_id: UUID | None = None
) -> Event:
    """The fact as an event of a day."""
    at = START + timedelta(days=day)
    service = "matching" if fact.topic.producers == ("matching",) else "sessions"
    return new_event(fact, event_id=event_id or new_id(), tenant=tenant, service=service, now=at)


def agreed(pair_id: UUID = PAIR, cadence_days: int = 14) -> AgreementSigned:
    return AgreementSigned(
        **who(pair_id),
        agreement_version=1,
        cadence_days=cadence_days,
        notice_hours=24,
        channels=("video",),
    )


def held(pair_id: UUID = PAIR, by: tuple[PersonId, ...] = (ANN, BEN)) -> SessionHeld:
    return SessionHeld(
        **who(pair_id),
        session_id=SessionId(new_id()),
        starts_at=START,
        duration_minutes=45,
        confirmed_by=by,
    )


def kept(pair_id: UUID = PAIR, by: PersonId = ANN) -> CommitmentKept:
    return CommitmentKept(**promise(pair_id, by), kept_at=START)


def missed(pair_id: UUID = PAIR, by: PersonId = ANN) -> CommitmentMissed:
    return CommitmentMissed(**promise(pair_id, by))


def promise(pair_id: UUID = PAIR, by: PersonId = ANN) -> dict[str, Any]:
    return {
        **who(pair_id),
        "commitment_id": CommitmentId(new_id()),
        "by": by,
        "due_at": START,
    }


def answered(
    answer: bool, item: Any = "listened", by: PersonId = BEN, about: PersonId = ANN
) -> FeedbackGiven:
    return FeedbackGiven(
        **who(), session_id=SessionId(new_id()), by=by, about=about, item=item, answer=answer
    )


def started(pair_id: UUID = PAIR) -> PairStarted:
    return PairStarted(**who(pair_id), programme_id=ProgrammeId("spring"), started_at=START)


def ended(pair_id: UUID = PAIR) -> PairEnded:
    return PairEnded(**who(pair_id), ended_at=START + timedelta(days=200), reason="completed")
