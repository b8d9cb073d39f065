"""Facts about sessions called off, boundaries, repairs, leave: what each is evidence of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.insights.domain.evidence import About, Kind, observe, observe_leave, to_us
from shared.events.envelope import Event, new_event
from shared.events.fact import PairFact
from shared.events.matching import IntroductionMade
from shared.events.people import PersonLeaveEnded, PersonLeaveStarted
from shared.events.sessions import (
    AgreementReviewed,
    BoundaryBreached,
    BoundaryReminded,
    CommitmentRenegotiated,
    CommitmentShownFalse,
    GoalProgressed,
    GoalSet,
    RepairBroken,
    RepairDelivered,
    RepairPromised,
    SessionCancelled,
    SessionMissed,
)
from shared.ids import (
    BoundaryId,
    GoalId,
    IntroductionId,
    PersonId,
    RepairId,
    SessionId,
    TenantId,
    new_id,
)
from tests.unit.insights.facts import ANN, BEN, EVE, START, answered, event, promise, who

THING = UUID("01950000-0000-7000-8000-0000000000aa")


def no_show(*missed_by: PersonId, excused: Any = None) -> SessionMissed:
    return SessionMissed(
        **who(),
        session_id=SessionId(THING),
        starts_at=START,
        missed_by=missed_by,
        excused=excused,
    )


def cancelled(*, with_notice: bool) -> SessionCancelled:
    return SessionCancelled(
        **who(), session_id=SessionId(THING), starts_at=START, by=ANN, with_notice=with_notice
    )


def renegotiated(*, with_notice: bool) -> CommitmentRenegotiated:
    return CommitmentRenegotiated(**promise(), previous_due_at=START, with_notice=with_notice)


def repair(by: PersonId = ANN) -> dict[str, Any]:
    return {**who(), "repair_id": RepairId(new_id()), "by": by, "repairs": THING}


def delivered(*, days_late: float) -> RepairDelivered:
    at = START + timedelta(days=days_late)
    return RepairDelivered(**repair(), missed_due_at=START, delivered_at=at)


def boundary(about: PersonId = BEN) -> dict[str, Any]:
    return {**who(), "boundary_id": BoundaryId(THING), "about": about, "term": "hours"}


def goal() -> dict[str, Any]:
    return {**who(), "goal_id": GoalId(THING)}


def introduced(by: PersonId = ANN) -> IntroductionMade:
    return IntroductionMade(**who(), introduction_id=IntroductionId(THING), by=by)


@pytest.mark.parametrize(
    ("fact", "kind", "about"),
    [
        pytest.param(
            AgreementReviewed(**who(), agreement_version=1, on_time=True),
            Kind.AGREEMENT_REVIEWED, About.BOTH, id="reviewed on time",
        ),
        pytest.param(no_show(BEN), Kind.SESSION_NO_SHOW, About.MENTEE, id="one was not there"),
        pytest.param(no_show(BEN, ANN), Kind.SESSION_NO_SHOW, About.BOTH, id="nobody was there"),
        pytest.param(
            cancelled(with_notice=True), Kind.SESSION_CANCELLED, About.MENTOR, id="called off"
        ),
        pytest.param(
            cancelled(with_notice=False),
            Kind.SESSION_CANCELLED_LATE, About.MENTOR, id="called off too late",
        ),
        pytest.param(
            renegotiated(with_notice=True),
            Kind.COMMITMENT_RENEGOTIATED, About.MENTOR, id="renegotiated in time",
        ),
        pytest.param(
            CommitmentShownFalse(**promise(by=BEN), confirmed_by="both"),
            Kind.COMMITMENT_SHOWN_FALSE, About.MENTEE, id="claimed, and false",
        ),
        pytest.param(
            BoundaryReminded(**boundary()), Kind.BOUNDARY_REMINDED, About.MENTEE, id="reminded"
        ),
        pytest.param(
            BoundaryBreached(**boundary(), confirmed_by="manager"),
            Kind.BOUNDARY_BREACHED, About.MENTEE, id="breached",
        ),
        pytest.param(
            RepairPromised(**repair(), due_at=START),
            Kind.REPAIR_PROMISED, About.MENTOR, id="a repair promised",
        ),
        pytest.param(RepairBroken(**repair()), Kind.REPAIR_BROKEN, About.MENTOR, id="and broken"),
        pytest.param(
            delivered(days_late=14), Kind.REPAIR_DELIVERED, About.MENTOR, id="delivered on day 14"
        ),
        pytest.param(introduced(), Kind.INTRODUCTION_MADE, About.MENTOR, id="introduced"),
        pytest.param(
            GoalSet(**goal(), measurable=True), Kind.GOAL_SET, About.BOTH, id="a goal was set"
        ),
        pytest.param(
            GoalProgressed(**goal(), progress=0.5), Kind.GOAL_PROGRESSED, About.BOTH, id="it moved"
        ),
    ],
)  # fmt: skip
def test_a_fact_is_evidence_about_whom_it_should_be(
    fact: PairFact, kind: Kind, about: About
) -> None:
    seen = observe(event(fact))
    assert seen is not None
    assert (seen.kind, seen.about) == (kind, about)


@pytest.mark.parametrize(
    "fact",
    [
        pytest.param(
            AgreementReviewed(**who(), agreement_version=1, on_time=False), id="reviewed too late"
        ),
        pytest.param(no_show(BEN, excused="leave"), id="away on leave"),
        pytest.param(no_show(BEN, ANN, excused="outage"), id="an outage on both sides"),
        pytest.param(renegotiated(with_notice=False), id="renegotiated without notice"),
        pytest.param(delivered(days_late=14.01), id="a repair after fourteen days"),
    ],
)
def test_what_is_excused_or_too_late_is_no_evidence(fact: PairFact) -> None:
    assert observe(event(fact)) is None


def test_what_belongs_together_has_the_same_ref() -> None:
    of_repair, of_miss = observe(event(delivered(days_late=3))), observe(event(no_show(ANN)))
    of_another = observe(event(no_show(ANN).model_copy(update={"session_id": new_id()})))
    assert of_repair is not None
    assert of_miss is not None
    assert of_another is not None
    assert of_repair.ref == of_miss.ref
    assert of_miss.ref != of_another.ref


def test_an_answer_its_giver_shares_says_so() -> None:
    kept_private = observe(event(answered(True)))
    shared = observe(event(answered(True).model_copy(update={"shared": True})))
    assert kept_private is not None
    assert shared is not None
    assert (kept_private.detail, shared.detail) == (0, 1)


def leave(fact: PersonLeaveStarted | PersonLeaveEnded) -> Event:
    return new_event(fact, event_id=new_id(), tenant=TenantId("acme"), service="hr", now=START)


AWAY = {"person_id": ANN, "leave_id": "l-1", "started_on": date(2026, 3, 9)}


def test_the_end_of_a_leave_tells_its_beginning_too() -> None:
    began = observe_leave(leave(PersonLeaveStarted(**AWAY)))
    whole = observe_leave(leave(PersonLeaveEnded(**AWAY, back_on=date(2026, 3, 23))))
    assert whole[:1] == began
    assert [item.at_us for item in whole] == [
        to_us(datetime(2026, 3, day, tzinfo=UTC)) for day in (9, 23)
    ]


def test_two_leaves_are_two_and_one_told_twice_is_one() -> None:
    told = observe_leave(leave(PersonLeaveStarted(**AWAY)))
    again = observe_leave(leave(PersonLeaveStarted(**AWAY)))
    other = observe_leave(leave(PersonLeaveStarted(**{**AWAY, "leave_id": "l-2"})))
    of_another = observe_leave(leave(PersonLeaveStarted(**{**AWAY, "person_id": EVE})))
    assert told == again
    assert len({told[0].event_id, other[0].event_id, of_another[0].event_id}) == 3


def test_nobody_is_back_before_they_left() -> None:
    with pytest.raises(ValueError, match="back_on lies before started_on"):
        PersonLeaveEnded(**AWAY, back_on=date(2026, 3, 8))
