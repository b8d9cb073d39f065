"""From changed pairs to `trust.changed` in the outbox: the newest state of each, never each change.

One at a time per database. The fact is a pure function of the pair's evidence: same evidence, same
id, same bytes. The stream of services says the same, in the same transaction.
"""

from __future__ import annotations

from uuid import UUID

from services.insights import bulk
from services.insights.queries import locks, managed, streams
from services.insights.queries import surfacing as queries
from services.insights.queries.pairs import PairRow
from shared import metrics
from shared.events.envelope import Event, encode_value, new_event
from shared.events.insights import TrustChanged
from shared.ids import TenantId, derived_id
from shared.postgres import outbox
from shared.postgres.pool import Pool
from shared.postgres.tenancy import acting_for_all

SERVICE = "insights"
WORK = "surfacing"
# Pairs taken at once: bounds the transaction and how long the event loop is kept.
MAX_PAIRS = 50
MAX_MARKS = 20_000


async def surface(pool: Pool) -> int | None:
    """Publish pairs that changed since they were last published; how many were looked at.

    None while somebody else is doing it.
    """
    # One snapshot: a band may need the evidence, and it must be the evidence of that state.
    async with acting_for_all(pool, snapshot=True) as conn:
        if not await locks.only_one(conn, WORK):
            return None
        keys = await queries.take_dirty(conn, MAX_PAIRS, MAX_MARKS)
        if not keys:
            return 0
        pairs = [pair for pair in await queries.pairs_by_key(conn, keys) if pair.state]
        found = await bulk.states_of(conn, pairs)
        # A pair of which nothing but a leave is known has no trust to publish.
        known = [(pair, state) for pair, state in found if state.newest() is not None]
        unsaid = await streams.unsaid(conn, "service", [pair.key for pair in pairs])
        news = [(p, state) for p, state in known if state.revision > p.surfaced or p.key in unsaid]
        facts = await bulk.trust_changed(conn, news)
        said = [(pair, fact) for (pair, _), fact in zip(news, facts, strict=True)]
        moved = [(pair, fact) for pair, fact in said if fact.revision > pair.surfaced]
        await outbox.append(conn, [_event(pair, fact) for pair, fact in moved])
        await queries.save_surfaced(conn, [(pair, fact.revision) for pair, fact in moved])
        await streams.say(conn, "service", [(pair, encode_value(fact)) for pair, fact in said])
        await managed.mark(conn, keys)
    metrics.SURFACED.inc(len(moved))
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
