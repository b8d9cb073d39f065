"""Routes on the agenda of a pair's next session. Holds no rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints

from services.sessions.api.session_shapes import SessionOut, session_out
from services.sessions.domain.agenda import Item
from services.sessions.handlers import agenda
from shared.asking import Asked, Reading
from shared.ids import PairId
from shared.postgres.pool import Pool
from shared.shapes import LINE, Body

ItemText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=LINE)
]


class ItemIn(Body):
    text: ItemText


class ItemOut(BaseModel):
    """It stays on the agenda until one of you takes it off."""

    item_id: UUID
    pair_id: UUID
    written_by: str
    written_at: datetime
    text: str


class SuggestionOut(BaseModel):
    """What could be spoken about; `about` is the thing it is about, where there is one."""

    code: str
    words: str
    about: UUID | None


class AgendaOut(BaseModel):
    session: SessionOut | None
    items: Sequence[ItemOut]
    suggestions: Sequence[SuggestionOut]


def item_out(item: Item) -> ItemOut:
    return ItemOut(
        item_id=item.item_id,
        pair_id=item.pair_id,
        written_by=item.written_by,
        written_at=item.written_at,
        text=item.text,
    )


def agenda_router(pool: Pool) -> APIRouter:
    """Read, put on, take off."""
    router = APIRouter(tags=["agenda"])

    @router.get("/pairs/{pair}/agenda")
    async def view(pair: UUID, asked: Reading) -> AgendaOut:
        """For your next session: what the two of you put on, and what you could bring up."""
        found = await agenda.view(pool, asked.ask, PairId(pair))
        next_ = found.session
        return AgendaOut(
            session=session_out(next_, asked.ask, found.pair) if next_ else None,
            items=[item_out(each) for each in found.items],
            suggestions=[SuggestionOut(**asdict(each)) for each in found.suggestions],
        )

    @router.post("/pairs/{pair}/agenda", status_code=201)
    async def put_on(pair: UUID, body: ItemIn, asked: Asked) -> ItemOut:
        """Put something on the agenda. It stays between you two."""
        return asked.answer(item_out, await agenda.put_on(pool, asked.ask, PairId(pair), body.text))

    @router.delete("/agenda/{item}", status_code=204)
    async def take_off(item: UUID, asked: Asked) -> None:
        """Take something off, whichever of you put it on."""
        await agenda.take_off(pool, asked.ask, item)

    return router
