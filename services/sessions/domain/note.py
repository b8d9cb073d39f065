"""Notes of a pair: for the two alone, and each its author's to change. Pure.

Nothing is ever published of a note, not even that there is one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.sessions.domain.pair import Pair
from services.sessions.domain.thing import Decision
from shared.errors import Conflict, Forbidden
from shared.ids import PairId, PersonId, SessionId, TenantId

MAX_NOTE = 4_000
MAX_NOTES = 1_000


class TooManyNotes(Conflict):
    """The pair has as many notes as it can have: delete some of yours."""

    slug = "too-many-notes"


@dataclass(frozen=True, slots=True)
class Text:
    """What a note says, and about which session, if it is about one."""

    text: str
    session_id: SessionId | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Written by one side, for both to read."""

    tenant: TenantId
    pair_id: PairId
    note_id: UUID
    written_by: PersonId
    written_at: datetime
    content: Text
    edited_at: datetime | None = None
    revision: int = 1

    @property
    def id(self) -> UUID:
        return self.note_id

    @property
    def reply(self) -> None:
        """A note waits for nobody."""
        return


def write(
    pair: Pair, note_id: UUID, by: PersonId, content: Text, now: datetime, kept: int
) -> Decision[Note]:
    """Write something down for both. Raises TooManyNotes or PairEnded."""
    pair.side_of(by)
    pair.require_active()
    if kept >= MAX_NOTES:
        raise TooManyNotes
    return Note(pair.tenant, pair.pair_id, note_id, by, now, content), ()


def rewrite(pair: Pair, note: Note, by: PersonId, content: Text, now: datetime) -> Decision[Note]:
    """Write one's own note anew, even after the pair has ended. Raises Forbidden."""
    require_author(pair, note, by)
    return (note if content == note.content else replace(note, content=content, edited_at=now)), ()


def require_author(pair: Pair, note: Note, by: PersonId) -> None:
    """Raise Forbidden for the other side, and NotFound for a stranger."""
    pair.side_of(by)
    if by != note.written_by:
        raise Forbidden("only who wrote a note can change or delete it")
