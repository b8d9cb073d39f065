"""Routes on whom a programme keeps apart. For managers; nobody says, or is told, why."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.matching.api.common import DEFAULT_PAGE, Limit, PersonPath, ProgrammePath
from services.matching.handlers import exclusions as commands
from shared.asking import Asked, Reading
from shared.ids import PersonId
from shared.postgres.pool import Pool

_CURSOR = r"^[A-Za-z0-9._:@-]{1,64}/[A-Za-z0-9._:@-]{1,64}$"


class ExclusionOut(BaseModel):
    """Two people who are kept apart, the smaller id first."""

    one: PersonId
    other: PersonId


class ExclusionsOut(BaseModel):
    """Whom a programme keeps apart; `next_cursor` is null on the last page."""

    exclusions: tuple[ExclusionOut, ...]
    next_cursor: str | None


def exclusions_router(pool: Pool) -> APIRouter:
    """Keeping two apart."""
    router = APIRouter(prefix="/programmes/{programme_id}/exclusions", tags=["programmes"])

    @router.put("/{one}/{other}", status_code=204)
    async def keep_apart(
        asked: Asked, programme_id: ProgrammePath, one: PersonPath, other: PersonPath
    ) -> None:
        """Never propose these two to each other, whoever is named first."""
        await commands.keep_apart(pool, asked.ask, programme_id, one, other)

    @router.delete("/{one}/{other}", status_code=204)
    async def allow(
        asked: Asked, programme_id: ProgrammePath, one: PersonPath, other: PersonPath
    ) -> None:
        """Keep them apart no longer."""
        await commands.allow(pool, asked.ask, programme_id, one, other)

    @router.get("")
    async def page(
        asked: Reading,
        programme_id: ProgrammePath,
        limit: Limit = DEFAULT_PAGE,
        cursor: Annotated[str | None, Query(pattern=_CURSOR)] = None,
    ) -> ExclusionsOut:
        """Whom the programme keeps apart."""
        one, _, other = (cursor or "/").partition("/")
        more = await commands.page(pool, asked.ask, programme_id, (one, other), limit + 1)
        found = more[:limit]
        return ExclusionsOut(
            exclusions=tuple(ExclusionOut(one=one, other=other) for one, other in found),
            next_cursor="/".join(found[-1]) if len(more) > limit else None,
        )

    return router
