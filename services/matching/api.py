"""Matching over HTTP: parse, authorise, call one handler, render. No SQL and no rule stands here.

Participants see themselves and their own pairs; programme managers and services see their tenant.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, FastAPI, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.matching import handlers, views
from services.matching.domain.pair import NO_SUCH_PAIR, Actor, Pair, State, check_visible
from services.matching.handlers import Run, Which
from services.matching.queries import pairs, people, trust
from services.matching.queries.pairs import PairFilter
from shared.clock import Clock
from shared.errors import NotFound
from shared.events.fact import OPAQUE, Code
from shared.http import Authenticated, Caller, Role, new_api
from shared.ids import PairId, PersonId, ProgrammeId
from shared.postgres.pool import Pool

OVERSEERS: tuple[Role, ...] = ("manager", "service")
MAX_PAGE = 200
DEFAULT_PAGE = 50
MAX_PROPOSALS = 1_000

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
PersonPath = Annotated[PersonId, Path(pattern=OPAQUE.pattern)]
Programme = Annotated[ProgrammeId, StringConstraints(pattern=OPAQUE.pattern)]


class MatchRequest(BaseModel):
    """Ask for proposals for everybody who has no mentor yet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    programme_id: Programme
    limit: Annotated[int, Field(ge=1, le=MAX_PROPOSALS)] = MAX_PROPOSALS


class EndRequest(BaseModel):
    """End a pair that is running. The reason is a code, for example `completed`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Code


def build_api(pool: Pool, clock: Clock) -> FastAPI:
    """The API over these connections and this clock."""
    api = new_api("matching", "People, fair proposals, and the life of a pair.")
    api.include_router(_matches(pool, clock))
    api.include_router(_reading(pool))
    api.include_router(_moves(pool, clock))
    api.include_router(_people(pool))
    return api


def _matches(pool: Pool, clock: Clock) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["matches"])

    @router.post("/matches")
    async def run_matching(caller: Authenticated, body: MatchRequest) -> views.MatchesView:
        """Propose a mentor to every mentee who has none; pairs that are open stay as they are."""
        caller.require("manager")
        run = Run(caller.tenant, body.programme_id, body.limit)
        result = await handlers.run_matching(pool, run, clock.now())
        names = await _names(pool, caller, result.pairs)
        return views.MatchesView(
            proposed=tuple(views.pair_view(pair, _actor(caller), names) for pair in result.pairs),
            unmatched=tuple(views.unmatched_view(one) for one in result.unmatched),
        )

    return router


def _reading(pool: Pool) -> APIRouter:
    router = APIRouter(prefix="/v1/pairs", tags=["pairs"])

    @router.get("")
    async def list_pairs(
        caller: Authenticated,
        state: State | None = None,
        limit: Limit = DEFAULT_PAGE,
        cursor: PairId | None = None,
    ) -> views.PairPage:
        """Pairs, newest first: a participant's own, or all of the tenant's."""
        actor = _actor(caller)
        chosen = PairFilter(None if actor.oversees else caller.person, state)
        async with pool.acquire() as conn:
            # One more than asked for tells whether there is a next page.
            more = await pairs.page(conn, caller.tenant, chosen, cursor, limit + 1)
        found = more[:limit]
        names = await _names(pool, caller, found)
        return views.PairPage(
            pairs=tuple(views.pair_view(pair, actor, names) for pair in found),
            next_cursor=found[-1].pair_id if len(more) > limit else None,
        )

    @router.get("/{pair_id}")
    async def get_pair(caller: Authenticated, pair_id: PairId) -> views.PairDetail:
        """One pair, why it was proposed, and what would help it now."""
        async with pool.acquire() as conn:
            pair = await pairs.pair(conn, caller.tenant, pair_id)
        if pair is None:
            raise NotFound(NO_SUCH_PAIR)
        check_visible(pair, _actor(caller))
        return await _detail(pool, caller, pair)

    return router


def _moves(pool: Pool, clock: Clock) -> APIRouter:
    router = APIRouter(prefix="/v1/pairs/{pair_id}", tags=["pairs"])

    @router.post("/accept")
    async def accept(caller: Authenticated, pair_id: PairId) -> views.PairDetail:
        """Say yes. The pair is accepted with the second yes."""
        pair = await handlers.accept(pool, _which(caller, pair_id), clock.now())
        return await _detail(pool, caller, pair)

    @router.post("/decline")
    async def decline(caller: Authenticated, pair_id: PairId) -> views.PairDetail:
        """Say no before the pair has started. Nobody is asked why."""
        pair = await handlers.decline(pool, _which(caller, pair_id), clock.now())
        return await _detail(pool, caller, pair)

    @router.post("/start")
    async def start(caller: Authenticated, pair_id: PairId) -> views.PairDetail:
        """Begin, once both have said yes."""
        pair = await handlers.start(pool, _which(caller, pair_id), clock.now())
        return await _detail(pool, caller, pair)

    @router.post("/end")
    async def end(caller: Authenticated, pair_id: PairId, body: EndRequest) -> views.PairDetail:
        """End a pair that is running."""
        pair = await handlers.end(pool, _which(caller, pair_id), body.reason, clock.now())
        return await _detail(pool, caller, pair)

    return router


def _people(pool: Pool) -> APIRouter:
    router = APIRouter(prefix="/v1/people", tags=["people"])

    @router.get("")
    async def list_people(
        caller: Authenticated,
        limit: Limit = DEFAULT_PAGE,
        cursor: Annotated[PersonId | None, Query(pattern=OPAQUE.pattern)] = None,
    ) -> views.PeoplePage:
        """People by id, and how many there are."""
        caller.require(*OVERSEERS)
        async with pool.acquire() as conn:
            more = await people.page(conn, caller.tenant, cursor or "", limit + 1)
            total = await people.count(conn, caller.tenant)
        found = more[:limit]
        return views.PeoplePage(
            people=tuple(views.person_view(person) for person in found),
            total=total,
            next_cursor=found[-1].person_id if len(more) > limit else None,
        )

    @router.get("/{person_id}")
    async def get_person(caller: Authenticated, person_id: PersonPath) -> views.PersonView:
        """One person: oneself, or anybody of the tenant for managers and services."""
        visible = _actor(caller).oversees or caller.person == person_id
        async with pool.acquire() as conn:
            person = await people.person(conn, caller.tenant, person_id) if visible else None
        if person is None:
            raise NotFound("there is no such person")
        return views.person_view(person)

    return router


def _actor(caller: Caller) -> Actor:
    return Actor(caller.person, oversees=caller.role in OVERSEERS)


def _which(caller: Caller, pair_id: PairId) -> Which:
    return Which(caller.tenant, pair_id, _actor(caller))


async def _names(pool: Pool, caller: Caller, found: Iterable[Pair]) -> views.Names:
    members = {person for pair in found for person in pair.members}
    async with pool.acquire() as conn:
        return await people.display_names(conn, caller.tenant, sorted(members))


async def _detail(pool: Pool, caller: Caller, pair: Pair) -> views.PairDetail:
    names = await _names(pool, caller, [pair])
    async with pool.acquire() as conn:
        known = await trust.of_pair(conn, caller.tenant, pair.pair_id)
    return views.pair_detail(pair, _actor(caller), names, known)
