"""Routes on boundaries: what goes in and out, and which handler answers. Holds no rule."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from services.sessions.domain.boundary import (
    WORDS,
    Action,
    Boundary,
    Outcome,
    State,
    Term,
    allowed,
    standing,
    who_is,
)
from services.sessions.handlers import boundaries
from shared.asking import Ask, Asked, Asking, Reading
from shared.ids import BoundaryId, PairId
from shared.postgres.pool import Pool
from shared.shapes import Body, Instant

Say: TypeAlias = Callable[[Pool, Ask, BoundaryId], Awaitable[Boundary]]

# What is said without another word, and what the API says of it.
_PLAIN: Mapping[str, tuple[Say, str]] = {
    "confirm": (boundaries.confirm, "Who was reminded: it was so. That is published."),
    "contest": (
        boundaries.contest,
        "Who was reminded: it was not so. A manager settles it. Not published.",
    ),
    "withdraw": (boundaries.withdraw, "Who reminded: take the claim back."),
}


class ReminderIn(Body):
    """What the other side is reminded of."""

    term: Term


class HappenedIn(Body):
    """When it happened: since the reminder, and since what was settled last."""

    happened_at: Instant


class SettledIn(Body):
    outcome: Outcome


class BoundaryOut(BaseModel):
    """`allowed` are the last parts of the paths that you may post to now."""

    boundary_id: UUID
    pair_id: UUID
    reminded_by: str
    about: str
    term: Term
    words: str
    reminded_at: datetime
    state: State
    happened_at: datetime | None
    open_until: datetime | None
    breached_at: datetime | None
    allowed: Sequence[Action]


class BoundariesOut(BaseModel):
    boundaries: Sequence[BoundaryOut]


def boundary_out(stored: Boundary, ask: Ask) -> BoundaryOut:
    """The boundary as it is now, and what the one who asks may do."""
    it = standing(stored, ask.now)
    who = "judge" if ask.judging else who_is(it, ask.person)
    return BoundaryOut(
        boundary_id=it.boundary_id,
        pair_id=it.pair_id,
        reminded_by=it.reminded_by,
        about=it.about,
        term=it.term,
        words=WORDS[it.term],
        reminded_at=it.reminded_at,
        state=it.state,
        happened_at=it.claim.happened_at if it.claim else None,
        open_until=it.claim.until if it.claim else None,
        breached_at=it.breached_at,
        allowed=allowed(it, who, ask.now),
    )


def boundaries_router(pool: Pool) -> APIRouter:
    """Remind, claim, answer, settle, read."""
    router = APIRouter(tags=["boundaries"])
    _remind(router, pool)
    for verb, (say, words) in _PLAIN.items():
        _plain(router, pool, verb, say, words)
    _settle(router, pool)
    return router


def _answer(asked: Asking, it: Boundary) -> BoundaryOut:
    return asked.answer(lambda thing: boundary_out(thing, asked.ask), it)


def _remind(router: APIRouter, pool: Pool) -> None:
    @router.post("/pairs/{pair}/boundaries", status_code=201)
    async def remind(pair: UUID, body: ReminderIn, asked: Asked) -> BoundaryOut:
        """Politely ask the other side to keep to what was agreed, once in 30 days for a term."""
        return _answer(asked, await boundaries.remind(pool, asked.ask, PairId(pair), body.term))

    @router.get("/pairs/{pair}/boundaries")
    async def view_all(pair: UUID, asked: Reading) -> BoundariesOut:
        """A pair's newest boundaries, the newest first."""
        found = await boundaries.view_all(pool, asked.ask, PairId(pair))
        return BoundariesOut(boundaries=[boundary_out(each, asked.ask) for each in found])

    @router.get("/boundaries/{boundary}")
    async def view(boundary: UUID, asked: Reading) -> BoundaryOut:
        """A boundary of yours: how it stands, and what you may do."""
        return _answer(asked, await boundaries.view(pool, asked.ask, BoundaryId(boundary)))

    @router.post("/boundaries/{boundary}/claim")
    async def claim(boundary: UUID, body: HappenedIn, asked: Asked) -> BoundaryOut:
        """Who reminded: it happened nevertheless. The other side has 14 days of presence to answer.

        Nothing is published before it is settled, and nothing at all when nobody settles it.
        """
        it = await boundaries.claim(pool, asked.ask, BoundaryId(boundary), body.happened_at)
        return _answer(asked, it)


def _plain(router: APIRouter, pool: Pool, verb: str, say: Say, words: str) -> None:
    @router.post(f"/boundaries/{{boundary}}/{verb}", name=f"boundary_{verb}", description=words)
    async def said(boundary: UUID, asked: Asked) -> BoundaryOut:
        return _answer(asked, await say(pool, asked.ask, BoundaryId(boundary)))


def _settle(router: APIRouter, pool: Pool) -> None:
    @router.post("/boundaries/{boundary}/resolve")
    async def resolve(boundary: UUID, body: SettledIn, asked: Asked) -> BoundaryOut:
        """A manager who is of neither side settles a claim; `nothing` is no evidence."""
        it = await boundaries.resolve(pool, asked.ask, BoundaryId(boundary), body.outcome)
        return _answer(replace(asked, ask=replace(asked.ask, judging=True)), it)
