"""Routes on the private answers after a session."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from services.sessions.api.asking import Asked
from services.sessions.api.shapes import FeedbackIn
from services.sessions.handlers import feedback
from shared.ids import SessionId
from shared.postgres.pool import Pool


def feedback_router(pool: Pool) -> APIRouter:
    """Answer."""
    router = APIRouter(tags=["feedback"])

    @router.post("/sessions/{session}/feedback", status_code=204)
    async def answer(session: UUID, body: FeedbackIn, asked: Asked) -> None:
        """Answer privately about the other side, who will never be shown it."""
        await feedback.answer(pool, asked.ask, SessionId(session), body.item, yes=body.answer)

    return router
