"""Facts that notifications publishes: that something was said, never the words."""

from __future__ import annotations

from typing import ClassVar, Literal
from uuid import UUID

from shared.events.fact import Code, PairFact, Person
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
    """The message was handed over: to the mail server, or into the inbox."""

    type: ClassVar[str] = "notification.sent"


class NotificationFailed(NotificationFact):
    """The message could not be handed over and will not be tried again."""

    type: ClassVar[str] = "notification.failed"

    reason: Code
