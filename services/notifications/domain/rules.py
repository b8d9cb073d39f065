"""The rule table: which fact says what, to whom, over which channels, and until when. Pure.

A new rule is a fact in `Told`, a case in `_said` and a template; a fact that is deliberately not
spoken of is listed in SILENT with the reason. A test holds the two lists to the consumed topics.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias, assert_never, get_args
from uuid import UUID

from services.notifications.domain.message import (
    Channel,
    Message,
    Params,
    cause_of,
    message_id,
    other_side,
)
from services.notifications.domain.workflows import WORKFLOWS
from shared.errors import PoisonMessage
from shared.events.envelope import Event
from shared.events.fact import Fact, PairFact
from shared.events.matching import (
    IntroductionConcluded,
    IntroductionLapsed,
    IntroductionMade,
    IntroductionOffered,
    PairAccepted,
    PairDeclined,
    PairEnded,
    PairExpired,
    PairProposed,
    PairStarted,
    RankingClosed,
    RankingRequested,
)
from shared.events.people import PersonLeaveEnded, PersonLeaveStarted
from shared.events.sessions import (
    AgreementProposed,
    AgreementReviewed,
    AgreementSigned,
    BoundaryBreached,
    BoundaryReminded,
    CommitmentAccepted,
    CommitmentAcknowledged,
    CommitmentDeclined,
    CommitmentKept,
    CommitmentMade,
    CommitmentMissed,
    CommitmentMissedTold,
    CommitmentMissedWarned,
    CommitmentMoved,
    CommitmentReleased,
    CommitmentRenegotiated,
    CommitmentShownFalse,
    CommitmentWarned,
    GoalProgressed,
    GoalSet,
    RepairBroken,
    RepairDelivered,
    RepairPromised,
    ReplyRequested,
    ReplySettled,
    SessionCancelled,
    SessionHeld,
    SessionMissed,
    SessionRescheduled,
    SessionScheduled,
)
from shared.ids import PersonId, derived_id

Told: TypeAlias = (
    PairProposed
    | PairStarted
    | AgreementSigned
    | SessionScheduled
    | SessionHeld
    | CommitmentWarned
    | CommitmentMissed
)

TOLD: frozenset[type[Fact]] = frozenset(get_args(Told))

SILENT: dict[type[Fact], str] = {
    PairAccepted: "a first yes would press the other side; they hear when both have said it",
    PairDeclined: "a no needs no reason and brings no message",
    PairExpired: "nobody is to feel blamed for a question that was left open",
    RankingRequested: "the participant's page shows what waits for an order",
    RankingClosed: "nobody waits any longer",
    IntroductionOffered: "the pair's page shows what waits for an answer",
    IntroductionLapsed: "a no and no answer look the same",
    IntroductionConcluded: "who met knows it",
    PairEnded: "an ending is spoken about by people first",
    CommitmentMade: "both were there when it was promised",
    CommitmentKept: "the other side said so itself",
    CommitmentMissedWarned: "the other side was told ahead, by commitment.warned",
    CommitmentMissedTold: "the other side has just been told in person",
    IntroductionMade: "everybody concerned agreed to it a moment ago",
    AgreementReviewed: "both looked at it together",
    SessionMissed: "one was not there, and the other knows",
    SessionCancelled: "who called it off says so in person",
    CommitmentRenegotiated: "both agreed on the new time",
    CommitmentShownFalse: "it is for people to speak about, not for us",
    BoundaryReminded: "who reminds does it in their own words",
    BoundaryBreached: "it is for people to speak about, not for us",
    RepairPromised: "it was acknowledged in person",
    RepairBroken: "the other side has waited for it, and knows",
    RepairDelivered: "the other side has just acknowledged it",
    GoalSet: "both agreed on it",
    GoalProgressed: "both noted it",
    AgreementProposed: "the pair's page shows what waits for a signature",
    SessionRescheduled: "who moves it says so in person",
    CommitmentAccepted: "the one who made it hears it from the other",
    CommitmentDeclined: "the one who made it hears it from the other",
    CommitmentReleased: "the one who made it hears it from the other",
    CommitmentMoved: "who is away is left in peace, and the page shows the new time",
    CommitmentAcknowledged: "it is for people to speak about, not for us",
    ReplyRequested: "the pair's page shows what waits for an answer",
    ReplySettled: "nobody waits any longer",
    PersonLeaveStarted: "who is away is left in peace",
    PersonLeaveEnded: "nothing is waiting to be said",
}

# Counted from when the fact happened, so that old facts played again never write to anybody.
NEWS_KEPT = timedelta(days=7)
INVITATION_KEPT = timedelta(days=14)

INBOX: tuple[Channel, ...] = ("inbox",)
EMAIL_AND_INBOX: tuple[Channel, ...] = ("email", "inbox")


@dataclass(frozen=True, slots=True)
class Settled:
    """What has been said of a thing in these ways is pointless now, to one side or to both."""

    about: UUID
    workflows: frozenset[str]
    to: PersonId | None = None


def settled_by(_fact: Fact) -> tuple[Settled, ...]:
    """The messages that a fact makes pointless."""
    return ()


@dataclass(frozen=True, slots=True)
class Said:
    """One row of the table. `thread` is the session where the fact is about one, or the pair."""

    workflow: str
    to: tuple[PersonId, ...]
    channels: tuple[Channel, ...]
    expires_at: datetime
    thread: UUID
    params: Params = field(default_factory=dict)


def messages_for(event: Event) -> tuple[Message, ...]:
    """The messages that an event makes: one for each person and channel, nothing for silence.

    Raises PoisonMessage (`not_of_pair`) for a fact whose actor is neither side of the pair.
    """
    fact = event.fact
    if not isinstance(fact, Told):
        return ()
    said = _said(fact, event.occurred_at)
    return tuple(
        Message(
            message_id=message_id(event.event_id, person, said.workflow, channel),
            tenant=event.tenant,
            pair_id=fact.pair_id,
            mentor_id=fact.mentor_id,
            mentee_id=fact.mentee_id,
            to=person,
            workflow=said.workflow,
            channel=channel,
            thread=said.thread,
            params=said.params,
            about=getattr(fact, "session_id", fact.pair_id),
            not_before=event.occurred_at,
            expires_at=said.expires_at,
            is_urgent=False,
            cause=cause_of(event),
        )
        for person in said.to
        for channel in WORKFLOWS[said.workflow].channels
    )


def _said(fact: Told, at: datetime) -> Said:
    both = (fact.mentor_id, fact.mentee_id)
    pair = derived_id("thread", "pair", str(fact.pair_id))
    match fact:
        case PairProposed():
            return Said("pair_proposed", both, INBOX, at + INVITATION_KEPT, pair)
        case PairStarted():
            return Said("pair_started", both, EMAIL_AND_INBOX, at + INVITATION_KEPT, pair)
        case AgreementSigned():
            terms = {"cadence_days": fact.cadence_days, "notice_hours": fact.notice_hours}
            return Said("agreement_signed", both, INBOX, at + INVITATION_KEPT, pair, terms)
        case SessionScheduled():
            other = (_other(fact, fact.by),)
            when: Params = {
                "starts_at": fact.starts_at.isoformat(),
                "duration_minutes": fact.duration_minutes,
            }
            thread = _session_thread(fact)
            # An invitation is of no use once the session has begun.
            return Said("session_scheduled", other, EMAIL_AND_INBOX, fact.starts_at, thread, when)
        case SessionHeld():
            held = {"starts_at": fact.starts_at.isoformat()}
            return Said("session_held", both, INBOX, at + NEWS_KEPT, _session_thread(fact), held)
        case CommitmentWarned():
            other = (_other(fact, fact.by),)
            due = {"due_at": fact.due_at.isoformat()}
            return Said("commitment_warned", other, EMAIL_AND_INBOX, at + NEWS_KEPT, pair, due)
        case CommitmentMissed():
            # To the maker alone: the other side learns it from a person, not from us.
            maker = (_side(fact, fact.by),)
            due = {"due_at": fact.due_at.isoformat()}
            return Said("commitment_missed", maker, INBOX, at + NEWS_KEPT, pair, due)
        case _:
            assert_never(fact)


def _session_thread(fact: SessionScheduled | SessionHeld) -> UUID:
    return derived_id("thread", "session", str(fact.session_id))


def _side(fact: PairFact, person: PersonId) -> PersonId:
    if person not in (fact.mentor_id, fact.mentee_id):
        raise PoisonMessage("not_of_pair", f"{fact.type}: by: is neither side of the pair")
    return person


def _other(fact: PairFact, person: PersonId) -> PersonId:
    return other_side(fact, _side(fact, person))
