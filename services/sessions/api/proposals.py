"""Routes on ways to find a time: proposals, series, free slots. Holds no rule."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.sessions.api.proposal_shapes import (
    OfferIn,
    PickIn,
    ProposalOut,
    ProposalsOut,
    SeriesIn,
    SeriesOut,
    SlotsOut,
    proposal_out,
    series_out,
)
from services.sessions.api.session_shapes import time_out
from services.sessions.domain.proposal import Proposal
from services.sessions.domain.rules import Rules
from services.sessions.handlers import proposals, series
from shared.asking import Ask, Asked, Asking, Reading
from shared.events.sessions import DurationMinutes
from shared.ids import PairId
from shared.postgres.pool import Pool
from shared.shapes import Instant

MAX_SLOTS_SHOWN = 100
MAX_DAYS_AHEAD = 31


def proposals_router(pool: Pool, rules: Rules) -> APIRouter:
    """Propose, pick, decline, take back; book a series, call it off; look for free slots."""
    router = APIRouter(tags=["sessions"])
    _proposals(router, pool, rules)
    _series(router, pool, rules)
    _slots(router, pool)
    return router


def _answer(asked: Asking, proposal: Proposal) -> ProposalOut:
    return asked.answer(lambda thing: proposal_out(thing, asked.ask), proposal)


def _proposals(router: APIRouter, pool: Pool, rules: Rules) -> None:
    @router.post("/pairs/{pair}/proposals", status_code=201)
    async def propose(pair: UUID, body: OfferIn, asked: Asked) -> ProposalOut:
        """Put one to five times before the other side. Nothing is booked before they pick one."""
        made = await proposals.propose(pool, asked.ask, PairId(pair), body.offer())
        return _answer(asked, made)

    @router.get("/pairs/{pair}/proposals")
    async def list_open(pair: UUID, asked: Reading) -> ProposalsOut:
        """The proposals that wait for a word, the oldest first."""
        found = await proposals.list_open(pool, asked.ask, PairId(pair))
        return ProposalsOut(
            proposals=[proposal_out(each.proposal, asked.ask, each.pair) for each in found]
        )

    @router.get("/proposals/{proposal}")
    async def view(proposal: UUID, asked: Reading) -> ProposalOut:
        """A proposal of your pair, and where the clocks are at each of its times."""
        found = await proposals.view(pool, asked.ask, proposal)
        return asked.answer(lambda it: proposal_out(it, asked.ask, found.pair), found.proposal)

    @router.post("/proposals/{proposal}/accept")
    async def accept(proposal: UUID, body: PickIn, asked: Asked) -> ProposalOut:
        """Pick one of the times: it is booked. What it breaks of the agreement you allow once."""
        return _answer(asked, await proposals.accept(pool, asked.ask, rules, proposal, body.slot))

    @router.post("/proposals/{proposal}/decline")
    async def decline(proposal: UUID, asked: Asked) -> ProposalOut:
        """Say no to all of the times. Nobody is asked why."""
        return _answer(asked, await proposals.decline(pool, asked.ask, proposal))

    @router.post("/proposals/{proposal}/withdraw")
    async def withdraw(proposal: UUID, asked: Asked) -> ProposalOut:
        """Take your times back before one is picked."""
        return _answer(asked, await proposals.withdraw(pool, asked.ask, proposal))


def _series(router: APIRouter, pool: Pool, rules: Rules) -> None:
    @router.post("/pairs/{pair}/series", status_code=201)
    async def book(pair: UUID, body: SeriesIn, asked: Asked) -> SeriesOut:
        """Book the same time of the clocks again and again, every so many days.

        What does not fit is left out, and named with its reason. Without `every_days` it is the
        agreed cadence, or 14.
        """
        made = await series.book(pool, asked.ask, rules, PairId(pair), body.wanted())
        return await _shown(pool, asked, made.series_id)

    @router.get("/series/{series_id}")
    async def view(series_id: UUID, asked: Reading) -> SeriesOut:
        """A series of your pair, and what became of its sessions."""
        return await _shown(pool, asked, series_id)

    @router.delete("/series/{series_id}")
    async def call_off(series_id: UUID, asked: Asked) -> SeriesOut:
        """Call off what is still ahead of a series; each is a session called off by you."""
        await series.call_off(pool, asked.ask, series_id)
        return await _shown(pool, asked, series_id)


async def _shown(pool: Pool, asked: Asking, series_id: UUID) -> SeriesOut:
    found = await series.view(pool, asked.ask, series_id)
    return asked.answer(
        lambda it: series_out(it, found.sessions, asked.ask, found.pair), found.series
    )


def _slots(router: APIRouter, pool: Pool) -> None:
    @router.get("/pairs/{pair}/slots")
    async def slots(
        pair: UUID,
        asked: Reading,
        duration_minutes: Annotated[DurationMinutes, Query()] = 60,
        from_: Annotated[Instant | None, Query(alias="from")] = None,
        days: Annotated[int, Query(ge=1, le=MAX_DAYS_AHEAD)] = 14,
        limit: Annotated[int, Query(ge=1, le=MAX_SLOTS_SHOWN)] = 20,
    ) -> SlotsOut:
        """The first times at which both of you are free and open to meet.

        Inside the agreed hours; of somebody who has agreed on none, weekdays from 9 to 17.
        """
        return await _free(pool, asked.ask, PairId(pair), duration_minutes, (from_, days), limit)


async def _free(
    pool: Pool,
    ask: Ask,
    pair_id: PairId,
    minutes: int,
    window: tuple[Instant | None, int],
    limit: int,
) -> SlotsOut:
    since, days = window
    pair, found = await series.free_slots(
        pool, ask, pair_id, minutes, (since, timedelta(days=days)), limit
    )
    return SlotsOut(slots=[time_out(each, ask.person, pair) for each in found])
