"""What waits for a word of somebody: gathered from every kind of thing. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.sessions.domain.pair import Pair
from services.sessions.handlers.kinds import KINDS
from services.sessions.queries import sweeps
from shared.ids import PersonId
from shared.postgres.pool import Connection

MAX_OPEN = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """A thing of a kind that waits for a word, and until when at most."""

    what: str
    id: UUID
    until: datetime | None


async def waiting_for(conn: Connection, pair: Pair, person: PersonId) -> Sequence[Waiting]:
    """What in the pair waits for a word of `person`, the most pressing first."""
    found = [
        Waiting(kind.kept.SWEPT.table, thing.id, thing.reply.until)
        for kind in KINDS
        for thing in await sweeps.open_of(conn, kind.kept.SWEPT, pair, MAX_OPEN)
        if thing.reply is not None and thing.reply.of == person
    ]
    return sorted(found, key=lambda each: (each.until is None, each.until, each.id))
