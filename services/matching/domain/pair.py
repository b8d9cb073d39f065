"""The life of a pair as decisions: a pair and a wish in, a pair and its facts out. Pure.

    proposed --both accept--> accepted --start--> started --end--> ended
        \\-----------decline---------/                       (declined)
         \\------someone left--------/                       (withdrawn)

Doing again what is already so changes nothing and says nothing. A stranger learns nothing, not
even that the pair exists.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypedDict, get_args
from uuid import UUID

from services.matching.domain.decision import Decision
from shared.errors import Conflict, Forbidden, NotFound
from shared.events.matching import (
    Ground,
    MatchReason,
    PairAccepted,
    PairDeclined,
    PairEnded,
    PairExpired,
    PairProposed,
    PairStarted,
)
from shared.ids import PairId, PersonId, ProgrammeId

State = Literal["proposed", "accepted", "started", "ended", "declined", "withdrawn", "expired"]
# The codes that readers of the first version of pair.proposed know.
_FIRST_CODES = frozenset(get_args(MatchReason.model_fields["code"].annotation))
PERSON_LEFT = "person_left"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who wants something. `oversees` is true for programme managers and services."""

    person_id: PersonId
    oversees: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people and how far they have come."""

    pair_id: PairId
    programme_id: ProgrammeId
    mentor_id: PersonId
    mentee_id: PersonId
    fit_permille: int
    grounds: tuple[Ground, ...]
    proposed_at: datetime
    state: State = "proposed"
    mentor_accepted: bool = False
    mentee_accepted: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None
    asked_by: PersonId | None = None
    answer_until: datetime | None = None
    run_id: UUID | None = None
    revision: int = 1

    @property
    def members(self) -> tuple[PersonId, PersonId]:
        return self.mentor_id, self.mentee_id


def proposed(pair: Pair) -> PairProposed:
    """The announcement of a new pair."""
    return PairProposed(
        **_named(pair),
        programme_id=pair.programme_id,
        fit=pair.fit_permille / 1000,
        reasons=tuple(
            MatchReason.model_validate(ground.model_dump())
            for ground in pair.grounds
            if ground.code in _FIRST_CODES
        ),
        grounds=pair.grounds,
        run_id=pair.run_id,
        asked_by=pair.asked_by,
        answer_until=pair.answer_until,
    )


def check_visible(pair: Pair, actor: Actor) -> None:
    """Raise NotFound for everyone but the two members and those who oversee the programme."""
    if not actor.oversees and actor.person_id not in pair.members:
        raise NotFound


def accept(pair: Pair, actor: Actor, _now: datetime) -> Decision[Pair]:
    """A member says yes; with the second yes the pair is accepted. Raises Conflict when closed."""
    _require_member(pair, actor, "accept")
    if pair.state not in ("proposed", "accepted", "started"):
        raise _conflict(pair, "accepted")
    is_mentor = actor.person_id == pair.mentor_id
    if pair.mentor_accepted if is_mentor else pair.mentee_accepted:
        return Decision(pair)
    after = replace(
        pair,
        mentor_accepted=pair.mentor_accepted or is_mentor,
        mentee_accepted=pair.mentee_accepted or not is_mentor,
    )
    if after.mentor_accepted and after.mentee_accepted:
        after = replace(after, state="accepted")
    return Decision(after, (PairAccepted(**_named(pair), by=actor.person_id),))


def decline(pair: Pair, actor: Actor, now: datetime) -> Decision[Pair]:
    """A member says no before the pair has started. Raises Conflict afterwards."""
    _require_member(pair, actor, "decline")
    if pair.state == "declined":
        return Decision(pair)
    if pair.state not in ("proposed", "accepted"):
        raise _conflict(pair, "declined")
    after = replace(pair, state="declined", ended_at=now)
    return Decision(after, (PairDeclined(**_named(pair), by=actor.person_id),))


def start(pair: Pair, actor: Actor, now: datetime) -> Decision[Pair]:
    """Begin, once both said yes. Raises Conflict before that and after the end."""
    check_visible(pair, actor)
    if pair.state == "started":
        return Decision(pair)
    if pair.state == "proposed":
        raise Conflict("the pair cannot be started yet: both members have to accept first")
    if pair.state != "accepted":
        raise _conflict(pair, "started")
    after = replace(pair, state="started", started_at=now)
    fact = PairStarted(**_named(pair), programme_id=pair.programme_id, started_at=now)
    return Decision(after, (fact,))


def end(pair: Pair, actor: Actor, now: datetime, reason: str) -> Decision[Pair]:
    """Come to an end that was begun. Raises Conflict for a pair that never started."""
    check_visible(pair, actor)
    if pair.state == "ended":
        return Decision(pair)
    if pair.state != "started":
        raise _conflict(pair, "ended")
    return _ended(pair, now, reason)


def close_for_leaver(pair: Pair, now: datetime) -> Decision[Pair]:
    """One of the two left the organisation: a running pair ends, an open proposal is withdrawn."""
    if pair.state == "started":
        return _ended(pair, now, PERSON_LEFT)
    return withdraw(pair, now, PERSON_LEFT)


def withdraw(pair: Pair, now: datetime, reason: str) -> Decision[Pair]:
    """Take an open proposal back, for a reason that blames nobody. Others stay as they are."""
    if pair.state not in ("proposed", "accepted"):
        return Decision(pair)
    after = replace(pair, state="withdrawn", ended_at=now, end_reason=reason)
    return Decision(after, (PairExpired(**_named(pair), expired_at=now, reason=reason),))


class _Names(TypedDict):
    pair_id: PairId
    mentor_id: PersonId
    mentee_id: PersonId


def _named(pair: Pair) -> _Names:
    return {"pair_id": pair.pair_id, "mentor_id": pair.mentor_id, "mentee_id": pair.mentee_id}


def _ended(pair: Pair, now: datetime, reason: str) -> Decision[Pair]:
    after = replace(pair, state="ended", ended_at=now, end_reason=reason)
    return Decision(after, (PairEnded(**_named(pair), ended_at=now, reason=reason),))


def _require_member(pair: Pair, actor: Actor, verb: str) -> None:
    check_visible(pair, actor)
    if actor.person_id not in pair.members:
        raise Forbidden(f"only the two members can {verb}")


def _conflict(pair: Pair, wish: str) -> Conflict:
    return Conflict(f"a pair that is {pair.state} cannot be {wish}")
