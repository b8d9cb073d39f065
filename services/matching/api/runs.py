"""Routes on matching runs. For managers: what is only looked at is nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from services.matching.api.common import DEFAULT_PAGE, Limit, ProgrammePath
from services.matching.api.run_shapes import (
    ComparisonOut,
    RunIn,
    RunOut,
    RunPairsOut,
    RunsOut,
    UnmatchedPage,
    comparison_out,
    pair_out,
    run_out,
    unmatched_out,
)
from services.matching.domain.run import Wish
from services.matching.handlers import runs as commands
from services.matching.handlers.runs import Looked
from shared.asking import Ask, Asked, Reading
from shared.events.fact import OPAQUE
from shared.ids import new_id
from shared.postgres.pool import Pool

LOOK_EVERY_S = 0.5
# A proxy takes a stream that says nothing for dead.
BEAT_EVERY = 20
_AT_WORK = ("queued", "running", "committing")
_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}


def runs_router(pool: Pool) -> APIRouter:
    """Asking for runs, looking at what they came to, committing."""
    router = APIRouter(tags=["runs"])
    _ask(router, pool)
    _look(router, pool)
    _results(router, pool)
    return router


def _ask(router: APIRouter, pool: Pool) -> None:
    @router.post("/programmes/{programme_id}/runs", status_code=202)
    async def ask_for(asked: Asked, programme_id: ProgrammePath, body: RunIn) -> RunOut:
        """Match everybody of the programme who waits. Nothing is published before `commit`."""
        wish = Wish(
            run_id=new_id(),
            what_if=body.what_if.plain() if body.what_if else None,
            incremental=body.incremental,
            at_most=body.limit,
            ranking_id=body.ranking_id,
        )
        made = await commands.ask_for(pool, asked.ask, programme_id, wish)
        return asked.answer(lambda it: run_out(Looked(it, {})), made)

    @router.post("/runs/{run_id}/cancel")
    async def cancel(asked: Asked, run_id: UUID) -> RunOut:
        """Stop the run, or put what it came to away."""
        return await _answer(pool, asked.ask, await commands.cancel(pool, asked.ask, run_id))

    @router.post("/runs/{run_id}/commit", status_code=202)
    async def commit(asked: Asked, run_id: UUID) -> RunOut:
        """Make the run's proposals. What no longer holds by then is left out, and counted."""
        return await _answer(pool, asked.ask, await commands.commit(pool, asked.ask, run_id))


def _look(router: APIRouter, pool: Pool) -> None:
    @router.get("/programmes/{programme_id}/runs")
    async def of_programme(
        asked: Reading,
        programme_id: ProgrammePath,
        limit: Limit = DEFAULT_PAGE,
        cursor: UUID | None = None,
    ) -> RunsOut:
        """The programme's runs, newest first."""
        more = await commands.of_programme(pool, asked.ask, programme_id, cursor, limit + 1)
        found = more[:limit]
        return RunsOut(
            runs=tuple([await _answer(pool, asked.ask, run) for run in found]),
            next_cursor=found[-1].run_id if len(more) > limit else None,
        )

    # Before the route of one run, for which "compare" would be an id that is wrong.
    @router.get("/runs/compare")
    async def compare(asked: Reading, a: UUID, b: UUID) -> ComparisonOut:
        """Two runs side by side, for instance what there is and what if."""
        return comparison_out(await commands.compare(pool, asked.ask, a, b))

    @router.get("/runs/{run_id}")
    async def one(asked: Reading, run_id: UUID) -> RunOut:
        """A run: how far it is, and what can be done with it."""
        return run_out(await commands.look(pool, asked.ask, run_id))

    @router.get("/runs/{run_id}/progress", response_class=StreamingResponse, responses=_STREAM)
    async def progress(asked: Reading, run_id: UUID) -> StreamingResponse:
        """The run as it goes on, by server-sent events; ends when nobody works on it any more."""
        first = await commands.look(pool, asked.ask, run_id)
        return StreamingResponse(
            _events(pool, asked.ask, first), media_type="text/event-stream; charset=utf-8"
        )


def _results(router: APIRouter, pool: Pool) -> None:
    @router.get("/runs/{run_id}/report")
    async def report(asked: Reading, run_id: UUID) -> dict[str, Any]:
        """What the run came to, in figures; what would help; the proof that it is the best."""
        return dict(await commands.report(pool, asked.ask, run_id))

    @router.get("/runs/{run_id}/pairs")
    async def pairs(
        asked: Reading,
        run_id: UUID,
        limit: Limit = DEFAULT_PAGE,
        cursor: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    ) -> RunPairsOut:
        """What the run would propose, best first."""
        more = await commands.would_propose(pool, asked.ask, run_id, cursor, limit + 1)
        found = more[:limit]
        members = [who for each in found for who in (each.mentor_id, each.mentee_id)]
        names = await commands.names_of(pool, asked.ask, members)
        return RunPairsOut(
            pairs=tuple(pair_out(each, names) for each in found),
            next_cursor=found[-1].place if len(more) > limit else None,
        )

    @router.get("/runs/{run_id}/unmatched")
    async def unmatched(
        asked: Reading,
        run_id: UUID,
        limit: Limit = DEFAULT_PAGE,
        cursor: Annotated[str | None, Query(pattern=OPAQUE.pattern)] = None,
    ) -> UnmatchedPage:
        """Those whom the run found nobody for, each with a reason."""
        more = await commands.left_out(pool, asked.ask, run_id, cursor or "", limit + 1)
        found = more[:limit]
        return UnmatchedPage(
            unmatched=tuple(unmatched_out(each) for each in found),
            next_cursor=found[-1].person_id if len(more) > limit else None,
        )


async def _answer(pool: Pool, ask: Ask, run: Any) -> RunOut:
    return run_out(await commands.look(pool, ask, run.run_id))


async def _events(pool: Pool, ask: Ask, looked: Looked) -> AsyncIterator[bytes]:
    """The run whenever something about it has changed, until it is at rest."""
    shown, quiet = b"", 0
    while True:
        now = orjson.dumps(run_out(looked).model_dump(mode="json"))
        if now != shown:
            shown, quiet = now, 0
            yield b"event: run\ndata: " + now + b"\n\n"
        elif (quiet := quiet + 1) % BEAT_EVERY == 0:
            yield b": still there\n\n"
        if looked.run.state not in _AT_WORK:
            return
        await asyncio.sleep(LOOK_EVERY_S)
        looked = await commands.look(pool, ask, looked.run.run_id)
