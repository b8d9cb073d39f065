"""Facts to evidence: what was observed about whom, and when. It says nothing about weights.

Evidence is stored and outlives every version of the model, so the numbers here are permanent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, NamedTuple
from uuid import UUID

from shared.errors import PoisonMessage
from shared.events import matching, sessions
from shared.events.envelope import Event
from shared.events.fact import Fact, PairFact

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY_US = 86_400_000_000


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


class About(IntEnum):
    """Whose behaviour was observed. Stored, so permanent."""

    MENTOR = 1
    MENTEE = 2
    BOTH = 3


class Evidence(NamedTuple):
    """One observation. `detail` is the cadence in days of an agreement and 0 for every other kind.

    `kind` and `about` are plain integers, because a row may have been written by a newer release
    that knows more kinds; a model gives no weight to a kind it does not know.
    """

    event_id: UUID
    at_us: int
    kind: int
    about: int
    detail: int = 0


def to_us(at: datetime) -> int:
    """Microseconds since 1970 in UTC, exactly. `at` must be aware."""
    return (at - EPOCH) // MICROSECOND


def from_us(at_us: int) -> datetime:
    """The aware UTC time of `at_us`."""
    return EPOCH + timedelta(microseconds=at_us)


def observe(event: Event) -> Evidence | None:
    """The evidence in a fact, or None for a fact that is none.

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
    kind, about, detail = seen
    return Evidence(event.event_id, to_us(event.occurred_at), kind, about, detail)


Observation = tuple[Kind, About, int]


def _side(fact: PairFact, person: str) -> About:
    if person == fact.mentor_id:
        return About.MENTOR
    if person == fact.mentee_id:
        return About.MENTEE
    raise PoisonMessage("not_a_member", f"{fact.type}: somebody outside the pair is named")


def _agreement(fact: sessions.AgreementSigned) -> Observation:
    return Kind.AGREEMENT_SIGNED, About.BOTH, fact.cadence_days


def _session(fact: sessions.SessionHeld) -> Observation:
    confirmed = {_side(fact, person) for person in fact.confirmed_by}
    said_both = len(confirmed) == len((About.MENTOR, About.MENTEE))
    kind = Kind.SESSION_HELD_SAID_BOTH if said_both else Kind.SESSION_HELD_SAID_ONE
    return kind, About.BOTH, 0


def _feedback(fact: sessions.FeedbackGiven) -> Observation:
    about = _side(fact, fact.about)
    if _side(fact, fact.by) is about:
        raise PoisonMessage("not_a_member", f"{fact.type}: an answer about oneself")
    yes, no = _ANSWERS[fact.item]
    return (yes if fact.answer else no), about, 0


def _commitment(kind: Kind) -> Callable[[sessions.CommitmentFact], Observation]:
    def read(fact: sessions.CommitmentFact) -> Observation:
        return kind, _side(fact, fact.by), 0

    return read


def _nothing(fact: Fact) -> None:
    """Known, read, and no evidence: what is planned or promised has not been done yet."""


_ANSWERS: dict[str, tuple[Kind, Kind]] = {
    "listened": (Kind.LISTENED_YES, Kind.LISTENED_NO),
    "honest": (Kind.HONEST_YES, Kind.HONEST_NO),
    "prepared": (Kind.PREPARED_YES, Kind.PREPARED_NO),
    "at_ease": (Kind.AT_EASE_YES, Kind.AT_EASE_NO),
}

# By exact type: pydantic's isinstance is slow, and a fact that is not named here must not pass.
_READ: dict[type[Fact], Callable[[Any], Observation | None]] = {
    sessions.AgreementSigned: _agreement,
    sessions.SessionHeld: _session,
    sessions.FeedbackGiven: _feedback,
    sessions.CommitmentKept: _commitment(Kind.COMMITMENT_KEPT),
    sessions.CommitmentMissedWarned: _commitment(Kind.COMMITMENT_MISSED_WARNED),
    sessions.CommitmentMissedTold: _commitment(Kind.COMMITMENT_MISSED_TOLD),
    sessions.CommitmentMissed: _commitment(Kind.COMMITMENT_MISSED),
    sessions.SessionScheduled: _nothing,
    sessions.CommitmentMade: _nothing,
    sessions.CommitmentWarned: _nothing,
    matching.PairProposed: _nothing,
    matching.PairAccepted: _nothing,
    matching.PairDeclined: _nothing,
    matching.PairStarted: _nothing,
    matching.PairEnded: _nothing,
}
