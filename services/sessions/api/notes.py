"""Routes on notes, which only the two of a pair can read. Holds no rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, StringConstraints

from services.sessions.api.cursors import read_cursor, write_cursor
from services.sessions.domain.note import Note, Text
from services.sessions.handlers import notes
from services.sessions.queries.history import After as Cursor
from services.sessions.queries.notes import After
from shared.asking import Asked, Asking, Reading
from shared.ids import PairId, PersonId, SessionId
from shared.postgres.pool import Pool
from shared.shapes import Body

MAX_PAGE = 100

# Lines of the pair's own: no control characters but the end of a line.
_LINES = r"^[^\x00-\x09\x0b-\x1f\x7f]*$"
Lines = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=_LINES)
]


class NoteIn(Body):
    """What it says, and of which session of the pair it is, if of one."""

    text: Lines
    session_id: UUID | None = None

    def content(self) -> Text:
        return Text(self.text, SessionId(self.session_id) if self.session_id else None)


class NoteOut(BaseModel):
    """`yours` are the notes that you may change and delete."""

    note_id: UUID
    pair_id: UUID
    session_id: UUID | None
    written_by: str
    written_at: datetime
    edited_at: datetime | None
    text: str
    yours: bool


class NotesOut(BaseModel):
    notes: Sequence[NoteOut]
    next_cursor: str | None


def note_out(note: Note, reader: PersonId) -> NoteOut:
    return NoteOut(
        note_id=note.note_id,
        pair_id=note.pair_id,
        session_id=note.content.session_id,
        written_by=note.written_by,
        written_at=note.written_at,
        edited_at=note.edited_at,
        text=note.content.text,
        yours=note.written_by == reader,
    )


def notes_router(pool: Pool) -> APIRouter:
    """Write, read, write anew, delete."""
    router = APIRouter(tags=["notes"])
    _write(router, pool)
    _read(router, pool)
    return router


def _answer(asked: Asking, it: Note) -> NoteOut:
    return asked.answer(lambda thing: note_out(thing, asked.ask.person), it)


def _write(router: APIRouter, pool: Pool) -> None:
    @router.post("/pairs/{pair}/notes", status_code=201)
    async def write(pair: UUID, body: NoteIn, asked: Asked) -> NoteOut:
        """Write a note. The two of you can read it, and nobody else."""
        return _answer(asked, await notes.write(pool, asked.ask, PairId(pair), body.content()))

    @router.put("/notes/{note}")
    async def rewrite(note: UUID, body: NoteIn, asked: Asked) -> NoteOut:
        """Write your own note anew. Needs If-Match."""
        return _answer(
            asked, await notes.rewrite(pool, asked.require_match(), note, body.content())
        )

    @router.delete("/notes/{note}", status_code=204)
    async def delete(note: UUID, asked: Asked) -> None:
        """Delete your own note. Nothing of it is left."""
        await notes.delete(pool, asked.ask, note)


def _read(router: APIRouter, pool: Pool) -> None:
    @router.get("/pairs/{pair}/notes")
    async def page(
        pair: UUID,
        asked: Reading,
        session: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        cursor: Annotated[str | None, Query(max_length=100)] = None,
    ) -> NotesOut:
        """A pair's notes, the newest first. `next_cursor` is null on the last page."""
        before = read_cursor(cursor)
        after = After(before.occurred_at, before.event_id) if before else None
        # One more than asked for tells whether there is a page after this one.
        found = await notes.view_page(pool, asked.ask, PairId(pair), session, after, limit + 1)
        shown = [note_out(each, asked.ask.person) for each in found[:limit]]
        more = len(found) > limit
        last = Cursor(shown[-1].written_at, shown[-1].note_id) if more else None
        return NotesOut(notes=shown, next_cursor=write_cursor(last) if last else None)

    @router.get("/notes/{note}")
    async def view(note: UUID, asked: Reading) -> NoteOut:
        """One note of your pair."""
        return _answer(asked, await notes.view(pool, asked.ask, note))
