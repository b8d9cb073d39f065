"""Channels: how a message reaches a person. Adapters of one small protocol; no rules, no SQL."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.notifications.domain.attempt import Outcome
from services.notifications.rendering import Words
from shared.ids import NotificationId


@dataclass(frozen=True, slots=True)
class Letter:
    """A message with its words and its address: lives only while it is handed over."""

    message_id: NotificationId
    thread: UUID
    address: str
    name: str
    words: Words


class Post(Protocol):
    """An open way to the receiving side, used for one batch."""

    async def deliver(self, letter: Letter, now: datetime) -> Outcome:
        """Hand one letter over. Says how it ended; raises nothing for what the other side does."""
        ...


class Channel(Protocol):
    """A way to people that needs sending, apart from what the service itself stores."""

    @property
    def name(self) -> str:
        """As in the message's `channel`."""
        ...

    def open(self) -> AbstractAsyncContextManager[Post]:
        """A way for one batch; a receiving side that is away shows at the first delivery."""
        ...
