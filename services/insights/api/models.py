"""Routes about versions of the model: what there is, what would change, what is in force."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import AwareDatetime, BaseModel

from services.insights import models
from shared.clock import Clock
from shared.http import Authenticated
from shared.postgres.pool import Pool


class Version(BaseModel):
    """A version of the model. `document` is what differs from its base; None is built in."""

    number: int
    name: str
    in_force: bool
    document: dict[str, Any] | None


class Move(BaseModel):
    """How many directions go from one band to another."""

    before: str
    after: str
    directions: int


class Difference(BaseModel):
    """What another version would say of a tenant's pairs at one instant."""

    one: str
    other: str
    at: AwareDatetime
    pairs: int
    mean_change: float
    largest_change: float
    moves: list[Move]
    most_changed: list[dict[str, Any]]


def build_router(pool: Pool, clock: Clock) -> APIRouter:
    """The routes under /v1/models."""
    router = APIRouter()
    _registry(router, pool, clock)
    _force(router, pool, clock)
    return router


def _registry(router: APIRouter, pool: Pool, clock: Clock) -> None:
    @router.get("/v1/models")
    async def versions(caller: Authenticated) -> list[Version]:
        """Every version of the model, and which is in force."""
        return [Version(**vars_) for vars_ in await models.described(pool, caller.tenant)]

    @router.post("/v1/models", status_code=201)
    async def register(document: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        """Register a version: a name, a base, and what differs from it."""
        model = await models.register(pool, document, clock.now())
        return {"name": model.name, "number": model.number}


def _force(router: APIRouter, pool: Pool, clock: Clock) -> None:
    @router.get("/v1/models/{name}/difference")
    async def difference(
        name: str,
        caller: Authenticated,
        other: Annotated[str | None, Query(description="else the one in force")] = None,
    ) -> Difference:
        """Who would change band under the version `name`, and by how much."""
        found = await models.difference(pool, caller.tenant, other, name, clock.now())
        return Difference(
            one=found.one,
            other=found.other,
            at=found.at,
            pairs=found.pairs,
            mean_change=round(found.mean, 6),
            largest_change=round(found.largest, 6),
            moves=[
                Move(before=a, after=b, directions=n) for (a, b), n in found.moves.most_common()
            ],
            most_changed=[change._asdict() for change in found.changed],
        )

    @router.put("/v1/models/in-force")
    async def switch(
        caller: Authenticated, name: Annotated[str, Body(embed=True)]
    ) -> dict[str, Any]:
        """Make the tenant's scores with a version from now on."""
        pairs = await models.switch(pool, caller.tenant, name, clock.now())
        return {"name": name, "pairs": pairs}
