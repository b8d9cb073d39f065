"""One message to one person over one channel, and what makes it the same one. Pure.

A message holds ids, codes and instants; never a name, an address or a sentence. Those come from the
address book and the templates when it is read or sent, so that an erased person is erased here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from shared.events.envelope import Event
from shared.events.fact import PairFact
from shared.ids import NotificationId, PairId, PersonId, TenantId, derived_id

# `calendar` is a mail that holds an invitation; `chat` is where the person asked to be written to.
Channel: TypeAlias = Literal["email", "calendar", "chat", "inbox"]
# Parameters of a template. By convention a name that ends in `_at` holds an ISO 8601 instant.
Params: TypeAlias = Mapping[str, str | int]

# queued -> claimed -> sent | failed, with `waiting_for_address` before, and `gathered` in the place
# of `queued` for what waits for a digest. At any point before it was sent: `expired` (too late to
# be of use) or `suppressed` (must not be said, see the reason).
State: TypeAlias = Literal[
    "waiting_for_address",
    "queued",
    "gathered",
    "claimed",
    "sent",
    "failed",
    "expired",
    "suppressed",
]
Standing: TypeAlias = Literal["unknown", "known", "left"]

# Channels whose delivery is the row itself; the others are handed over by the sending loop.
MAIL: frozenset[Channel] = frozenset({"email", "calendar"})
DELIVERED_BY_ROW: frozenset[Channel] = frozenset({"inbox"})


@dataclass(frozen=True, slots=True)
class Cause:
    """The event a message was made for, as far as its own events have to say so."""

    event_id: UUID
    fact_type: str
    ce_id: str
    correlation_id: str
    traceparent: str


@dataclass(frozen=True, slots=True)
class Message:
    """What is said: `workflow` names the words, `params` fills them, `thread` groups replies.

    `about` is the thing it speaks of (a session, a promise, a question; or the pair): what happens
    to that can make the message pointless. It is said between `not_before` and `expires_at`;
    `is_urgent`, even at night.
    """

    message_id: NotificationId
    tenant: TenantId
    pair_id: PairId
    mentor_id: PersonId
    mentee_id: PersonId
    to: PersonId
    workflow: str
    channel: Channel
    thread: UUID
    params: Params
    about: UUID
    not_before: datetime
    expires_at: datetime
    is_urgent: bool
    cause: Cause


def message_id(event_id: UUID, to: PersonId, workflow: str, channel: Channel) -> NotificationId:
    """The message that this event makes for this person: the same one, however often it comes."""
    return NotificationId(derived_id("message", str(event_id), to, workflow, channel))


def cause_of(event: Event) -> Cause:
    """What a message remembers of the event it was made for."""
    return Cause(
        event_id=event.event_id,
        fact_type=event.fact.type,
        ce_id=event.ce_id,
        correlation_id=event.correlation_id or event.ce_id,
        traceparent=event.traceparent,
    )


def other_side(fact: PairFact, person: PersonId) -> PersonId:
    """The one in the pair that `person` is not."""
    return fact.mentee_id if person == fact.mentor_id else fact.mentor_id
