"""What time has decided about proposals, written down and announced as of when it did.

For the sweeper, and for whoever counts free places: what is over takes up none. No SQL, no rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.matching.domain import pair as life
from services.matching.domain.pair import Pair
from services.matching.handlers.common import announce
from services.matching.queries import pairs
from shared.ids import PersonId, TenantId
from shared.postgres.pool import Connection

# A person has few open proposals at a time; what is beyond is closed by the sweeper.
MOST_OF_PEOPLE = 200


async def expire_due(conn: Connection, now: datetime, limit: int) -> int:
    """Close at most `limit` proposals of all tenants that are over by `now`; how many.

    In the order in which they were over, dated when they were: what is published does not depend on
    when this runs.
    """
    due = await pairs.lock_due(conn, now, limit)
    for tenant, pair in due:
        await _expire(conn, tenant, pair, now)
    return len(due)


async def expire_due_of(
    conn: Connection, tenant: TenantId, people: Sequence[PersonId], now: datetime
) -> None:
    """Close what is over of these people, so that it takes up nobody's place any longer."""
    for pair in await pairs.lock_due_of(conn, people, now, MOST_OF_PEOPLE):
        await _expire(conn, tenant, pair, now)


async def _expire(conn: Connection, tenant: TenantId, pair: Pair, now: datetime) -> None:
    decision = life.expire(pair, now)
    after = replace(decision.thing, revision=pair.revision + 1)
    await pairs.save(conn, tenant, after)
    await announce(conn, tenant, decision.facts, after.ended_at or now)
