"""A message as it is first written down: its state, why, and from when it may be taken. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never
from uuid import UUID

from services.notifications.domain import announcement
from services.notifications.domain.attention import (
    Attention,
    Decision,
    Drop,
    DroppedBy,
    Gather,
    Hold,
    Say,
)
from services.notifications.domain.message import DELIVERED_BY_ROW, Channel, Message, State
from services.notifications.domain.workflow import Workflow
from shared.events.envelope import Event

_OPEN: frozenset[State] = frozenset({"waiting_for_address", "queued", "gathered"})


@dataclass(frozen=True, slots=True)
class Digest:
    """The digest that is open for a person. When it closes was said when it was opened."""

    digest_id: UUID
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    """A row to write, and what the others are told of it."""

    message: Message
    value: int
    state: State
    reason: str | None
    due_at: datetime
    news: Event | None = None
    digest_id: UUID | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be said."""
        return self.state in _OPEN

    def joining(self, digest: Digest) -> Planned:
        """The same, in this digest."""
        return replace(self, due_at=digest.closes_at, digest_id=digest.digest_id)

    def dropped(self, reason: DroppedBy, now: datetime) -> Planned:
        """The same, never to be said."""
        news = announcement.suppressed(self.message, reason, now)
        return replace(self, state="suppressed", reason=reason, due_at=now, news=news)


def ways(workflow: Workflow, reader: Attention) -> tuple[Channel, ...]:
    """The ways in which the reader could expect such a message; of the others nothing is written.

    What is off unless its reader asks for it, and they have not, was never meant to be sent. What
    they have turned off is: it is on record that it was not said, and why.
    """
    return tuple(
        channel
        for channel, default in workflow.channels.items()
        if default != "off" or reader.wishes.mode(workflow, channel) != "off"
    )


def planned(
    message: Message, workflow: Workflow, reader: Attention, decision: Decision, now: datetime
) -> Planned:
    """The row that a decision makes of a message."""

    def row(state: State, reason: str | None, due_at: datetime, news: Event | None) -> Planned:
        return Planned(message, workflow.value, state, reason, due_at, news)

    match decision:
        case Drop("too_late"):
            return row("expired", "too_late", now, None)
        case Drop(reason):
            return row("suppressed", reason, now, announcement.suppressed(message, reason, now))
        case Say() if message.channel in DELIVERED_BY_ROW:
            return row("sent", None, now, announcement.sent(message, now))
        case _ if reader.standing == "unknown" and message.channel not in DELIVERED_BY_ROW:
            return row("waiting_for_address", None, now, None)
        case Say():
            return row("queued", None, now, None)
        case Gather(at):
            return row("gathered", None, at, None)
        case Hold(until, reason):
            return row("queued", reason, until, announcement.held(message, reason, until, now))
        case _:
            assert_never(decision)
