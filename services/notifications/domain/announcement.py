"""What the other services may know of a message: what became of it, never the words. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from services.notifications.domain.message import Message
from shared.events.envelope import OWN_SOURCE_PREFIX, Event
from shared.events.fact import Fact
from shared.events.notifications import (
    NotificationFailed,
    NotificationHeld,
    NotificationPosted,
    NotificationSent,
    NotificationSuppressed,
)
from shared.ids import derived_id

SERVICE = "notifications"
# An invitation is a mail to everybody but the reader's calendar.
_AS_MAIL = {"calendar": "email"}
NOT_YET = "not_yet"


def sent(message: Message, now: datetime) -> Event:
    """The event that says a message was handed over at `now`."""
    if message.channel == "chat":
        return _event(message, NotificationPosted(**_about(message)), now)
    return _event(message, NotificationSent(**_as_mail(message)), now)


def failed(message: Message, reason: str, now: datetime) -> Event:
    """The event that says a message was given up at `now`, and why."""
    if message.channel == "chat":
        return suppressed(message, reason, now)
    return _event(message, NotificationFailed(**_as_mail(message), reason=reason), now)


def held(message: Message, reason: str, until: datetime, now: datetime) -> Event | None:
    """The event that says a message waits; None for one whose time has not come anyway."""
    if reason == NOT_YET:
        return None
    fact = NotificationHeld(**_about(message), until=until, reason=reason)
    return _event(message, fact, now, reason, until.isoformat())


def suppressed(message: Message, reason: str, now: datetime) -> Event:
    """The event that says a message will not be said, and why."""
    return _event(message, NotificationSuppressed(**_about(message), reason=reason), now)


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


def _as_mail(message: Message) -> dict[str, object]:
    about = _about(message)
    return {**about, "channel": _AS_MAIL.get(message.channel, message.channel)}


def _event(message: Message, fact: Fact, now: datetime, *told: str) -> Event:
    # The id is derived: the same message announced twice is the same event to its readers.
    event_id = derived_id(fact.type, str(message.message_id), *told)
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
