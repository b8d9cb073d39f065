"""Routes on rankings. One's own is for one's own eyes; managers see how many have ranked."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.matching import views
from services.matching.api.common import PersonName, ProgrammePath
from services.matching.domain.ranking import SHORTLIST, Ranking, Side, State
from services.matching.handlers import rankings as commands
from services.matching.handlers.rankings import Grounds, Overview, grounds_of
from services.matching.queries import people
from services.matching.queries.rankings import ListId
from shared.asking import Ask, Asked, Asking, Reading
from shared.ids import PersonId, ProgrammeId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for
from shared.shapes import Body

People = Annotated[tuple[PersonName, ...], Field(max_length=SHORTLIST)]


class RankingIn(Body):
    """Your order, the one you would like most first; and whom you would rather not meet at all.

    Whoever is in neither comes after your order. `ranking_id` and `side` say which list, where you
    have more than one: otherwise your newest.
    """

    order: People = ()
    never: People = ()
    ranking_id: UUID | None = None
    side: Side | None = None


class ListedOut(BaseModel):
    """Somebody you could meet, and why."""

    person_id: PersonId
    display_name: str
    reasons: tuple[views.Reason, ...]
    never: bool


class RankingOut(BaseModel):
    """Your list in your order: nobody else sees it. `side` is yours."""

    ranking_id: UUID
    programme_id: ProgrammeId
    side: Side
    until: datetime
    is_open: bool
    ranked_at: datetime | None
    people: tuple[ListedOut, ...]


class RoundOut(BaseModel):
    """A round: how many people rank, and how many have. Never what."""

    ranking_id: UUID
    programme_id: ProgrammeId
    state: State
    opened_at: datetime
    until: datetime
    people: int
    ranked: int


class RoundsOut(BaseModel):
    """A programme's rounds, newest first."""

    rankings: tuple[RoundOut, ...]


def rankings_router(pool: Pool) -> APIRouter:
    """Opening, ranking, closing."""
    router = APIRouter(tags=["rankings"])
    _mine(router, pool)
    _oversee(router, pool)
    return router


def _mine(router: APIRouter, pool: Pool) -> None:
    @router.get("/me/ranking")
    async def my_ranking(
        asked: Reading, ranking_id: UUID | None = None, side: Side | None = None
    ) -> RankingOut:
        """Whom you could meet, in your order; until you rank, the best fit first."""
        return await _out(pool, asked, await commands.mine(pool, asked.ask, ranking_id, side))

    @router.put("/me/ranking")
    async def rank(asked: Asked, body: RankingIn) -> RankingOut:
        """Say whom you would rather meet, before the round is closed. As often as you like."""
        ask = asked.ask
        found = await commands.mine(pool, ask, body.ranking_id, body.side)
        id_ = ListId(found.ranking_id, ask.person, found.side)
        return await _out(pool, asked, await commands.rank(pool, ask, id_, body.order, body.never))


def _oversee(router: APIRouter, pool: Pool) -> None:
    @router.post("/programmes/{programme_id}/rankings", status_code=202)
    async def open_round(asked: Asked, programme_id: ProgrammePath) -> RoundOut:
        """Let everybody rank whom they could meet. The lists are made in the background."""
        return _round_out(asked, await commands.open_round(pool, asked.ask, programme_id))

    @router.get("/programmes/{programme_id}/rankings")
    async def rounds(asked: Reading, programme_id: ProgrammePath) -> RoundsOut:
        """A programme's rounds, newest first."""
        found = await commands.overviews(pool, asked.ask, programme_id)
        return RoundsOut(rankings=tuple(round_out(each) for each in found))

    @router.get("/rankings/{ranking_id}")
    async def get_round(asked: Reading, ranking_id: UUID) -> RoundOut:
        """One round."""
        return _round_out(asked, await commands.overview(pool, asked.ask, ranking_id))

    @router.post("/rankings/{ranking_id}/close")
    async def close(asked: Asked, ranking_id: UUID) -> RoundOut:
        """Close a round before its time: who has not ranked has the order of fit."""
        return _round_out(asked, await commands.close_round(pool, asked.ask, ranking_id))


def round_out(it: Overview) -> RoundOut:
    """The round for those who oversee the programme."""
    return RoundOut(
        ranking_id=it.round.ranking_id,
        programme_id=it.round.programme_id,
        state=it.round.state,
        opened_at=it.round.opened_at,
        until=it.round.until,
        people=it.counts.people,
        ranked=it.counts.ranked,
    )


def _round_out(asked: Asking, it: Overview) -> RoundOut:
    asked.answer(lambda round_: round_, it.round)
    return round_out(it)


async def _out(pool: Pool, asked: Asking, it: Ranking) -> RankingOut:
    ask, others = asked.ask, [each.person_id for each in it.people]
    async with reading_for(pool, ask.tenant) as conn:
        names = await people.display_names(conn, ask.tenant, others)
        rests_on = await grounds_of(conn, ask, it)
    return asked.answer(lambda it: _ranking_out(it, ask, names, rests_on), it)


def _ranking_out(it: Ranking, ask: Ask, names: views.Names, rests_on: Grounds) -> RankingOut:
    return RankingOut(
        ranking_id=it.ranking_id,
        programme_id=it.programme_id,
        side=it.side,
        until=it.until,
        is_open=ask.now < it.until,
        ranked_at=it.ranked_at,
        people=tuple(
            ListedOut(
                person_id=each.person_id,
                display_name=names.get(each.person_id, each.person_id),
                reasons=tuple(views.reason_view(one) for one in rests_on[each.person_id]),
                never=each.never,
            )
            for each in it.people
        ),
    )
