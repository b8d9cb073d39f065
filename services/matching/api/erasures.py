"""Routes on erasures: having a person erased everywhere, and the receipt for it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.matching.api.common import PersonPath
from services.matching.handlers import erasures
from services.matching.handlers.erasures import waiting_for
from services.matching.queries.erasures import Erasure
from services.matching.receipts import Receipts
from shared.asking import Ask, Reading
from shared.errors import NotFound
from shared.events.topics import COMPACTED_WITHIN
from shared.ids import PersonId
from shared.postgres.pool import Pool


class DoneOut(BaseModel):
    """What one service has done: so many rows of each table."""

    service: str
    done_at: datetime
    tables: dict[str, int]


class ErasureOut(BaseModel):
    """How far it is. `receipt` is there when it is `complete`, and the service has a key."""

    person_id: str
    erasure_id: UUID
    asked_at: datetime
    done: list[DoneOut]
    waiting_for: Annotated[list[str], Field(description="services that have not said so yet")]
    topic_cleared_at: Annotated[datetime | None, Field(description="tombstones were published")]
    compacted_by: Annotated[
        datetime | None, Field(description="from then on no disk of the broker holds them")
    ]
    complete: bool
    receipt: Annotated[str | None, Field(description="a compact JWS")]


def erasures_router(pool: Pool, receipts: Receipts) -> APIRouter:
    """Erasing people."""
    router = APIRouter(prefix="/people", tags=["people"])

    @router.post("/{person_id}/erasure", status_code=202)
    async def erase(asked: Reading, person_id: PersonPath) -> ErasureOut:
        """Have the person erased in every service, for ever. What they did stays, without them."""
        found = await erasures.ask_for(pool, asked.ask, person_id)
        return _shown(receipts, asked.ask, person_id, found)

    @router.get("/{person_id}/erasure")
    async def look(asked: Reading, person_id: PersonPath) -> ErasureOut:
        """How far it is, and the receipt."""
        found = await erasures.find(pool, asked.ask, person_id)
        if found is None:
            raise NotFound("nobody asked for this person to be erased")
        return _shown(receipts, asked.ask, person_id, found)

    return router


def _shown(receipts: Receipts, ask: Ask, person_id: PersonId, found: Erasure) -> ErasureOut:
    shown = ErasureOut(
        person_id=person_id,
        erasure_id=found.erasure_id,
        asked_at=found.asked_at,
        done=[DoneOut.model_validate(each) for each in found.done],
        waiting_for=waiting_for(found),
        topic_cleared_at=found.tombstoned_at,
        compacted_by=found.tombstoned_at and found.tombstoned_at + 2 * COMPACTED_WITHIN,
        complete=found.tombstoned_at is not None,
        receipt=None,
    )
    if shown.complete:
        content = shown.model_dump(mode="json", exclude={"waiting_for", "complete", "receipt"})
        shown.receipt = receipts.sign({"tenant": ask.tenant, **content})
    return shown
