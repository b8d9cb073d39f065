"""What a rule says: a row of the table, and what a fact makes pointless. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from services.notifications.domain.message import Message, Params, other_side
from shared.errors import PoisonMessage
from shared.events.fact import PairFact
from shared.ids import PersonId, SessionId, derived_id

# Counted from when the fact happened, so that old facts played again never write to anybody.
NEWS_KEPT = timedelta(days=7)
INVITATION_KEPT = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Said:
    """One message, to one side or both. `thread` is what mails are grouped by, `about` what it is
    about: a later fact about the same thing may make it pointless. `by` is who did it: each reader
    is told whether that was them.
    """

    workflow: str
    to: tuple[PersonId, ...]
    about: UUID
    thread: UUID
    not_before: datetime
    expires_at: datetime
    params: Params = field(default_factory=dict)
    by: PersonId | None = None
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """What has been said of a thing in these ways is pointless now, to one side or to both.

    With `of_pair`, `about` is a pair, and everything about anything of it is pointless to `to`.
    """

    about: UUID
    workflows: frozenset[str]
    to: PersonId | None = None
    of_pair: bool = False

    def ends(self, message: Message) -> bool:
        """Whether that message is one of them."""
        if self.to not in (None, message.to):
            return False
        if self.of_pair:
            return message.pair_id == self.about
        return message.about == self.about and message.workflow in self.workflows


def both(fact: PairFact) -> tuple[PersonId, PersonId]:
    """Mentor and mentee."""
    return fact.mentor_id, fact.mentee_id


def side(fact: PairFact, person: PersonId) -> PersonId:
    """The person, as one of the two. Raises PoisonMessage (`not_of_pair`)."""
    if person not in both(fact):
        raise PoisonMessage("not_of_pair", f"{fact.type}: by: is neither side of the pair")
    return person


def other(fact: PairFact, person: PersonId) -> PersonId:
    """The one who is not that person. Raises PoisonMessage (`not_of_pair`)."""
    return other_side(fact, side(fact, person))


def pair_thread(fact: PairFact) -> UUID:
    """Mails about a pair are one thread."""
    return derived_id("thread", "pair", str(fact.pair_id))


def session_thread(session_id: SessionId) -> UUID:
    """Mails about a session are one thread."""
    return derived_id("thread", "session", str(session_id))


def settled(about: UUID, *workflows: str, to: PersonId | None = None) -> tuple[Settled, ...]:
    """One Settled, as rules return it."""
    return (Settled(about, frozenset(workflows), to),)
