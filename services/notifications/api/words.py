"""Routes of a tenant's own words. Holds no rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from services.notifications.handlers import words
from services.notifications.queries.words import Own
from services.notifications.rendering import Templates
from services.notifications.wording import LONGEST, check
from shared.asking import Asked, Reading
from shared.errors import NotFound
from shared.ids import PersonId
from shared.postgres.pool import Pool

_AT = "/v1/words/{workflow}/{language}"
Workflow = Annotated[str, Path(max_length=64)]
Language = Annotated[str, Path(pattern="^[a-z]{2,3}$", description="e.g. `de`")]


class WordsIn(BaseModel):
    """The first line is the subject, blank lines separate paragraphs; names in double braces."""

    model_config = ConfigDict(extra="forbid")

    template: Annotated[str, Field(max_length=LONGEST)]


class TryIn(WordsIn):
    """Words to try, as one of the two would read them."""

    role: Literal["mentor", "mentee"] = "mentee"


class WordsOut(BaseModel):
    """What is said now, and what we would say: None in languages that we do not speak."""

    workflow: str
    language: str
    template: str | None
    is_own: bool
    ours: str | None
    changed_at: datetime | None
    changed_by: PersonId | None


class ChangedOut(BaseModel):
    """All that is said in the tenant's own words."""

    items: Sequence[WordsOut]


class TriedOut(BaseModel):
    """How it would read, with names and times that are made up."""

    subject: str
    text: str
    html: str


def build_router(pool: Pool, templates: Templates) -> APIRouter:
    """Each PUT and DELETE needs the ETag that was read; `"0"` for the first."""
    router = APIRouter()
    _looking(router, pool, templates)
    _writing(router, pool, templates)
    return router


def _looking(router: APIRouter, pool: Pool, templates: Templates) -> None:
    @router.get("/v1/words", summary="What is said in our own words")
    async def changed(asked: Reading) -> ChangedOut:
        found = await words.changed(pool, asked.ask)
        return ChangedOut(items=[_shown(each, templates) for each in found])

    @router.get(_AT, summary="The words of a workflow in a language")
    async def look(asked: Reading, workflow: Workflow, language: Language) -> WordsOut:
        own = await words.look(pool, asked.ask, workflow, language)
        if own.template is None and templates.source(workflow, language) is None:
            raise NotFound("nobody has words in this language yet", field="language")
        return asked.answer(lambda own: _shown(own, templates), own)

    @router.post(f"{_AT}/preview", summary="Try words without saying them")
    async def preview(workflow: Workflow, language: Language, body: TryIn) -> TriedOut:
        words.require(workflow)
        check(body.template, workflow)
        tried = templates.tried(body.template, language, body.role)
        return TriedOut(subject=tried.subject, text=tried.text, html=tried.html)


def _writing(router: APIRouter, pool: Pool, templates: Templates) -> None:
    @router.put(_AT, summary="Say it in our own words")
    async def write(
        asked: Asked, workflow: Workflow, language: Language, body: WordsIn
    ) -> WordsOut:
        ask = asked.require_match()
        own = await words.write(pool, ask, workflow, language, body.template)
        return asked.answer(lambda own: _shown(own, templates), own)

    @router.delete(_AT, status_code=204, summary="Say it as it comes with the service again")
    async def reset(asked: Asked, workflow: Workflow, language: Language) -> None:
        await words.write(pool, asked.require_match(), workflow, language, None)


def _shown(own: Own, templates: Templates) -> WordsOut:
    ours = templates.source(own.workflow, own.language)
    return WordsOut(
        workflow=own.workflow,
        language=own.language,
        template=own.template if own.template is not None else ours,
        is_own=own.template is not None,
        ours=ours,
        changed_at=own.changed_at,
        changed_by=own.changed_by,
    )
