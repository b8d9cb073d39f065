"""Routes on the private answers after a session, and their shapes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.sessions.domain.feedback import WORDS, Answer
from services.sessions.handlers import feedback
from services.sessions.handlers.feedback import Said
from shared.asking import Asked, Reading
from shared.events.sessions import FeedbackItem
from shared.ids import SessionId
from shared.postgres.pool import Pool
from shared.shapes import Body


class FeedbackIn(Body):
    """`share` lets the other side see it; otherwise they do once both of you have answered."""

    item: FeedbackItem
    answer: Annotated[bool, Field(strict=True)]
    share: Annotated[bool, Field(strict=True)] = False


class QuestionOut(BaseModel):
    """The one thing asked of you now; nothing when `item` is null."""

    item: FeedbackItem | None
    words: str | None
    closes_at: datetime


class AnswerOut(BaseModel):
    item: FeedbackItem
    answer: bool
    shared: bool


class FeedbackOut(BaseModel):
    """`theirs` is empty until they share, or both of you have answered."""

    yours: Sequence[AnswerOut]
    theirs: Sequence[AnswerOut]


def feedback_router(pool: Pool) -> APIRouter:
    """Ask, answer, see."""
    router = APIRouter(tags=["feedback"])

    @router.get("/sessions/{session}/question")
    async def question(session: UUID, asked: Reading) -> QuestionOut:
        """One private question about the other side, a different one after each session."""
        seen = await feedback.view(pool, asked.ask, SessionId(session))
        words = WORDS[seen.item] if seen.item else None
        return QuestionOut(item=seen.item, words=words, closes_at=seen.closes_at)

    @router.post("/sessions/{session}/feedback", status_code=204)
    async def answer(session: UUID, body: FeedbackIn, asked: Asked) -> None:
        """Answer what is asked now, privately, about the other side."""
        said = Said(body.item, body.answer, body.share)
        await feedback.answer(pool, asked.ask, SessionId(session), said)

    @router.get("/sessions/{session}/feedback")
    async def view(session: UUID, asked: Reading) -> FeedbackOut:
        """Your answers, and of the other side's those that you may see."""
        seen = await feedback.view(pool, asked.ask, SessionId(session))
        return FeedbackOut(yours=_shown(seen.yours), theirs=_shown(seen.theirs))

    return router


def _shown(answers: Sequence[Answer]) -> Sequence[AnswerOut]:
    # In the order of the items: when each was given is nobody's to see.
    return [
        AnswerOut(item=each.item, answer=each.yes, shared=each.shared)
        for each in sorted(answers, key=lambda each: each.item)
    ]
