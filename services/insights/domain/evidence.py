"""Facts to evidence: what was observed about whom, and when. It says nothing about weights.

Evidence is stored and outlives every version of the model, so the numbers here are permanent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from typing import Any, NamedTuple
from uuid import UUID

from shared.errors import PoisonMessage
from shared.events import matching, sessions
from shared.events.envelope import Event
from shared.events.fact import Fact, PairFact
from shared.events.people import PersonLeaveEnded, PersonLeaveStarted
from shared.ids import derived_id

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY_US = 86_400_000_000
# A repair later than this after the miss was due is welcome, and refunds nothing.
REPAIR_WITHIN = timedelta(days=14)
_LOW_64 = (1 << 64) - 1


class Kind(IntEnum):
    """What was observed. A value is stored and never changes its meaning; new ones are added."""

    AGREEMENT_SIGNED = 1
    SESSION_HELD_SAID_ONE = 2
    SESSION_HELD_SAID_BOTH = 3
    COMMITMENT_KEPT = 4
    COMMITMENT_MISSED_WARNED = 5
    COMMITMENT_MISSED_TOLD = 6
    COMMITMENT_MISSED = 7
    SESSION_NO_SHOW = 8
    LISTENED_YES = 9
    LISTENED_NO = 10
    HONEST_YES = 11
    HONEST_NO = 12
    PREPARED_YES = 13
    PREPARED_NO = 14
    AT_EASE_YES = 15
    AT_EASE_NO = 16
    AGREEMENT_REVIEWED = 17
    COMMITMENT_RENEGOTIATED = 18
    SESSION_CANCELLED = 19
    SESSION_CANCELLED_LATE = 20
    BOUNDARY_REMINDED = 21
    BOUNDARY_BREACHED = 22
    COMMITMENT_SHOWN_FALSE = 23
    INTRODUCTION_MADE = 24
    REPAIR_PROMISED = 25
    REPAIR_BROKEN = 26
    REPAIR_DELIVERED = 27
    LEAVE_STARTED = 28
    LEAVE_ENDED = 29
    GOAL_SET = 30
    GOAL_PROGRESSED = 31


class About(IntEnum):
    """Whose behaviour was observed. Stored, so permanent."""

    MENTOR = 1
    MENTEE = 2
    BOTH = 3


class Evidence(NamedTuple):
    """One observation.

    `detail` is the cadence in days of an agreement, 1 for an answer that its giver shares, and 0
    for every other kind. `ref` says which session, commitment or leave it was, so that what belongs
    together is found; 0 is none. It means something within one pair only.

    `kind` and `about` are plain integers, because a row may have been written by a newer release
    that knows more kinds; a model gives no weight to a kind it does not know.
    """

    event_id: UUID
    at_us: int
    kind: int
    about: int
    detail: int = 0
    ref: int = 0


def to_us(at: datetime) -> int:
    """Microseconds since 1970 in UTC, exactly. `at` must be aware."""
    return (at - EPOCH) // MICROSECOND


def from_us(at_us: int) -> datetime:
    """The aware UTC time of `at_us`."""
    return EPOCH + timedelta(microseconds=at_us)


def ref_of(id: UUID) -> int:
    """A UUID as a signed 64-bit number, for `Evidence.ref`."""
    number: int = id.int
    folded = (number ^ number >> 64) & _LOW_64
    return folded - (1 << 64) if folded >> 63 else folded


def observe(event: Event) -> Evidence | None:
    """The evidence in a fact about a pair, or None for a fact that is none.

    Raises PoisonMessage: `not_a_member` when the fact names somebody outside its pair,
    `unexpected_type` for a fact that insights does not read.
    """
    fact = event.fact
    read = _READ.get(type(fact))
    if read is None:
        raise PoisonMessage("unexpected_type", f"insights does not read {fact.type}")
    seen = read(fact)
    if seen is None:
        return None
    return Evidence(event.event_id, to_us(event.occurred_at), *seen)


def observe_leave(event: Event) -> tuple[Evidence, ...]:
    """What a fact about a leave says to each pair of the person; `about` is left at 0.

    The ids are made from the leave, not from the event: the end of a leave tells its beginning,
    too, and the topic may have forgotten the fact that began it. The first telling stands.
    """
    fact = event.fact
    assert isinstance(fact, PersonLeaveStarted | PersonLeaveEnded)
    named = (event.tenant, fact.person_id, fact.leave_id)
    ref = ref_of(derived_id("leave", *named))
    began = derived_id("leave", *named, "started")
    found = [Evidence(began, _midnight_us(fact.started_on), Kind.LEAVE_STARTED, 0, 0, ref)]
    if isinstance(fact, PersonLeaveEnded):
        ended = derived_id("leave", *named, "ended")
        found.append(Evidence(ended, _midnight_us(fact.back_on), Kind.LEAVE_ENDED, 0, 0, ref))
    return tuple(found)


def _midnight_us(day: date) -> int:
    # UTC: a day on the wire has no zone, and half-lives are counted in months.
    return (day - EPOCH.date()).days * DAY_US


Observation = tuple[Kind, About, int, int]


def _side(fact: PairFact, person: str) -> About:
    if person == fact.mentor_id:
        return About.MENTOR
    if person == fact.mentee_id:
        return About.MENTEE
    raise PoisonMessage("not_a_member", f"{fact.type}: somebody outside the pair is named")


def _sides(fact: PairFact, people: Iterable[str]) -> About:
    found = {_side(fact, person) for person in people}
    return About.BOTH if len(found) == len((About.MENTOR, About.MENTEE)) else found.pop()


def _agreement(fact: sessions.AgreementSigned) -> Observation:
    return Kind.AGREEMENT_SIGNED, About.BOTH, fact.cadence_days, 0


def _review(fact: sessions.AgreementReviewed) -> Observation | None:
    return (Kind.AGREEMENT_REVIEWED, About.BOTH, 0, 0) if fact.on_time else None


def _session(fact: sessions.SessionHeld) -> Observation:
    both = _sides(fact, fact.confirmed_by) is About.BOTH
    kind = Kind.SESSION_HELD_SAID_BOTH if both else Kind.SESSION_HELD_SAID_ONE
    return kind, About.BOTH, 0, ref_of(fact.session_id)


def _no_show(fact: sessions.SessionMissed) -> Observation | None:
    about = _sides(fact, fact.missed_by)
    return None if fact.excused else (Kind.SESSION_NO_SHOW, about, 0, ref_of(fact.session_id))


def _cancelled(fact: sessions.SessionCancelled) -> Observation:
    kind = Kind.SESSION_CANCELLED if fact.with_notice else Kind.SESSION_CANCELLED_LATE
    return kind, _side(fact, fact.by), 0, ref_of(fact.session_id)


def _renegotiated(fact: sessions.CommitmentRenegotiated) -> Observation | None:
    about = _side(fact, fact.by)
    if not fact.with_notice:
        return None
    return Kind.COMMITMENT_RENEGOTIATED, about, 0, ref_of(fact.commitment_id)


def _commitment(kind: Kind) -> Callable[[sessions.CommitmentFact], Observation]:
    def read(fact: sessions.CommitmentFact) -> Observation:
        return kind, _side(fact, fact.by), 0, ref_of(fact.commitment_id)

    return read


def _boundary(kind: Kind) -> Callable[[sessions.BoundaryFact], Observation]:
    def read(fact: sessions.BoundaryFact) -> Observation:
        return kind, _side(fact, fact.about), 0, ref_of(fact.boundary_id)

    return read


def _repair(kind: Kind) -> Callable[[sessions.RepairFact], Observation]:
    def read(fact: sessions.RepairFact) -> Observation:
        return kind, _side(fact, fact.by), 0, ref_of(fact.repairs)

    return read


def _delivered(fact: sessions.RepairDelivered) -> Observation | None:
    seen = _repair(Kind.REPAIR_DELIVERED)(fact)
    return seen if fact.delivered_at - fact.missed_due_at <= REPAIR_WITHIN else None


def _introduction(fact: matching.IntroductionMade) -> Observation:
    return Kind.INTRODUCTION_MADE, _side(fact, fact.by), 0, 0


def _goal(kind: Kind) -> Callable[[sessions.GoalFact], Observation]:
    def read(fact: sessions.GoalFact) -> Observation:
        return kind, About.BOTH, 0, ref_of(fact.goal_id)

    return read


def _feedback(fact: sessions.FeedbackGiven) -> Observation:
    about = _side(fact, fact.about)
    if _side(fact, fact.by) is about:
        raise PoisonMessage("not_a_member", f"{fact.type}: an answer about oneself")
    yes, no = ANSWERS[fact.item]
    return (yes if fact.answer else no), about, int(fact.shared), ref_of(fact.session_id)


def _nothing(fact: Fact) -> None:
    """Known, read, and no evidence: what is planned or promised has not been done yet."""


ANSWERS: dict[str, tuple[Kind, Kind]] = {
    "listened": (Kind.LISTENED_YES, Kind.LISTENED_NO),
    "honest": (Kind.HONEST_YES, Kind.HONEST_NO),
    "prepared": (Kind.PREPARED_YES, Kind.PREPARED_NO),
    "at_ease": (Kind.AT_EASE_YES, Kind.AT_EASE_NO),
}

# By exact type: pydantic's isinstance is slow, and a fact that is not named here must not pass.
_READ: dict[type[Fact], Callable[[Any], Observation | None]] = {
    sessions.AgreementSigned: _agreement,
    sessions.AgreementReviewed: _review,
    sessions.SessionHeld: _session,
    sessions.SessionMissed: _no_show,
    sessions.SessionCancelled: _cancelled,
    sessions.FeedbackGiven: _feedback,
    sessions.CommitmentKept: _commitment(Kind.COMMITMENT_KEPT),
    sessions.CommitmentMissedWarned: _commitment(Kind.COMMITMENT_MISSED_WARNED),
    sessions.CommitmentMissedTold: _commitment(Kind.COMMITMENT_MISSED_TOLD),
    sessions.CommitmentMissed: _commitment(Kind.COMMITMENT_MISSED),
    sessions.CommitmentRenegotiated: _renegotiated,
    sessions.CommitmentShownFalse: _commitment(Kind.COMMITMENT_SHOWN_FALSE),
    sessions.BoundaryReminded: _boundary(Kind.BOUNDARY_REMINDED),
    sessions.BoundaryBreached: _boundary(Kind.BOUNDARY_BREACHED),
    sessions.RepairPromised: _repair(Kind.REPAIR_PROMISED),
    sessions.RepairBroken: _repair(Kind.REPAIR_BROKEN),
    sessions.RepairDelivered: _delivered,
    sessions.GoalSet: _goal(Kind.GOAL_SET),
    sessions.GoalProgressed: _goal(Kind.GOAL_PROGRESSED),
    matching.IntroductionMade: _introduction,
    sessions.AgreementProposed: _nothing,
    sessions.SessionScheduled: _nothing,
    sessions.SessionRescheduled: _nothing,
    sessions.CommitmentAccepted: _nothing,
    sessions.CommitmentDeclined: _nothing,
    sessions.CommitmentReleased: _nothing,
    sessions.CommitmentMoved: _nothing,
    sessions.CommitmentAcknowledged: _nothing,
    sessions.ReplyRequested: _nothing,
    sessions.ReplySettled: _nothing,
    sessions.CommitmentMade: _nothing,
    sessions.CommitmentWarned: _nothing,
    matching.PairProposed: _nothing,
    matching.PairAccepted: _nothing,
    matching.PairDeclined: _nothing,
    matching.PairExpired: _nothing,
    matching.IntroductionOffered: _nothing,
    matching.IntroductionLapsed: _nothing,
    matching.IntroductionConcluded: _nothing,
    matching.PairStarted: _nothing,
    matching.PairEnded: _nothing,
}
