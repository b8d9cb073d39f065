"""From changed pairs to `trust.changed` in the outbox: the newest state of each, never each change.

One at a time per database. The fact is a pure function of the pair's evidence: same evidence, same
id, same bytes.
"""

from __future__ import annotations

from uuid import UUID

from services.insights import bulk, queries
from services.insights.handlers import MODEL
from services.insights.queries import PairRow
from shared.events.envelope import Event, new_event
from shared.events.insights import TrustChanged
from shared.ids import TenantId, derived_id
from shared.postgres import outbox
from shared.postgres.pool import Pool

SERVICE = "insights"
# Pairs taken at once: bounds the transaction and how long the event loop is kept.
MAX_PAIRS = 50
MAX_MARKS = 20_000


async def surface(pool: Pool) -> int:
    """Publish pairs that changed since they were last published; how many were looked at."""
    # One snapshot: a band may need the evidence, and it must be the evidence of that state.
    async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read"):
        if not await queries.become_surfacer(conn):
            return 0
        keys = await queries.take_dirty(conn, MAX_PAIRS, MAX_MARKS)
        if not keys:
            return 0
        pairs = [pair for pair in await queries.pairs_by_key(conn, keys) if pair.state]
        known = await bulk.states_of(conn, pairs, MODEL)
        changed = [(pair, state) for pair, state in known if state.count > pair.surfaced]
        facts = await bulk.trust_changed(conn, changed)
        moved = [(pair, fact) for (pair, _), fact in zip(changed, facts, strict=True)]
        await outbox.append(conn, [_event(pair, fact) for pair, fact in moved])
        await queries.save_surfaced(conn, [(pair, fact.revision) for pair, fact in moved])
    return len(keys)


def _event(pair: PairRow, fact: TrustChanged) -> Event:
    return new_event(
        fact,
        event_id=event_id(pair.tenant, fact),
        tenant=pair.tenant,
        service=SERVICE,
        now=fact.as_of,
    )


def event_id(tenant: TenantId, fact: TrustChanged) -> UUID:
    """The id of `trust.changed`: the same evidence under the same model is the same event."""
    return derived_id(fact.type, tenant, str(fact.pair_id), fact.model, str(fact.revision))
