"""Routes on people: oneself, or anybody of the tenant for those who oversee it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from services.matching import views
from services.matching.api.common import DEFAULT_PAGE, Limit, PersonName, PersonPath
from services.matching.handlers.common import actor
from services.matching.queries import people
from shared.asking import Reading
from shared.errors import NotFound
from shared.events.fact import OPAQUE
from shared.ids import PersonId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for

# As many as a page has.
MOST_IDS = 200


def people_router(pool: Pool) -> APIRouter:
    """Reading people."""
    router = APIRouter(prefix="/people", tags=["people"])
    _one_person(router, pool)

    @router.get("")
    async def list_people(
        asked: Reading,
        limit: Limit = DEFAULT_PAGE,
        cursor: Annotated[PersonId | None, Query(pattern=OPAQUE.pattern)] = None,
        id: Annotated[
            list[PersonName] | None, Query(max_length=MOST_IDS, description="only these people")
        ] = None,
    ) -> views.PeoplePage:
        """People by id, and how many there are."""
        tenant = asked.ask.tenant
        async with reading_for(pool, tenant) as conn:
            # One more than asked for tells whether there is a next page.
            more = (
                await people.some(conn, tenant, id)
                if id
                else await people.page(conn, tenant, cursor or "", limit + 1)
            )
            total = await people.count(conn, tenant)
        found = more if id else more[:limit]
        return views.PeoplePage(
            people=tuple(views.person_view(person) for person in found),
            total=total,
            next_cursor=found[-1].person_id if len(more) > len(found) else None,
        )

    return router


def _one_person(router: APIRouter, pool: Pool) -> None:
    @router.get("/{person_id}")
    async def get_person(asked: Reading, person_id: PersonPath) -> views.PersonView:
        """One person: oneself, or anybody of the tenant for managers and services."""
        ask = asked.ask
        person = None
        if actor(ask).oversees or ask.person == person_id:
            async with reading_for(pool, ask.tenant) as conn:
                person = await people.person(conn, ask.tenant, person_id)
        if person is None:
            raise NotFound("there is no such person")
        return views.person_view(person)
