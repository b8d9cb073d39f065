"""The in-app inbox: a message is delivered by being stored. Gives it its words when it is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from services.notifications.channels import Letter
from services.notifications.domain.attempt import Outcome
from services.notifications.domain.message import Channel
from services.notifications.queries.reading import Entry
from services.notifications.rendering import Templates


class InboxChannel:
    """For messages whose time comes later than their fact: there is nothing to hand over."""

    carries: Sequence[Channel] = ("inbox",)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[InboxChannel]:
        """Always open."""
        yield self

    async def deliver(self, _letter: Letter, _now: datetime) -> Outcome:
        """It is there once that is written down."""
        return Outcome("accepted")


@dataclass(frozen=True, slots=True)
class Item:
    """One inbox message as its reader sees it."""

    message_id: str
    pair_id: str
    workflow: str
    title: str
    text: str
    because_of: str
    sent_at: datetime
    read_at: datetime | None


def item(entry: Entry, templates: Templates) -> Item:
    """The entry in its reader's language, with the names as they are known now."""
    message = entry.message
    words = templates.render(message, entry.reader)
    return Item(
        message_id=str(message.message_id),
        pair_id=str(message.pair_id),
        workflow=message.workflow,
        title=words.subject,
        text=words.text,
        because_of=str(message.cause.event_id),
        sent_at=entry.sent_at,
        read_at=entry.read_at,
    )
