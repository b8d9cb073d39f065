"""The route of one's own shortlist: whom one could ask, and why. Says nothing of those left out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.matching import views
from services.matching.api.common import ProgrammePath
from services.matching.domain.ask import Side
from services.matching.handlers import shortlists as commands
from services.matching.handlers.shortlists import OTHER
from services.matching.views import Member, Reason
from shared.asking import Reading
from shared.postgres.pool import Pool

MOST = 50


class ListedOut(BaseModel):
    """Somebody whom one could ask, and what speaks for it."""

    person: Member
    reasons: tuple[Reason, ...]


class ShortlistOut(BaseModel):
    """People of the other side, the best fit first."""

    side: Side
    people: tuple[ListedOut, ...]


def shortlists_router(pool: Pool) -> APIRouter:
    """One's own shortlist."""
    router = APIRouter(tags=["asks"])

    @router.get("/programmes/{programme_id}/shortlist")
    async def shortlist(
        asked: Reading,
        programme_id: ProgrammePath,
        as_: Annotated[Side, Query(alias="as")] = "mentee",
        limit: Annotated[int, Query(ge=1, le=MOST)] = 20,
    ) -> ShortlistOut:
        """Whom you could ask, as you and they are at this moment."""
        found = await commands.shortlist(pool, asked.ask, programme_id, as_, limit)
        people = tuple(
            ListedOut(
                person=Member(person_id=each.person_id, display_name=each.display_name),
                reasons=tuple(views.reason_view(ground) for ground in each.grounds),
            )
            for each in found
        )
        return ShortlistOut(side=OTHER[as_], people=people)

    return router
