"""The ring is bounded: what is too old, or too many, is forgotten. Decides nothing else."""

from __future__ import annotations

from services.insights.queries import streams
from shared.postgres.pool import Pool
from shared.postgres.tenancy import acting_for_all


async def forget(pool: Pool, rows: int, age_s: float) -> bool:
    """Forget what a stream need not be resumed from any more; whether there was anything."""
    async with acting_for_all(pool) as conn:
        return bool(await streams.prune(conn, rows, age_s))
