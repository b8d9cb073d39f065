"""Commands on notes, and reading them. Nothing of a note is announced. Holds no rule, no SQL."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.sessions.domain import note as rules_of
from services.sessions.domain.note import Note, Text
from services.sessions.domain.thing import Decision
from services.sessions.handlers.commands import Work, change, create, find
from services.sessions.handlers.common import find_pair, lock_pair
from services.sessions.queries import notes, sessions
from services.sessions.queries.notes import After
from shared.asking import Ask, Moved
from shared.errors import NotFound
from shared.ids import PairId, new_id
from shared.postgres.pool import Pool
from shared.postgres.tenancy import acting_for, reading_for


async def write(pool: Pool, ask: Ask, pair_id: PairId, content: Text) -> Note:
    """Write a note for the two of them."""

    async def decide(work: Work) -> Decision[Note]:
        await _require_session(work, content)
        kept = await notes.count(work.conn, work.pair)
        return rules_of.write(work.pair, new_id(), ask.person, content, ask.now, kept)

    return await create(pool, ask, pair_id, notes, ("note", content), decide)


async def rewrite(pool: Pool, ask: Ask, note_id: UUID, content: Text) -> Note:
    """Write one's own note anew."""

    async def decide(work: Work, it: Note) -> Decision[Note]:
        decided = rules_of.rewrite(work.pair, it, ask.person, content, ask.now)
        await _require_session(work, content)
        return decided

    return await change(pool, ask, notes, note_id, ("rewrite", content), decide)


async def delete(pool: Pool, ask: Ask, note_id: UUID) -> None:
    """Delete one's own note. Raises NotFound, Forbidden, or Moved for another revision."""
    async with acting_for(pool, ask.tenant) as conn:
        pair = await lock_pair(conn, ask, (await find(conn, ask, notes, note_id)).pair_id)
        # Read again: it may have changed while another request held the pair.
        it = await find(conn, ask, notes, note_id)
        rules_of.require_author(pair, it, ask.person)
        if ask.if_match not in (None, it.revision):
            raise Moved
        await notes.delete(conn, it)


async def view(pool: Pool, ask: Ask, note_id: UUID) -> Note:
    """One note of a pair that one is in. Raises NotFound."""
    async with reading_for(pool, ask.tenant) as conn:
        it = await find(conn, ask, notes, note_id)
        await find_pair(conn, ask, it.pair_id)
        return it


async def view_page(
    pool: Pool, ask: Ask, pair_id: PairId, session_id: UUID | None, after: After | None, limit: int
) -> Sequence[Note]:
    """A pair's notes, the newest first. Raises NotFound for a stranger."""
    async with reading_for(pool, ask.tenant) as conn:
        return await notes.page(conn, await find_pair(conn, ask, pair_id), session_id, after, limit)


async def _require_session(work: Work, content: Text) -> None:
    """Raise NotFound for a session that is not this pair's."""
    if content.session_id is None:
        return
    session = await sessions.find(work.conn, work.ask.tenant, content.session_id)
    if session is None or session.pair_id != work.pair.pair_id:
        raise NotFound("there is no such session in this pair", field="session_id")
