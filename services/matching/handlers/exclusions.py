"""Keeping two apart in a programme. No SQL and no rule stands here."""

from __future__ import annotations

from collections.abc import Sequence

from services.matching.queries import exclusions, programmes
from shared.asking import Ask
from shared.errors import NotFound, Rejected
from shared.ids import PersonId, ProgrammeId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import acting_for, reading_for


async def keep_apart(
    pool: Pool, ask: Ask, programme_id: ProgrammeId, one: PersonId, other: PersonId
) -> None:
    """Propose these two to each other no more. What there is of them already goes on.

    Raises NotFound for the programme, and Rejected for one person twice.
    """
    if one == other:
        raise Rejected("name two people", field="other")
    async with acting_for(pool, ask.tenant) as conn:
        if await programmes.find(conn, ask.tenant, programme_id) is None:
            raise NotFound("there is no such programme")
        await exclusions.save(conn, ask.tenant, programme_id, one, other)


async def allow(
    pool: Pool, ask: Ask, programme_id: ProgrammeId, one: PersonId, other: PersonId
) -> None:
    """Keep them apart no longer; nothing when they were not."""
    async with acting_for(pool, ask.tenant) as conn:
        await exclusions.delete(conn, ask.tenant, programme_id, one, other)


async def page(
    pool: Pool, ask: Ask, programme_id: ProgrammeId, after: tuple[str, str], limit: int
) -> Sequence[tuple[PersonId, PersonId]]:
    """Whom the programme keeps apart."""
    async with reading_for(pool, ask.tenant) as conn:
        return await exclusions.page(conn, ask.tenant, programme_id, after, limit)
