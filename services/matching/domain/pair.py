"""The life of a pair as decisions: a pair and a wish in, a pair and its facts out. Pure.

    proposed --both accept--> accepted --start--> started --end--> ended
        |\\----------decline---------/                       (declined)
        | \\-----someone left--------/                       (withdrawn)
        |--the asker takes it back-->                        (withdrawn)
        `--no answer by `answer_until`-->                    (expired)

An ask is a proposal whose asker has said yes with it. Time decides what has expired, not whoever
comes to write it down: from `answer_until` on a proposal is over. Doing again what is already so
changes nothing and says nothing. A stranger learns nothing, not even that the pair exists.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypedDict, get_args
from uuid import UUID

from services.matching.domain.decision import Decision
from shared.errors import Conflict, Forbidden, NotFound, Rejected
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
REMATCHED = "rematched"
NOT_ANSWERED = "not_answered"
TAKEN_BACK = "withdrawn"
# What a member may give as the reason of an end: none of them blames anybody.
EndReason = Literal["completed", "goals_met", "moved_on", "no_time", "programme_over", "other"]
Action = Literal["accept", "decline", "withdraw", "start", "end", "rematch"]


class MovedOn(Conflict):
    """The pair has moved on, and this cannot be done any more, or not yet."""

    slug = "pair-moved-on"


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
    accepted_at: datetime | None = None
    revision: int = 1

    @property
    def members(self) -> tuple[PersonId, PersonId]:
        return self.mentor_id, self.mentee_id

    def accepted_by(self, person_id: PersonId) -> bool:
        """Whether this member has said yes."""
        return self.mentor_accepted if person_id == self.mentor_id else self.mentee_accepted


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


def by_now(pair: Pair, now: datetime) -> Pair:
    """The pair as time has left it, whether or not that has been written down."""
    if pair.state != "proposed" or pair.answer_until is None or now < pair.answer_until:
        return pair
    return replace(pair, state="expired", ended_at=pair.answer_until, end_reason=NOT_ANSWERED)


def expire(pair: Pair, now: datetime) -> Decision[Pair]:
    """What time decided by `now`, dated when it did. Nothing for what is answered or closed."""
    after = by_now(pair, now)
    if after == pair or after.ended_at is None:
        return Decision(pair)
    fact = PairExpired(**_named(pair), expired_at=after.ended_at, reason=NOT_ANSWERED)
    return Decision(after, (fact,))


def possible(pair: Pair, actor: Actor, now: datetime) -> tuple[Action, ...]:
    """What this reader may do with the pair now."""
    is_member = actor.person_id in pair.members
    if not is_member and not actor.oversees:
        return ()
    match by_now(pair, now).state:
        case "proposed" if is_member and actor.person_id == pair.asked_by:
            return ("withdraw",)
        case "proposed" if is_member:
            return ("decline",) if pair.accepted_by(actor.person_id) else ("accept", "decline")
        case "accepted":
            return ("decline", "start", "rematch") if is_member else ("start",)
        case "started":
            return ("end", "rematch") if is_member else ("end",)
        case _:
            return ()


def accept(pair: Pair, actor: Actor, now: datetime) -> Decision[Pair]:
    """A member says yes; with the second yes the pair is accepted. Raises MovedOn when closed."""
    _require_member(pair, actor, "accept")
    if by_now(pair, now).state not in ("proposed", "accepted", "started"):
        raise _moved_on(pair, "accepted", actor, now)
    if pair.accepted_by(actor.person_id):
        return Decision(pair)
    is_mentor = actor.person_id == pair.mentor_id
    after = replace(
        pair,
        mentor_accepted=pair.mentor_accepted or is_mentor,
        mentee_accepted=pair.mentee_accepted or not is_mentor,
    )
    if after.mentor_accepted and after.mentee_accepted:
        after = replace(after, state="accepted", accepted_at=now)
    return Decision(after, (PairAccepted(**_named(pair), by=actor.person_id),))


def decline(pair: Pair, actor: Actor, now: datetime) -> Decision[Pair]:
    """A member says no before the pair has started. Raises MovedOn afterwards.

    Who asked takes their ask back instead: a no would keep the two apart for good.
    """
    _require_member(pair, actor, "decline")
    if pair.state == "declined":
        return Decision(pair)
    state = by_now(pair, now).state
    if state == "proposed" and actor.person_id == pair.asked_by:
        raise MovedOn("you asked: take it back instead", allowed=possible(pair, actor, now))
    if state not in ("proposed", "accepted"):
        raise _moved_on(pair, "declined", actor, now)
    after = replace(pair, state="declined", ended_at=now)
    return Decision(after, (PairDeclined(**_named(pair), by=actor.person_id),))


def take_back(pair: Pair, actor: Actor, now: datetime) -> Decision[Pair]:
    """Who asked would rather not have, before the answer. Raises Forbidden or MovedOn."""
    _require_member(pair, actor, "take an ask back")
    if actor.person_id != pair.asked_by:
        raise Forbidden("only who asked can take it back")
    if pair.state == "withdrawn" and pair.end_reason == TAKEN_BACK:
        return Decision(pair)
    if by_now(pair, now).state != "proposed":
        raise _moved_on(pair, "taken back", actor, now)
    return withdraw(pair, now, TAKEN_BACK)


def start(pair: Pair, actor: Actor, now: datetime) -> Decision[Pair]:
    """Begin, once both said yes. Raises MovedOn before that and after the end."""
    check_visible(pair, actor)
    if pair.state == "started":
        return Decision(pair)
    if by_now(pair, now).state == "proposed":
        raise MovedOn(
            "the pair cannot be started yet: both members have to accept first",
            allowed=possible(pair, actor, now),
        )
    if pair.state != "accepted":
        raise _moved_on(pair, "started", actor, now)
    after = replace(pair, state="started", started_at=now)
    fact = PairStarted(**_named(pair), programme_id=pair.programme_id, started_at=now)
    return Decision(after, (fact,))


def end(pair: Pair, actor: Actor, now: datetime, reason: str) -> Decision[Pair]:
    """Come to an end that was begun. Raises MovedOn for a pair that never started, and Rejected
    for what has a way of its own, which keeps nobody's name.
    """
    check_visible(pair, actor)
    if reason == REMATCHED:
        raise Rejected("ask for a new match at /rematch instead", field="reason")
    if pair.state == "ended":
        return Decision(pair)
    if pair.state != "started":
        raise _moved_on(pair, "ended", actor, now)
    return _ended(pair, now, reason)


def rematch(pair: Pair, actor: Actor, now: datetime) -> Decision[Pair]:
    """One of the two would rather be matched anew: it ends, and nothing says which of them.

    Raises MovedOn for a pair that is not accepted or running.
    """
    _require_member(pair, actor, "ask for a new match")
    if pair.state == "ended" and pair.end_reason == REMATCHED:
        return Decision(pair)
    if pair.state not in ("accepted", "started"):
        raise _moved_on(pair, "matched anew", actor, now)
    return _ended(pair, now, REMATCHED)


def close_for_leaver(pair: Pair, now: datetime) -> Decision[Pair]:
    """One of the two left the organisation: a running pair ends, an open proposal is withdrawn."""
    if pair.state == "started":
        return _ended(pair, now, PERSON_LEFT)
    return withdraw(pair, now, PERSON_LEFT)


def withdraw(pair: Pair, now: datetime, reason: str) -> Decision[Pair]:
    """Take an open proposal back, for a reason that blames nobody. Others stay as they are.

    One that was over by then has expired, as of when it was.
    """
    if by_now(pair, now) != pair:
        return expire(pair, now)
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


def _moved_on(pair: Pair, wish: str, actor: Actor, now: datetime) -> MovedOn:
    state = by_now(pair, now).state
    return MovedOn(f"a pair that is {state} cannot be {wish}", allowed=possible(pair, actor, now))
