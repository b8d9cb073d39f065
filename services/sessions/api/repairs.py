"""Routes on repairs: what goes in and out, and which handler answers. Holds no rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from services.sessions.domain.repair import Action, Repair, State, Wish, allowed, standing
from services.sessions.domain.rules import Rules
from services.sessions.handlers import repairs
from shared.asking import Ask, Asked, Asking, Reading
from shared.ids import PairId, RepairId
from shared.postgres.pool import Pool
from shared.shapes import Body, Instant, Line


class RepairIn(Body):
    """`repairs` is the commitment or the session that you missed."""

    repairs: UUID
    due_at: Instant
    words: Line | None = None


class DeliveredIn(Body):
    delivered_at: Instant | None = None


class RepairOut(BaseModel):
    """`allowed` are the last parts of the paths that you may post to now."""

    repair_id: UUID
    pair_id: UUID
    promised_by: str
    promised_at: datetime
    repairs: UUID
    missed_due_at: datetime
    due_at: datetime
    open_until: datetime
    words: str | None
    state: State
    delivered_at: datetime | None
    waits_for: str | None
    allowed: Sequence[Action]


class RepairsOut(BaseModel):
    repairs: Sequence[RepairOut]


def repair_out(stored: Repair, ask: Ask) -> RepairOut:
    """The repair as it is now, and what the one who asks may do."""
    it = standing(stored, ask.now)
    return RepairOut(
        repair_id=it.repair_id,
        pair_id=it.pair_id,
        promised_by=it.wish.by,
        promised_at=it.promised_at,
        repairs=it.wish.repairs,
        missed_due_at=it.missed_due_at,
        due_at=it.wish.due_at,
        open_until=it.sweep_at,
        words=it.wish.words,
        state=it.state,
        delivered_at=it.delivered_at,
        waits_for=it.waits_for,
        allowed=allowed(it, ask.person, ask.now),
    )


def repairs_router(pool: Pool, rules: Rules) -> APIRouter:
    """Promise, deliver, answer, read."""
    router = APIRouter(tags=["repairs"])
    _promise_and_read(router, pool, rules)
    _deliver_and_answer(router, pool, rules)
    return router


def _answer(asked: Asking, it: Repair) -> RepairOut:
    return asked.answer(lambda thing: repair_out(thing, asked.ask), it)


def _promise_and_read(router: APIRouter, pool: Pool, rules: Rules) -> None:
    @router.post("/pairs/{pair}/repairs", status_code=201)
    async def promise(pair: UUID, body: RepairIn, asked: Asked) -> RepairOut:
        """Say that you missed it, and promise to put it right. `words` stay between you two."""
        wish = Wish(asked.ask.person, body.repairs, body.due_at, body.words)
        return _answer(asked, await repairs.promise(pool, asked.ask, rules, PairId(pair), wish))

    @router.get("/pairs/{pair}/repairs")
    async def view_all(pair: UUID, asked: Reading) -> RepairsOut:
        """A pair's newest repairs, the newest first."""
        found = await repairs.view_all(pool, asked.ask, PairId(pair))
        return RepairsOut(repairs=[repair_out(each, asked.ask) for each in found])

    @router.get("/repairs/{repair}")
    async def view(repair: UUID, asked: Reading) -> RepairOut:
        """A repair of yours: how it stands, and what you may do."""
        return _answer(asked, await repairs.view(pool, asked.ask, RepairId(repair)))


def _deliver_and_answer(router: APIRouter, pool: Pool, rules: Rules) -> None:
    @router.post("/repairs/{repair}/deliver")
    async def deliver(repair: UUID, asked: Asked, body: DeliveredIn | None = None) -> RepairOut:
        """Say that you have put it right. The other side has the last word."""
        at = body.delivered_at if body else None
        return _answer(asked, await repairs.deliver(pool, asked.ask, RepairId(repair), at))

    @router.post("/repairs/{repair}/acknowledge")
    async def acknowledge(repair: UUID, asked: Asked) -> RepairOut:
        """The other side says that it was put right."""
        return _answer(asked, await repairs.acknowledge(pool, asked.ask, RepairId(repair)))

    @router.post("/repairs/{repair}/not-yet")
    async def not_yet(repair: UUID, asked: Asked) -> RepairOut:
        """The other side says that it is not put right yet: it stays promised."""
        return _answer(asked, await repairs.not_yet(pool, asked.ask, rules, RepairId(repair)))
