"""The route on a mentor's free places. Why there is none is for the mentor's eyes alone."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from services.matching.api.common import PersonPath
from services.matching.domain.load import Load, words, words_for_others
from services.matching.handlers.common import actor
from services.matching.queries import places
from shared.asking import Reading
from shared.errors import NotFound
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for


class TakenUp(BaseModel):
    """What takes up a mentor's places: for themselves."""

    capacity: int
    open_pairs: int
    late_promises: int
    free: int


class PlacesOut(BaseModel):
    """Whether a mentor has a free place. `taken_up` is null for everybody but the mentor."""

    has_place: bool
    words: str
    taken_up: TakenUp | None = None


def places_router(pool: Pool) -> APIRouter:
    """Reading free places."""
    router = APIRouter(prefix="/people", tags=["people"])

    @router.get("/{person_id}/places")
    async def get_places(asked: Reading, person_id: PersonPath) -> PlacesOut:
        """Whether a mentor is open to somebody new: oneself, with why, or for those who oversee.

        A promise that is late takes up a place until it is kept, acknowledged or put right, or 30
        days are over. Nobody but the mentor is told so.
        """
        ask, load = asked.ask, None
        is_me = ask.person == person_id
        if is_me or actor(ask).oversees:
            async with reading_for(pool, ask.tenant) as conn:
                load = await places.load_of(conn, ask.tenant, person_id, ask.now)
        if load is None:
            raise NotFound("there is no such mentor")
        return _mine(load) if is_me else _others(load)

    return router


def _mine(load: Load) -> PlacesOut:
    taken = TakenUp(
        capacity=load.capacity,
        open_pairs=load.open_pairs,
        late_promises=load.late,
        free=load.places,
    )
    return PlacesOut(has_place=load.places > 0, words=words(load), taken_up=taken)


def _others(load: Load) -> PlacesOut:
    has_place = load.places > 0
    return PlacesOut(has_place=has_place, words=words_for_others(has_place=has_place))
