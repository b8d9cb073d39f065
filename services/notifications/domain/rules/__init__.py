"""The rule table: which fact says what, to whom and until when, and what it makes pointless. Pure.

A new rule is a case in the module of its topic, a workflow, and its words in every language. A fact
that is deliberately not spoken of is in SILENT with the reason. A test holds these to the consumed
topics, another to the words.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias, get_args

from services.notifications.domain.message import Cause, Channel, Message, cause_of, message_id
from services.notifications.domain.rules.pairs import (
    PairSettling,
    PairTold,
    said_of_pairs,
    settled_of_pairs,
)
from services.notifications.domain.rules.promises import (
    PromiseSettling,
    PromiseTold,
    said_of_promises,
    settled_of_promises,
)
from services.notifications.domain.rules.said import Said, Settled
from services.notifications.domain.rules.sessions import (
    SessionSettling,
    SessionTold,
    said_of_sessions,
    settled_of_sessions,
)
from services.notifications.domain.workflows import WORKFLOWS
from shared.events.envelope import Event
from shared.events.fact import Fact, PairFact
from shared.events.matching import (
    IntroductionConcluded,
    IntroductionLapsed,
    IntroductionMade,
    IntroductionOffered,
    RankingClosed,
    RankingRequested,
)
from shared.events.people import PersonLeaveEnded, PersonLeaveStarted
from shared.events.sessions import (
    BoundaryBreached,
    BoundaryReminded,
    GoalSet,
    RepairBroken,
    RepairPromised,
)
from shared.ids import PersonId

__all__ = [
    "SETTLING",
    "SILENT",
    "TOLD",
    "Said",
    "Settled",
    "messages_for",
    "said_for",
    "settled_by",
]

Told: TypeAlias = PairTold | SessionTold | PromiseTold
Settling: TypeAlias = PairSettling | SessionSettling | PromiseSettling
TOLD: frozenset[type[Fact]] = frozenset(get_args(Told))
SETTLING: frozenset[type[Fact]] = frozenset(get_args(Settling))

# Neither spoken of nor settling anything.
SILENT: Mapping[type[Fact], str] = {
    RankingRequested: "it is of a person and no pair yet; the participant's page shows it",
    RankingClosed: "nobody waits any longer",
    IntroductionOffered: "its contact is outside the pair; the page of those asked shows it",
    IntroductionLapsed: "a no and no answer look the same",
    IntroductionConcluded: "who met knows it",
    IntroductionMade: "everybody concerned agreed to it a moment ago",
    BoundaryReminded: "who reminds does it in their own words",
    BoundaryBreached: "it is for people to speak about, not for us",
    RepairPromised: "it was acknowledged in person",
    RepairBroken: "the other side has waited for it, and knows",
    GoalSet: "both agreed on it",
    PersonLeaveStarted: "who is away is left in peace",
    PersonLeaveEnded: "what waited for their return comes now",
}
# Why those that only settle something say nothing themselves.
QUIETLY: Mapping[str, str] = {
    "pair.accepted": "a first yes would press the other side; they hear when both have said it",
    "pair.declined": "a no needs no reason and brings no message",
    "pair.expired": "nobody is to feel blamed for a question that was left open",
    "agreement.reviewed": "both looked at it together",
    "session.missed": "one was not there, and the other knows",
    "commitment.declined": "the one who made it hears it from the other",
    "commitment.released": "the one who made it hears it from the other",
    "commitment.kept": "the other side said so itself",
    "commitment.shown_false": "it is for people to speak about, not for us",
    "commitment.missed_warned": "the other side was told ahead, by commitment.warned",
    "commitment.missed_told": "the other side has just been told in person",
    "commitment.acknowledged": "it is for people to speak about, not for us",
    "reply.settled": "nobody waits any longer",
}
_PAIRS, _SESSIONS = get_args(PairTold), get_args(SessionTold)
_OF_PAIRS, _OF_SESSIONS = get_args(PairSettling), get_args(SessionSettling)


def said_for(fact: Fact, at: datetime) -> tuple[Said, ...]:
    """What a fact that happened at `at` says; nothing for silence.

    Raises PoisonMessage (`not_of_pair`) for a fact whose actor is neither side of the pair.
    """
    # By exact type: pydantic's isinstance is slow, and this is asked for every fact.
    kind = type(fact)
    if kind not in TOLD:
        return ()
    if kind in _PAIRS:
        return said_of_pairs(fact, at)  # type: ignore[arg-type]
    if kind in _SESSIONS:
        return said_of_sessions(fact, at)  # type: ignore[arg-type]
    return said_of_promises(fact, at)  # type: ignore[arg-type]


def settled_by(fact: Fact) -> tuple[Settled, ...]:
    """The messages that a fact makes pointless: those that were made before it."""
    kind = type(fact)
    if kind not in SETTLING:
        return ()
    if kind in _OF_PAIRS:
        return settled_of_pairs(fact)  # type: ignore[arg-type]
    if kind in _OF_SESSIONS:
        return settled_of_sessions(fact)  # type: ignore[arg-type]
    return settled_of_promises(fact)  # type: ignore[arg-type]


def messages_for(event: Event) -> tuple[Message, ...]:
    """The messages that an event makes: one for each person and each way it can come by.

    Raises PoisonMessage (`not_of_pair`) for a fact whose actor is neither side of the pair.
    """
    cause = cause_of(event)
    return tuple(
        message_of(event, cause, each, person, channel)
        for each in said_for(event.fact, event.occurred_at)
        for person in each.to
        for channel in WORKFLOWS[each.workflow].channels
    )


def message_of(
    event: Event, cause: Cause, said: Said, person: PersonId, channel: Channel
) -> Message:
    """What is said, to one person by one way."""
    fact = event.fact
    assert isinstance(fact, PairFact)
    params = said.params
    return Message(
        message_id=message_id(event.event_id, person, said.workflow, channel),
        tenant=event.tenant,
        pair_id=fact.pair_id,
        mentor_id=fact.mentor_id,
        mentee_id=fact.mentee_id,
        to=person,
        workflow=said.workflow,
        channel=channel,
        thread=said.thread,
        params={**params, "by_you": int(person == said.by)} if said.by else params,
        about=said.about,
        not_before=said.not_before,
        expires_at=said.expires_at,
        is_urgent=said.is_urgent,
        cause=cause,
    )
