"""Facts that notifications publishes: that something was said or not, and why; never the words.

`sent` and `failed` are of mail and inbox, whose names are closed sets. What came later has types of
its own, in which a channel is any code.
"""

from __future__ import annotations

from typing import ClassVar, Literal
from uuid import UUID

from shared.events.fact import Code, Instant, PairFact, Person
from shared.events.topics import NOTIFICATIONS, Topic
from shared.ids import NotificationId

Channel = Literal["email", "inbox"]


class NotificationFact(PairFact):
    """About one message to one person over one channel, told because of the fact `because_of`."""

    topic: ClassVar[Topic] = NOTIFICATIONS

    notification_id: NotificationId
    person_id: Person
    workflow: Code
    channel: Channel
    because_of: UUID


class NotificationSent(NotificationFact):
    """The message was handed over: to the mail server (invitations too), or into the inbox."""

    type: ClassVar[str] = "notification.sent"


class NotificationFailed(NotificationFact):
    """The message could not be handed over and will not be tried again."""

    type: ClassVar[str] = "notification.failed"

    reason: Code


class AttentionFact(PairFact):
    """As a NotificationFact, over a channel of any name: `email`, `calendar`, `chat`, `inbox`."""

    topic: ClassVar[Topic] = NOTIFICATIONS

    notification_id: NotificationId
    person_id: Person
    workflow: Code
    channel: Code
    because_of: UUID


class NotificationPosted(AttentionFact):
    """The message was handed over to its reader's chat."""

    type: ClassVar[str] = "notification.posted"


class NotificationHeld(AttentionFact):
    """The message waits, for this is no time at which its reader wants to be written to."""

    type: ClassVar[str] = "notification.held"

    until: Instant
    reason: Code


class NotificationSuppressed(AttentionFact):
    """The message will not be said: it has become pointless, or its reader does not want it."""

    type: ClassVar[str] = "notification.suppressed"

    reason: Code
