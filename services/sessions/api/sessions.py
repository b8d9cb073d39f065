"""Routes on sessions."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from services.sessions.api.asking import Asked
from services.sessions.api.shapes import SessionOut, SlotIn, session_out
from services.sessions.domain.rules import Rules
from services.sessions.domain.session import Slot
from services.sessions.handlers import sessions
from shared.ids import PairId, SessionId
from shared.postgres.pool import Pool


def sessions_router(pool: Pool, rules: Rules) -> APIRouter:
    """Schedule, confirm."""
    router = APIRouter(tags=["sessions"])

    @router.post("/pairs/{pair}/sessions", status_code=201)
    async def schedule(pair: UUID, body: SlotIn, asked: Asked) -> SessionOut:
        """Set a time to meet that is free in this pair."""
        slot = Slot(body.starts_at, body.duration_minutes)
        made = await sessions.schedule(pool, asked.ask, rules, PairId(pair), slot)
        return asked.answer(session_out, made)

    @router.post("/sessions/{session}/confirm")
    async def confirm(session: UUID, asked: Asked) -> SessionOut:
        """Say that the session took place, from its start until `confirm_until`."""
        confirmed = await sessions.confirm(pool, asked.ask, SessionId(session))
        return asked.answer(session_out, confirmed)

    return router
