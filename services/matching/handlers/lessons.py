"""What a programme's earlier pairs teach. Changes nothing; no SQL and no rule stands here."""

from __future__ import annotations

import asyncio

from services.matching.engine.lift import Lift, learn
from services.matching.queries import outcomes, programmes
from shared.asking import Ask
from shared.errors import NotFound
from shared.ids import ProgrammeId, TenantId
from shared.postgres.pool import Connection, Pool
from shared.postgres.tenancy import reading_for


async def learned(conn: Connection, tenant: TenantId, programme_id: ProgrammeId) -> Lift:
    """What a run of the programme may add to a fit; nothing where nothing is known."""
    past = await outcomes.past(conn, tenant, programme_id)
    # Seconds of arithmetic for a large programme: the event loop has other callers to answer.
    return await asyncio.to_thread(learn, past)


async def lessons(pool: Pool, ask: Ask, programme_id: ProgrammeId) -> Lift:
    """The same, for those who oversee the programme to read. Raises NotFound."""
    async with reading_for(pool, ask.tenant) as conn:
        if await programmes.find(conn, ask.tenant, programme_id) is None:
            raise NotFound
        return await learned(conn, ask.tenant, programme_id)
