"""Routes on sessions and on the private answers after them."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from services.sessions.api.asking import Asking, IdempotencyKey
from services.sessions.api.shapes import FeedbackIn, SessionOut, SlotIn, session_out
from services.sessions.domain.rules import Rules
from services.sessions.domain.session import Slot
from services.sessions.handlers import sessions
from shared.http import Authenticated
from shared.ids import PairId, SessionId
from shared.postgres.pool import Pool


def sessions_router(pool: Pool, asking: Asking, rules: Rules) -> APIRouter:
    """Schedule, confirm, answer."""
    router = APIRouter(tags=["sessions"])

    @router.post("/pairs/{pair}/sessions", status_code=201)
    async def schedule(
        pair: UUID, body: SlotIn, caller: Authenticated, key: IdempotencyKey = None
    ) -> SessionOut:
        """Set a time to meet that is free in this pair."""
        slot = Slot(body.starts_at, body.duration_minutes)
        ask = asking.by(caller, key)
        return session_out(await sessions.schedule(pool, ask, rules, PairId(pair), slot))

    @router.post("/sessions/{session}/confirm")
    async def confirm(session: UUID, caller: Authenticated) -> SessionOut:
        """Say that the session took place, from its start until `confirm_until`."""
        return session_out(await sessions.confirm(pool, asking.by(caller), SessionId(session)))

    @router.post("/sessions/{session}/feedback", status_code=204)
    async def answer(session: UUID, body: FeedbackIn, caller: Authenticated) -> None:
        """Answer privately about the other side, who will never be shown it."""
        ask = asking.by(caller)
        await sessions.answer(pool, ask, SessionId(session), body.item, yes=body.answer)

    return router
