"""Routes about programmes: what is released of each, for HR and dashboards. Never about a pair."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel

from services.insights.domain.cohorts import unit_of
from services.insights.domain.epochs import epoch_named
from services.insights.queries.programmes import WHOLE, Asked
from services.insights.views import programmes
from services.insights.views.programmes import ProgrammeMeasures, Programmes
from shared.events.fact import OPAQUE
from shared.http import Authenticated
from shared.ids import ProgrammeId
from shared.postgres.pool import Pool

MAX_PAGE = 200
MAX_UNIT = 100
EPOCH = r"^\d{4}-(0[1-9]|1[0-2])$"
# NUL cannot be stored, so no unit has it in its name.
UNIT = r"^[^\x00]*$"
CURSOR = r"^\d{4}-(0[1-9]|1[0-2]):[^\x00]*$"
# A release stands; whether there is a newer one is worth asking again.
FINAL_AGE_S = 86_400
OPEN_AGE_S = 60

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]


class Which(BaseModel):
    """Which cells are asked for."""

    unit: Annotated[
        str | None,
        Query(pattern=UNIT, max_length=MAX_UNIT, description="empty is the programme as a whole"),
    ] = None
    epoch: Annotated[str | None, Query(pattern=EPOCH, description="yyyy-mm")] = None
    after: Annotated[
        str | None, Query(pattern=CURSOR, max_length=200, description="`next` of the page before")
    ] = None
    limit: Limit = 50


def build_router(pool: Pool) -> APIRouter:
    """The routes under /v1/programmes."""
    router = APIRouter()

    @router.get("/v1/programmes")
    async def list_programmes(
        caller: Authenticated,
        response: Response,
        after: Annotated[str | None, Query(pattern=OPAQUE.pattern)] = None,
        limit: Limit = 50,
    ) -> Programmes:
        """Every programme of the tenant, and up to which epoch it was measured."""
        keep(response, OPEN_AGE_S)
        return await programmes.listed(pool, caller.tenant, after or "", limit)

    @router.get("/v1/programmes/{programme_id}/measures")
    async def programme_measures(
        programme_id: Annotated[str, Path(pattern=OPAQUE.pattern)],
        caller: Authenticated,
        response: Response,
        which: Annotated[Which, Query()],
    ) -> ProgrammeMeasures:
        """What was released of a programme and its units, epoch by epoch."""
        of = (caller.tenant, ProgrammeId(programme_id))
        seen = await programmes.measures(pool, of, _asked(which), which.limit)
        keep(response, FINAL_AGE_S if seen.final else OPEN_AGE_S)
        return seen.page

    return router


def keep(response: Response, max_age_s: int) -> None:
    """Let the caller's own cache keep an answer for so long."""
    # Private: what one tenant may see lies in no shared cache.
    response.headers["Cache-Control"] = f"private, max-age={max_age_s}"
    response.headers["Vary"] = "Authorization, Trustfold-Role"


def _asked(which: Which) -> Asked:
    return Asked(
        epoch=epoch_named(which.epoch) if which.epoch else None,
        unit=None if which.unit is None else unit_of(which.unit) or WHOLE,
        after=programmes.cursor(which.after) if which.after else None,
    )
