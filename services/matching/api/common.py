"""What several routes of matching begin with. Holds no route."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, TypeAlias

from fastapi import Path, Query
from pydantic import StringConstraints

from services.matching import views
from services.matching.domain.guidance import PairTrust
from services.matching.domain.pair import Pair
from services.matching.queries import people, trust
from shared.asking import Ask
from shared.events.fact import OPAQUE
from shared.ids import PersonId, ProgrammeId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for

MAX_PAGE = 200
DEFAULT_PAGE = 50

Limit: TypeAlias = Annotated[int, Query(ge=1, le=MAX_PAGE)]
PersonPath: TypeAlias = Annotated[PersonId, Path(pattern=OPAQUE.pattern)]
ProgrammePath: TypeAlias = Annotated[ProgrammeId, Path(pattern=OPAQUE.pattern)]
PersonName: TypeAlias = Annotated[PersonId, StringConstraints(pattern=OPAQUE.pattern)]
ProgrammeName: TypeAlias = Annotated[ProgrammeId, StringConstraints(pattern=OPAQUE.pattern)]


async def names_of(pool: Pool, ask: Ask, found: Iterable[Pair]) -> views.Names:
    """The names of everybody in these pairs."""
    members = {person for pair in found for person in pair.members}
    async with reading_for(pool, ask.tenant) as conn:
        return await people.display_names(conn, ask.tenant, sorted(members))


async def trust_of(pool: Pool, ask: Ask, pair: Pair) -> PairTrust | None:
    """How the pair stands, as far as is known."""
    async with reading_for(pool, ask.tenant) as conn:
        return await trust.of_pair(conn, ask.tenant, pair.pair_id)
