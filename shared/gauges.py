"""What is read from a service's database to be measured, a few times a minute. Changes nothing."""

from __future__ import annotations

from shared import metrics
from shared.postgres.pool import Pool

EVERY_S = 5.0
# Positions are given in order, so the ends say how many there are without counting them.
_OUTBOX = """
    SELECT coalesce(max(position) - min(position) + 1, 0),
           coalesce(extract(epoch FROM now() - (
               SELECT written_at FROM outbox ORDER BY position LIMIT 1)), 0)::float8
    FROM outbox
"""
_LETTERS = """
    SELECT status, count(*) FROM dead_letter
    WHERE group_name = $1 AND status IN ('parked', 'redriving') GROUP BY status
"""
OPEN = ("parked", "redriving")


async def measure_delivery(pool: Pool, service: str, group: str) -> None:
    """What waits for the broker, and what waits for somebody's decision."""
    async with pool.acquire() as conn:
        facts, age_s = await conn.fetchrow(_OUTBOX) or (0, 0.0)
        letters = {row[0]: row[1] for row in await conn.fetch(_LETTERS, group)}
    metrics.OUTBOX_FACTS.labels(service).set(facts)
    metrics.OUTBOX_AGE.labels(service).set(max(0.0, age_s))
    for status in OPEN:
        metrics.DEAD_LETTERS.labels(group, status).set(letters.get(status, 0))
