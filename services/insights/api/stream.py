"""Routes of live streams: a tenant's pairs for services and managers, one pair for its members.

An id that is not one of the stream is refused, with the address of a fresh snapshot; one that is
too old, or of another database, gets the snapshot at once.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from services.insights.queries.streams import Stream
from services.insights.streams import event_id
from services.insights.streams.event_id import BadEventId
from services.insights.streams.feed import Wanted
from services.insights.streams.live import Live
from services.insights.views import asked
from shared.http import Authenticated, problem
from shared.ids import PairId, ProgrammeId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for

LastEventId = Annotated[str | None, Header(alias="Last-Event-ID")]
ProgrammeOf = Annotated[str | None, Query(max_length=64, description="pairs of one programme")]
EVENTS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}


def build_router(pool: Pool, live: Live) -> APIRouter:
    """The routes that do not end."""
    router = APIRouter()

    @router.get("/v1/stream", responses=EVENTS)
    async def stream(
        request: Request,
        caller: Authenticated,
        programme: ProgrammeOf = None,
        last: LastEventId = None,
    ) -> Response:
        """Every pair, then each change: all of it for a service, the managed view for a manager."""
        kind: Stream = "service" if caller.role == "service" else "manager"
        try:
            seen = event_id.parse(last, kind) if last else None
        except BadEventId as error:
            return _refused(request, error)
        only = ProgrammeId(programme) if programme else None
        return live.of_tenant(Wanted((kind, caller.tenant), only, seen))

    @router.get("/v1/pairs/{pair_id}/stream", responses=EVENTS)
    async def pair_stream(
        request: Request, pair_id: UUID, caller: Authenticated, last: LastEventId = None
    ) -> Response:
        """One pair for its members: what both of them may know, when that has changed."""
        async with reading_for(pool, caller.tenant) as conn:
            await asked.find(conn, caller, PairId(pair_id))
        try:
            seen = event_id.check_content(last) if last else None
        except BadEventId as error:
            return _refused(request, error)
        return live.of_pair((caller.tenant, PairId(pair_id)), seen)

    return router


def _refused(request: Request, error: BadEventId) -> Response:
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    said = [{"field": str(error.field), "message": str(error)}]
    answer = problem(error.status, error.slug, f"{error}: GET {path}", errors=said)
    answer.headers["Link"] = f'<{path}>; rel="start"'
    return answer
