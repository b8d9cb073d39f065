"""Commands on programmes. Each is one transaction; no SQL and no rule stands here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.matching.domain.programme import Programme, Settings, check
from services.matching.queries import programmes
from shared.asking import Ask, MatchRequired
from shared.errors import NotFound
from shared.ids import ProgrammeId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import acting_for, reading_for


@dataclass(frozen=True, slots=True)
class Wish:
    """A programme as it is to be."""

    name: str
    settings: Settings
    is_open: bool


async def put(pool: Pool, ask: Ask, programme_id: ProgrammeId, wish: Wish) -> Programme:
    """Make the programme, or its next version. The same again changes nothing.

    Raises Contradiction naming the setting, MatchRequired when there is one and the request names
    no revision, and Moved when it names another.
    """
    check(wish.settings)
    async with acting_for(pool, ask.tenant) as conn:
        before = await programmes.lock(conn, ask.tenant, programme_id)
        wished = Programme(
            ask.tenant, programme_id, wish.name, wish.settings, ask.now, wish.is_open
        )
        if before is not None:
            wished = replace(wished, changed_at=before.changed_at, revision=before.revision)
            if wished == before:
                return before
            if ask.if_match is None:
                raise MatchRequired
            ask.require_unmoved(before)
            wished = replace(wished, changed_at=ask.now, revision=before.revision + 1)
        await programmes.save(conn, wished)
    return wished


async def find(
    pool: Pool, ask: Ask, programme_id: ProgrammeId, version: int | None = None
) -> Programme:
    """The programme, now or at a version. Raises NotFound."""
    async with reading_for(pool, ask.tenant) as conn:
        found = await programmes.find(conn, ask.tenant, programme_id, version)
    if found is None:
        raise NotFound("there is no such programme")
    return found


async def find_all(pool: Pool, ask: Ask) -> Sequence[Programme]:
    """All programmes of the tenant, by id."""
    async with reading_for(pool, ask.tenant) as conn:
        return await programmes.of_tenant(conn, ask.tenant)
