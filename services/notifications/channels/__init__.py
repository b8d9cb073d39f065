"""Channels: how a message reaches a person. Adapters of one small protocol; no rules, no SQL."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from services.notifications.domain.attempt import Outcome
from services.notifications.domain.message import Channel as Name
from services.notifications.rendering import Words
from shared.ids import NotificationId


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a calendar is told of a session. The same `session_id` is the same entry, and of two
    tellings the one with the larger `sequence` counts (RFC 5546 2.1.4).
    """

    session_id: UUID
    sequence: int
    told_at: datetime
    starts_at: datetime
    duration: timedelta
    is_cancelled: bool
    other_name: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A message with its words and its address: lives only while it is handed over.

    `unsubscribe` is the link that stops messages of its kind, None for those nobody can stop.
    """

    message_id: NotificationId
    thread: UUID
    address: str
    name: str
    words: Words
    unsubscribe: str | None = None
    invitation: Invitation | None = None


class Post(Protocol):
    """An open way to the receiving side, used for one batch, by several tasks at once."""

    async def deliver(self, letter: Letter, now: datetime, /) -> Outcome:
        """Hand one letter over. Says how it ended; raises nothing for what the other side does."""
        ...


class Channel(Protocol):
    """A way to people that needs sending, apart from what the service itself stores."""

    @property
    def carries(self) -> Sequence[Name]:
        """The `channel`s of the messages that go this way."""
        ...

    def open(self) -> AbstractAsyncContextManager[Post]:
        """A way for one batch; a receiving side that is away shows at the first delivery."""
        ...
