"""Facts about one pair, as small as they can be. Times are arguments or START."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.notifications.domain.rules import SETTLING, SILENT, TOLD
from shared.events.contracts.examples import sample_event
from shared.events.envelope import Event, new_event
from shared.events.fact import Fact
from shared.events.matching import PairProposed, PairStarted
from shared.events.people import PersonChanged, PersonJoined, PersonLeft
from shared.events.sessions import (
    AgreementSigned,
    CommitmentAccepted,
    CommitmentMissed,
    CommitmentWarned,
    GoalProgressed,
    ReplyRequested,
    SessionHeld,
    SessionScheduled,
)
from shared.ids import CommitmentId, PairId, PersonId, ProgrammeId, SessionId, TenantId, derived_id

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TENANT = TenantId("acme")
MENTOR, MENTEE = PersonId("zoe"), PersonId("bo")
PAIR = PairId(UUID(int=1))
SESSION = SessionId(UUID(int=2))
COMMITMENT = CommitmentId(UUID(int=3))
PROGRAMME = ProgrammeId("first-year")
SIDES = {"pair_id": PAIR, "mentor_id": MENTOR, "mentee_id": MENTEE}


def happened(
    fact: Fact, *, at: datetime = START, tenant: TenantId = TENANT, number: int = 0
) -> Event:
    """The event about `fact`; its id follows from the fact, the time and `number`."""
    event_id = derived_id("test", tenant, fact.type, repr(fact), at.isoformat(), str(number))
    return new_event(fact, event_id=event_id, tenant=tenant, service="test", now=at)


def joined(
    person: PersonId, name: str, *, timezone: str = "UTC", locale: str = "en"
) -> PersonJoined:
    return PersonJoined(
        person_id=person,
        email=f"{person}@acme.example",
        display_name=name,
        timezone=timezone,
        locale=locale,
    )


def changed(person: PersonId, name: str, email: str) -> PersonChanged:
    return PersonChanged(person_id=person, email=email, display_name=name)


def left(person: PersonId) -> PersonLeft:
    return PersonLeft(person_id=person, left_on=START.date())


def proposed() -> PairProposed:
    return PairProposed(**SIDES, programme_id=PROGRAMME, fit=0.8, reasons=())


def started() -> PairStarted:
    return PairStarted(**SIDES, programme_id=PROGRAMME, started_at=START)


def signed(*, cadence_days: int = 14, notice_hours: int = 24) -> AgreementSigned:
    return AgreementSigned(
        **SIDES,
        agreement_version=1,
        cadence_days=cadence_days,
        notice_hours=notice_hours,
        channels=("video",),
    )


def scheduled(*, by: PersonId = MENTOR, starts_at: datetime = START + DAY) -> SessionScheduled:
    return SessionScheduled(
        **SIDES, session_id=SESSION, by=by, starts_at=starts_at, duration_minutes=45
    )


def held() -> SessionHeld:
    return SessionHeld(
        **SIDES,
        session_id=SESSION,
        starts_at=START - DAY,
        duration_minutes=45,
        confirmed_by=(MENTOR, MENTEE),
    )


def _promise(by: PersonId) -> dict[str, object]:
    return {**SIDES, "commitment_id": COMMITMENT, "by": by, "due_at": START + DAY}


def warned(*, by: PersonId = MENTEE) -> CommitmentWarned:
    return CommitmentWarned(**_promise(by), warned_at=START)


def missed(*, by: PersonId = MENTEE) -> CommitmentMissed:
    return CommitmentMissed(**_promise(by))


def silent() -> list[Fact]:
    """One of each fact that nobody is written to about."""
    kinds = sorted((set(SILENT) | SETTLING) - TOLD, key=lambda fact: fact.type)
    return [sample_event(kind).fact for kind in kinds]


def told() -> list[Fact]:
    """One of each fact that makes messages, so that every workflow is there."""
    due = {"due_at": START + 3 * DAY, "by": MENTEE, "commitment_id": COMMITMENT, **SIDES}
    ours = [
        proposed().model_copy(update={"answer_until": START + 7 * DAY}),
        started(),
        signed().model_copy(update={"review_on": (START + 90 * DAY).date()}),
        scheduled(starts_at=START + 3 * DAY),
        held(),
        CommitmentAccepted.model_validate(due),
        warned(),
        missed(),
        GoalProgressed.model_validate({**SIDES, "goal_id": COMMITMENT, "progress": 1.0}),
        ReplyRequested.model_validate(
            {**SIDES, "reply_id": COMMITMENT, "of": MENTEE, "about": "session"}
        ),
    ]
    rest = sorted(TOLD - {type(fact) for fact in ours}, key=lambda fact: fact.type)
    return [*ours, *(of_ours(sample_event(kind).fact) for kind in rest)]


def of_ours(fact: Fact) -> Fact:
    """A golden example, about the pair that everything is about here, in the days from START on."""
    changes: dict[str, object] = {**SIDES}
    for name in ("by", "of"):
        if name in type(fact).model_fields:
            changes[name] = MENTEE
    for name in ("starts_at", "due_at"):
        if name in type(fact).model_fields:
            changes[name] = START + 3 * DAY
    return fact.model_copy(update=changes)
