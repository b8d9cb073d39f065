"""A boundary: the other side is reminded politely first; only then is a breach claimed. Pure.

    reminded --claim (who reminded; it happened since)----> claimed

    claimed --confirm (the accused)-----------------------> breached, as both say
      |--contest (the accused)----------------------------> contested
      |--withdraw (who claimed)---------------------------> reminded
      |--resolve (a manager of neither side)--------------> breached, or dismissed
      `--not settled in 14 days of presence---------------> dismissed: no evidence

    contested: as claimed, but for the accused, who has had their say; 14 days for a manager

What was breached or dismissed can be claimed again, when it happened again later. A claim is
between the two, and a manager, until it is settled: nothing is published of it before, and nothing
at all of what is dismissed. Silence settles nothing, so a manager need not wait for the accused.

Only times decide, never whether the sweeper has been.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from services.sessions.domain.happened import Happened
from services.sessions.domain.pair import Pair
from services.sessions.domain.presence import NEVER, deadline
from services.sessions.domain.thing import Decision, Reply
from shared.errors import Conflict, Forbidden, Rejected
from shared.events.sessions import BoundaryBreached, BoundaryReminded
from shared.ids import BoundaryId, PairId, PersonId, TenantId

# A closed list: a fact carries no free text.
Term = Literal["hours", "channel", "topic", "other"]
State = Literal["reminded", "claimed", "contested", "breached", "dismissed"]
Action = Literal["claim", "withdraw", "confirm", "contest", "resolve"]
Outcome = Literal["breached", "nothing"]
Who = Literal["claimant", "accused", "judge"]
ONGOING: tuple[State, ...] = ("claimed", "contested")

ANSWER_WITHIN = timedelta(days=14)
SETTLE_WITHIN = timedelta(days=14)
REMIND_AGAIN_AFTER = timedelta(days=30)

_INCLUDES: dict[Term, str] = {
    "hours": "honoring agreed-upon meeting times",
    "channel": "honoring agreed-upon communication channels",
    "topic": "not pushing the other person beyond their comfort zone",
    "other": "honoring agreed-upon meeting times and communication channels, and not pushing the"
    " other person beyond their comfort zone",
}
# How the other side is asked: politely, and in no words of the one who asks.
WORDS: dict[Term, str] = {
    term: f"Trust also means respecting each other’s boundaries. This includes {words}."
    for term, words in _INCLUDES.items()
}


class RemindedAlready(Conflict):
    """You have reminded them of this lately."""

    slug = "reminded-already"


class BoundaryNotNow(Conflict):
    """This cannot be done with the boundary as it is."""

    slug = "boundary-not-now"


@dataclass(frozen=True, slots=True)
class Claim:
    """That it happened in spite of the reminder. Not settled at `until`, it is dismissed."""

    happened_at: datetime
    claimed_at: datetime
    until: datetime
    contested_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Boundary:
    """`about` is the side that was reminded. `claim` is there while it is claimed or contested.

    `after` is when what was settled last happened, `breached_at` when the newest breach did, and
    `confirmed_by` who said so.
    """

    tenant: TenantId
    pair_id: PairId
    boundary_id: BoundaryId
    reminded_by: PersonId
    about: PersonId
    term: Term
    reminded_at: datetime
    state: State = "reminded"
    claim: Claim | None = None
    after: datetime | None = None
    breached_at: datetime | None = None
    confirmed_by: Literal["both", "manager"] | None = None
    revision: int = 1

    @property
    def id(self) -> UUID:
        return self.boundary_id

    @property
    def sweep_at(self) -> datetime:
        """When time decides; NEVER while nothing is claimed."""
        return self.claim.until if self.claim else NEVER

    @property
    def reply(self) -> Reply | None:
        """The accused has the word, until they have said that it was not so."""
        if self.state != "claimed" or self.claim is None:
            return None
        until = self.claim.until
        return Reply(self.about, "pair", until if until < NEVER else None)


def require_due(earlier: Boundary | None, now: datetime) -> None:
    """Raise RemindedAlready when the same side reminded of the same term within 30 days.

    `earlier` is the newest such reminder.
    """
    if earlier is None or now >= earlier.reminded_at + REMIND_AGAIN_AFTER:
        return
    can = allowed(earlier, "claimant", now)
    instead = (
        f"if it happened since then, claim it with boundary {earlier.boundary_id}"
        if "claim" in can
        else f"boundary {earlier.boundary_id} waits for an answer; what you can do now: withdraw"
    )
    raise RemindedAlready(
        f"you reminded them at {earlier.reminded_at.isoformat()}, and can again after 30 days;"
        f" {instead}",
        field="term",
        allowed=can,
    )


def remind(
    pair: Pair, boundary_id: BoundaryId, by: PersonId, term: Term, now: datetime
) -> Decision[Boundary]:
    """Ask the other side to keep to it; `require_due` has said that one can. Raises PairEnded."""
    about = pair.other(by)
    pair.require_active()
    boundary = Boundary(pair.tenant, pair.pair_id, boundary_id, by, about, term, now)
    fact = BoundaryReminded(**pair.sides, boundary_id=boundary_id, about=about, term=term)
    return boundary, (Happened(pair.tenant, fact, now),)


def claim(
    pair: Pair, boundary: Boundary, by: PersonId, now: datetime, happened_at: datetime
) -> Decision[Boundary]:
    """Who reminded says that it happened nevertheless. Saying so again changes nothing.

    Raises Forbidden, BoundaryNotNow, PairEnded, or Rejected for a time at which it cannot have
    happened: before the reminder, not after what was settled last, or ahead.
    """
    it = standing(boundary, now)
    if it.claim and by == it.reminded_by and it.claim.happened_at == happened_at:
        return it, ()
    _require(pair, it, by, "claim", now)
    pair.require_active()
    if not it.reminded_at <= happened_at <= now:
        words = "happened_at lies between the reminder and now"
        raise Rejected(words, field="happened_at")
    if it.after is not None and happened_at <= it.after:
        words = f"what happened until {it.after.isoformat()} is settled; this has to be later"
        raise Rejected(words, field="happened_at")
    said = Claim(happened_at, now, deadline(now, ANSWER_WITHIN, pair))
    return replace(it, state="claimed", claim=said), ()


def confirm(pair: Pair, boundary: Boundary, by: PersonId, now: datetime) -> Decision[Boundary]:
    """The accused says that it was so. It is dated as it happened.

    Raises NotFound for a stranger, Forbidden, or BoundaryNotNow.
    """
    it = standing(boundary, now)
    if (by, it.state, it.confirmed_by) == (it.about, "breached", "both"):
        return it, ()
    _require(pair, it, by, "confirm", now)
    return _breached(pair, it, "both")


def contest(pair: Pair, boundary: Boundary, by: PersonId, now: datetime) -> Decision[Boundary]:
    """The accused says that it was not so: a manager settles it, or it is taken back.

    Raises NotFound for a stranger, Forbidden, or BoundaryNotNow.
    """
    it = standing(boundary, now)
    if (by, it.state) == (it.about, "contested"):
        return it, ()
    _require(pair, it, by, "contest", now)
    assert it.claim is not None
    said = replace(it.claim, contested_at=now, until=now + SETTLE_WITHIN)
    return replace(it, state="contested", claim=said), ()


def withdraw(pair: Pair, boundary: Boundary, by: PersonId, now: datetime) -> Decision[Boundary]:
    """Who claimed takes it back; the reminder stays.

    Raises NotFound for a stranger, Forbidden, or BoundaryNotNow.
    """
    it = standing(boundary, now)
    _require(pair, it, by, "withdraw", now)
    return replace(it, state="reminded", claim=None), ()


def resolve(
    pair: Pair, boundary: Boundary, by: PersonId, now: datetime, outcome: Outcome
) -> Decision[Boundary]:
    """A manager of neither side settles it; `nothing` is no evidence. Raises BoundaryNotNow."""
    it = standing(boundary, now)
    if by in pair.members:
        raise Forbidden("only a manager who is of neither side can settle it")
    _require_now(it, "judge", "resolve", now)
    return _breached(pair, it, "manager") if outcome == "breached" else (_dismissed(it), ())


def standing(boundary: Boundary, now: datetime) -> Boundary:
    """The boundary as it is at `now`, whether or not the sweeper has been."""
    if boundary.state not in ONGOING or now < boundary.sweep_at:
        return boundary
    return _dismissed(boundary)


def close(pair: Pair, boundary: Boundary) -> Decision[Boundary]:  # noqa: ARG001
    """What is so at `sweep_at` of a claim that nobody settled: it is no evidence, and no fact."""
    return standing(boundary, boundary.sweep_at), ()


def allowed(boundary: Boundary, who: Who, now: datetime) -> tuple[Action, ...]:
    """What `who` may do with the boundary at `now`."""
    state = standing(boundary, now).state
    if who == "judge":
        return ("resolve",) if state in ONGOING else ()
    if who == "accused":
        return ("confirm", "contest") if state == "claimed" else ()
    return ("withdraw",) if state in ONGOING else ("claim",)


_OF: dict[Action, Who] = {
    "claim": "claimant",
    "withdraw": "claimant",
    "confirm": "accused",
    "contest": "accused",
    "resolve": "judge",
}
_ONLY: dict[Who, str] = {
    "claimant": "only the side that reminded can say so",
    "accused": "only the side that was reminded can say so",
    "judge": "only a manager who is of neither side can settle it",
}


def who_is(boundary: Boundary, person: PersonId) -> Who:
    """What `person`, one of the two, is to the boundary."""
    return "claimant" if person == boundary.reminded_by else "accused"


def _require(pair: Pair, it: Boundary, by: PersonId, action: Action, now: datetime) -> None:
    pair.side_of(by)
    if who_is(it, by) != _OF[action]:
        raise Forbidden(_ONLY[_OF[action]])
    _require_now(it, _OF[action], action, now)


def _require_now(it: Boundary, who: Who, action: Action, now: datetime) -> None:
    can = allowed(it, who, now)
    if action not in can:
        instead = f"what you can do now: {', '.join(can)}" if can else "there is nothing to do now"
        raise BoundaryNotNow(f"the boundary is {it.state}; {instead}", allowed=can)


def _breached(
    pair: Pair, it: Boundary, confirmed_by: Literal["both", "manager"]
) -> Decision[Boundary]:
    assert it.claim is not None
    at = it.claim.happened_at
    fact = BoundaryBreached(
        **pair.sides,
        boundary_id=it.boundary_id,
        about=it.about,
        term=it.term,
        confirmed_by=confirmed_by,
    )
    it = replace(
        it, state="breached", claim=None, after=at, breached_at=at, confirmed_by=confirmed_by
    )
    return it, (Happened(pair.tenant, fact, at),)


def _dismissed(it: Boundary) -> Boundary:
    assert it.claim is not None
    return replace(it, state="dismissed", claim=None, after=it.claim.happened_at)
