"""From a message that may be said to a letter: words, link, invitation. Reads and sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from services.notifications.channels import Invitation, Letter
from services.notifications.domain.message import Message
from services.notifications.domain.workflows import DIGEST, WORKFLOWS
from services.notifications.queries.messages import Due
from services.notifications.rendering import Templates, plain_name
from shared.ids import NotificationId, PersonId, TenantId

# A link that stops messages of a category to a person; None where no such links are made.
Link: TypeAlias = Callable[[TenantId, PersonId, str], str]
# A tenant's own words, by tenant, workflow and language.
Overrides: TypeAlias = Mapping[tuple[TenantId, str, str], str]

_INVITING = frozenset({"session_scheduled", "session_rescheduled", "session_cancelled"})
# Sequences are whole seconds since then: they grow, and fit in the 31 bits calendars read.
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Composer:
    """Makes letters. The same message makes the same letter, as long as names and words stay."""

    templates: Templates
    link: Link | None

    def letter(self, due: Due) -> Letter:
        """The letter of one message."""
        message = due.message
        workflow = WORKFLOWS[message.workflow]
        stops = not (workflow.is_transactional or workflow.is_critical)
        return Letter(
            message_id=message.message_id,
            thread=message.thread,
            address=due.address or "",
            name=due.reader.name or "",
            words=self.templates.render(message, due.reader),
            unsubscribe=self._link(message, workflow.category) if stops else None,
            invitation=_invitation(due) if message.channel == "calendar" else None,
        )

    def digest(self, digest_id: UUID, items: Sequence[Due]) -> Letter:
        """One letter of several messages to one person."""
        first = items[0]
        words = self.templates.render_digest([each.message for each in items], first.reader)
        return Letter(
            message_id=NotificationId(digest_id),
            thread=digest_id,
            address=first.address or "",
            name=first.reader.name or "",
            words=words,
            unsubscribe=self._link(first.message, DIGEST.category),
        )

    def _link(self, message: Message, category: str) -> str | None:
        return self.link(message.tenant, message.to, category) if self.link else None


def _invitation(due: Due) -> Invitation | None:
    message = due.message
    if message.workflow not in _INVITING:
        return None
    params = message.params
    # What makes an invitation is said at once: its time is that of the fact.
    told_at = message.not_before
    return Invitation(
        session_id=message.about,
        sequence=int((told_at - _EPOCH).total_seconds()),
        told_at=told_at,
        starts_at=datetime.fromisoformat(str(params["starts_at"])),
        # A session that is called off takes no time; calendars want to be told one all the same.
        duration=timedelta(minutes=int(params.get("duration_minutes", 60))),
        is_cancelled=message.workflow == "session_cancelled",
        other_name=plain_name(due.reader.other_name or ""),
    )
