"""What the other services may know of a message: that it was said, never the words. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from services.notifications.domain.message import Message
from shared.events.envelope import OWN_SOURCE_PREFIX, Event
from shared.events.notifications import NotificationFailed, NotificationSent
from shared.ids import derived_id

SERVICE = "notifications"


def sent(message: Message, now: datetime) -> Event:
    """The event that says a message was handed over at `now`."""
    return _event(message, NotificationSent(**_about(message)), now)


def failed(message: Message, reason: str, now: datetime) -> Event:
    """The event that says a message was given up at `now`, and why."""
    return _event(message, NotificationFailed(**_about(message), reason=reason), now)


def _about(message: Message) -> dict[str, object]:
    return {
        "pair_id": message.pair_id,
        "mentor_id": message.mentor_id,
        "mentee_id": message.mentee_id,
        "notification_id": message.message_id,
        "person_id": message.to,
        "workflow": message.workflow,
        "channel": message.channel,
        "because_of": message.cause.event_id,
    }


def _event(message: Message, fact: NotificationSent | NotificationFailed, now: datetime) -> Event:
    # The id is derived: the same message announced twice is the same event to its readers.
    event_id = derived_id(fact.type, str(message.message_id))
    return Event(
        event_id=event_id,
        source=OWN_SOURCE_PREFIX + SERVICE,
        tenant=message.tenant,
        occurred_at=now.astimezone(UTC),
        fact=fact,
        ce_id=str(event_id),
        correlation_id=message.cause.correlation_id,
        causation_id=message.cause.ce_id,
        traceparent=message.cause.traceparent,
    )
